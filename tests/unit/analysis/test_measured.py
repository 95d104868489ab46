"""Scores against measured values: the figure, its interval, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from genomecli.analysis.figures.agreement import agreement_figure
from genomecli.analysis.figures.style import png_bytes
from genomecli.analysis.figures.surprise import make_track, surprise_figure
from genomecli.analysis.measured import agreement, sentences, spearman
from genomecli.runtime import rng


def data(rows: int = 300) -> tuple[np.ndarray, dict[str, np.ndarray], list[str]]:
    """Measured values, a score that follows them, one that follows less, one that does not; 60 places."""
    random = rng("measured tests")
    truth = np.round(random.normal(size=rows), 1)
    noise = random.normal(size=(3, rows))
    scores = {"score": truth + noise[0], "weak": truth + 4 * noise[1], "none": noise[2]}
    return truth, scores, [str(i // 5) for i in range(rows)]


def test_spearman_is_that_of_scipy_with_ties() -> None:
    truth, scores, _ = data()
    for values in scores.values():
        assert spearman(values, truth) == pytest.approx(spearmanr(values, truth).statistic, abs=1e-12)
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))
    assert np.isnan(spearman(np.ones(1), np.ones(1)))


def test_a_planted_order_is_found_and_noise_is_not() -> None:
    truth, scores, places = data()
    found = agreement(truth, scores, places, rng("draws"), draws=200)
    assert (found.rows, found.left_out, found.places) == (300, 0, 60)
    assert list(found.spearman) == ["score", "weak", "none"]
    assert found.spearman["score"].low > 0.5
    assert found.spearman["none"].low < 0 < found.spearman["none"].high
    assert found.gain["none"].low > 0
    assert found.gain["weak"].value == pytest.approx(
        found.spearman["score"].value - found.spearman["weak"].value
    )
    assert sentences(found)[0].startswith("Spearman of score with the measured values: 0.7")


def test_rows_without_a_value_are_left_out_of_all() -> None:
    truth, scores, places = data()
    truth[:7] = np.nan
    scores["score"][5:10] = np.nan
    scores["weak"] = np.full(300, np.nan)
    found = agreement(truth, scores, places, rng("draws"), draws=50)
    assert (found.rows, found.left_out) == (290, 10)
    assert list(found.spearman) == ["score", "none"]
    assert found.as_dict()["spearman"]["score"]["level"] == 0.95


def test_the_conclusion_comes_first() -> None:
    truth, scores, places = data()
    swapped = {"score": scores["weak"], "blosum62": scores["score"]}
    said = sentences(agreement(truth, swapped, places, rng("draws"), draws=100))
    assert said[0] == "The model ranks them worse than blosum62."
    same = {"score": scores["score"], "blosum62": scores["score"] + 1}
    said = sentences(agreement(truth, same, places, rng("draws"), draws=100))
    assert said[0] == "The model is not shown to beat blosum62."
    nothing = {"score": scores["none"], "blosum62": scores["score"]}
    said = sentences(agreement(truth, nothing, places, rng("draws"), draws=100))
    assert said[0].startswith("The scores are not shown to rank the measured values")


def test_places_are_resampled_with_all_their_rows() -> None:
    """Copies of a row are no new evidence: the interval stays that of the places."""
    truth, scores, _ = data(100)
    once = agreement(truth, {"score": scores["score"]}, [str(i) for i in range(100)], rng("d"), draws=400)
    often = agreement(
        np.repeat(truth, 5),
        {"score": np.repeat(scores["score"], 5)},
        [str(i) for i in range(100) for _ in range(5)],
        rng("d"),
        draws=400,
    )
    widths = [f.spearman["score"].high - f.spearman["score"].low for f in (once, often)]
    assert widths[1] == pytest.approx(widths[0], rel=0.05)


def test_few_rows_have_no_interval() -> None:
    found = agreement(np.array([1.0, 2.0]), {"score": np.array([1.0, 2.0])}, ["a", "a"], rng("d"), draws=10)
    assert np.isnan(found.spearman["score"].low)
    assert found.as_dict()["spearman"]["score"]["low"] is None
    empty = agreement(np.array([np.nan]), {"score": np.array([1.0])}, ["a"], rng("d"), draws=10)
    assert empty.rows == 0


def test_figures_are_drawn_and_repeat() -> None:
    truth, scores, _ = data()
    drawn = [png_bytes(agreement_figure(truth, scores, {"score": "Spearman 0.7"}), 60) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0].startswith(b"\x89PNG")
    places, values = np.arange(5000.0), np.abs(rng("x").normal(size=5000))
    tracks = [make_track("a", places, values), make_track("b", places[:2], values[:2])]
    assert png_bytes(surprise_figure(tracks, unit="nats", left_out=1), 60).startswith(b"\x89PNG")


def test_a_short_scan_has_whole_positions_from_1_and_a_legend_beside_the_data() -> None:
    values = np.array([1.0, 3.0, 2.0, 4.0, 1.5])
    five, long = make_track("five", np.arange(5.0), values), make_track("b", np.arange(5000.0), np.ones(5000))
    assert five.middle.tolist() == [1, 2, 3, 4, 5]
    assert long.middle[:2].tolist() == [3, 8]
    figure = surprise_figure([five, long], unit="nats")
    figure.draw_without_rendering()
    first = figure.axes[0]
    low, high = first.get_xlim()
    assert [tick for tick in first.get_xticks() if low <= tick <= high] == [1, 2, 3, 4, 5]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "each symbol",
        "smoothed",
        "mean of 5 symbols",
        "up to the highest of them",
    ]
    assert legend.get_window_extent().y0 >= first.get_window_extent().y1
    assert not any(axes.get_legend() for axes in figure.axes)


def test_a_track_keeps_means_and_peaks() -> None:
    values = np.ones(10_000)
    values[4321] = 9
    track = make_track("a", np.arange(10_000.0), values, bins=1000)
    assert track.length == 10
    assert track.highest[432] == 9
    assert track.mean[432] == pytest.approx(1.8)
    assert track.mean[431] == 1
    gap = make_track("a", np.array([0.0, 999.0]), np.array([1.0, 2.0]), bins=10)
    assert np.isnan(gap.mean[1:9]).all()
