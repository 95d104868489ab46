"""Figures of fine-tuning draw, repeat byte for byte, and show what they were given."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.figures.confusion import confusion_figure
from genomecli.analysis.figures.learning import LearningPanel, learning_figure
from genomecli.analysis.figures.models import ModelBar, models_figure
from genomecli.analysis.figures.rates import RateLine, RatePanel, rates_figure
from genomecli.analysis.figures.scatter import ScatterPanel, log_ticks, scatter_figure
from genomecli.analysis.figures.style import png_bytes, settle, svg_bytes

NAN = float("nan")


def _models():
    bars = [ModelBar("ours", 0.8, 0.7, 0.9, False), ModelBar("mean", NAN, NAN, NAN, True)]
    far = [ModelBar("ours", -12.0, -15.0, 3.0, False), ModelBar("mean", 40.0, NAN, NAN, True)]
    return models_figure([("MCC", bars), ("RMSE", far)], title="A $title_x$")


def _confusion():
    tables = [("ours", np.array([[5.0, 1.0], [0.0, 0.0]])), ("theirs", np.eye(2) * 1234)]
    return confusion_figure(tables, ("a class with a very long name", "b"), title="t")


def _many():
    return confusion_figure([("ours", np.eye(20))], [f"class {i}" for i in range(20)], title="t")


def _rates():
    line = RateLine("ours (0.9)", (0.0, 0.2, 1.0), (0.0, 0.8, 1.0), 0, size=(1, 5, 20))
    panel = RatePanel("ROC", "x", "y", (line, RateLine("", (0.0, 1.0), (0.0, 1.0), 0, True)), True)
    return rates_figure([panel, panel], title="t")


def _scatter():
    points = ScatterPanel("ours", "pH", (1.0, 2.0, 3.0), (1.1, 1.9, 99.0))
    counts = ScatterPanel("ours", "pH", (), (), np.arange(16.0).reshape(4, 4), (0.0, 4.0))
    return scatter_figure([points, counts, points], title="t")


def _learning():
    panel = LearningPanel("ours", [[(0.5, 1.0), (1.0, 0.5)], []], [[(1.0, 0.6)], [(1.0, 0.7)]], [1.0, None])
    return learning_figure([panel, panel], title="t")


@pytest.mark.parametrize("make", [_models, _confusion, _many, _rates, _scatter, _learning])
def test_figures_draw_and_repeat(make):
    found = []
    for _ in range(2):
        figure = make()
        settle(figure)
        found.append((png_bytes(figure, 50), svg_bytes(figure)))
    assert found[0] == found[1]
    assert found[0][0].startswith(b"\x89PNG")


def test_counts_and_values_are_written():
    texts = [text.get_text() for axes in _confusion().axes for text in axes.texts]
    assert texts[:4] == ["5", "1", "0", "0"]
    assert "1\u2009234" in texts
    assert not [text for axes in _many().axes for text in axes.texts]
    written = [text.get_text() for axes in _models().axes for text in axes.texts]
    assert written == ["0.80", "none", "-12", "40"]


def test_predictions_far_outside_stay_at_the_rim():
    axes = _scatter().axes[0]
    low, high = axes.get_ylim()
    assert high < 6
    assert axes.collections[0].get_offsets()[2, 1] == pytest.approx(high)
    assert (low, high) == axes.get_xlim()


def test_lines_that_coincide_are_all_seen():
    """A wide line below, and broken ones above it, no two alike."""
    x, y = (0.0, 1.0), (0.0, 1.0)
    lines = tuple(RateLine(f"model {n}", x, y, n, pattern=n) for n in range(5))
    axes = rates_figure([RatePanel("ROC", "x", "y", lines)], title="t").axes[0]
    first, *others = axes.lines
    assert first.get_linestyle() == "-"
    assert all(line.get_zorder() > first.get_zorder() for line in others)
    assert all(line.get_linewidth() < first.get_linewidth() for line in others)
    assert len({str(line._unscaled_dash_pattern) for line in others}) == 4


def test_only_lines_with_a_name_are_in_the_legend():
    legend = _rates().axes[2].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["ours (0.9)"]


@pytest.mark.parametrize("count", [1, 2])
def test_the_legend_of_losses_is_whole(count):
    panel = LearningPanel("ours", [[(0.5, 1.0), (1.0, 0.5)]], [[(1.0, 0.6)]], [1.0])
    figure = learning_figure([panel] * count, title="t")
    settle(figure)
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_values_of_a_log_target_are_drawn_on_that_scale():
    values = tuple(float(value) for value in np.expm1(np.linspace(0.0, 7.6, 50)))
    panel = ScatterPanel("ours", "u", values, (*values[:-1], -5.0), log=True)
    axes = scatter_figure([panel], title="t").axes[0]
    labels = [tick.get_text() for tick in axes.get_xticklabels()]
    assert {"0", "10", "100", "1 k"} <= set(labels)
    assert np.allclose(axes.get_xticks()[labels.index("100")], np.log(101))
    # Equal steps of the logarithm are equal steps on the page.
    places = axes.collections[0].get_offsets()[:, 0]
    assert np.allclose(np.diff(places), 7.6 / 49)
    narrow = scatter_figure([ScatterPanel("o", "u", (3.1, 3.2), (3.1, 3.2), log=True)], title="t").axes[0]
    assert len(narrow.get_xticks()) > 1


@pytest.mark.parametrize("ends", [(0.0, 0.1), (0.0, 8.0), (4.0, 5.0), (-0.5, 20.0)])
def test_marks_of_a_log_scale_are_inside_and_apart(ends):
    places = np.log1p(log_ticks(*ends))
    assert len(places) >= 2
    assert ends[0] <= places.min() <= places.max() <= ends[1]
    assert (np.diff(places) >= 0.1 * (ends[1] - ends[0]) - 1e-12).all()
