import math
import warnings
from pathlib import Path

import pytest

from genomecli.training import curves
from genomecli.training.curves import draw_curves, draw_speed

PNG = b"\x89PNG\r\n\x1a\n"

ROWS = [
    {"kind": "train", "step": 1, "loss": 3.0, "lr": 0.1},
    {"kind": "train", "step": 2, "loss": None, "lr": 0.05},
    {"kind": "validation", "step": 2, "loss": 2.5, "languages": {"a/dna": {"perplexity": 12.0}}},
]


def test_equal_figures_make_equal_pictures(tmp_path: Path) -> None:
    lines = {"a/dna": {"unigram": 50.0, "5-gram": 40.0}}
    draw_curves(tmp_path / "one.png", ROWS, lines)
    draw_curves(tmp_path / "two.png", ROWS, lines)
    draw_curves(tmp_path / "other.png", ROWS, {})
    one = (tmp_path / "one.png").read_bytes()
    assert one.startswith(PNG)
    assert one == (tmp_path / "two.png").read_bytes()
    assert one != (tmp_path / "other.png").read_bytes()


def test_probes_get_a_panel_and_no_rows_are_no_error(tmp_path: Path) -> None:
    draw_curves(tmp_path / "empty.png", [])
    draw_curves(tmp_path / "probe.png", [*ROWS, {"kind": "probe", "step": 2, "frame0/mrr": 0.4}])
    plain, probed = (_size(tmp_path / name) for name in ("empty.png", "probe.png"))
    assert plain[1] < probed[1]
    draw_speed(tmp_path / "speed.png", [{"step": 1, "tokens_per_second": 10.0}])
    assert _size(tmp_path / "speed.png")[0] < plain[0]


def test_targets_have_a_panel_of_their_own_where_they_are_several(tmp_path: Path) -> None:
    """The validation loss of a single target is the loss; three panels stand in one row."""
    one = {"kind": "validation", "step": 2, "loss": 2.5, "targets": {"a": {"loss": 2.5}}}
    two = {**one, "targets": {"a": {"loss": 2.0}, "b": {"loss": 0.5}}}
    for name, row in (("one.png", one), ("two.png", two)):
        draw_curves(tmp_path / name, [*ROWS[:2], row])
    draw_curves(tmp_path / "other.png", [*ROWS[:2], one], None, "loss (squared error)")
    assert _size(tmp_path / "two.png")[1] == _size(tmp_path / "one.png")[1]
    assert 2 * _size(tmp_path / "two.png")[0] == 3 * _size(tmp_path / "one.png")[0]
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "other.png").read_bytes()


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_a_figure_that_is_no_finite_number_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """A perplexity overflows where training went astray; the report of the run is made all the same."""
    languages = {"a/dna": {"perplexity": value}, "b/dna": {"perplexity": 9.0}}
    validations = [{**ROWS[2], "step": step, "loss": value, "languages": languages} for step in (2, 4)]
    rows = [{**ROWS[0], "loss": value}, ROWS[1], *validations]
    yardsticks = {"a/dna": {"unigram": value}, "b/dna": {"unigram": 50.0}}
    draw_curves(tmp_path / "one.png", rows[:-1], yardsticks)
    assert (tmp_path / "one.png").read_bytes().startswith(PNG)
    kept = []
    monkeypatch.setattr(curves, "_save", lambda figure, _: kept.append(figure))
    draw_curves(tmp_path / "two.png", rows, yardsticks)
    drawn = [list(line.get_ydata()) for line in kept[0].axes[2].lines if len(line.get_ydata())]
    assert drawn == [[9.0, 9.0], [50.0, 50.0]]
    assert not kept[0].axes[0].lines


@pytest.mark.parametrize(("count", "marked"), [(29, 29), (30, 30), (31, 16), (600, 30)])
def test_lines_of_many_points_are_marked_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, marked: int
) -> None:
    """From the ninth line on markers tell the lines apart, which they do not where they cover them."""
    kept = []
    monkeypatch.setattr(curves, "_save", lambda figure, _: kept.append(figure))
    values = {f"{number}/dna": {"perplexity": 10.0 + number} for number in range(9)}
    draw_curves(
        tmp_path / "x.png", [{**ROWS[2], "step": 1 + step, "languages": values} for step in range(count)]
    )
    line = kept[0].axes[2].lines[-1]
    assert line.get_marker() == "x"
    assert len(line.get_xdata()[:: line.get_markevery()]) == marked


def _size(path: Path) -> tuple[int, int]:
    """Width and height."""
    header = path.read_bytes()[:24]
    assert header.startswith(PNG)
    return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")


def test_steps_are_whole_and_begin_at_0_in_a_run_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    monkeypatch.setattr(curves, "_save", lambda figure, _: kept.append(figure))
    draw_curves(tmp_path / "x.png", [ROWS[0], {**ROWS[2], "step": 1}], {"a/dna": {"unigram": 50.0}})
    draw_speed(tmp_path / "y.png", [{"step": 1, "tokens_per_second": 10.0}])
    for axes in (axes for figure in kept for axes in figure.axes):
        assert axes.get_xlim()[0] == axes.get_ylim()[0] == 0
        assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert kept[0].axes[2].get_ylim()[1] > 50


@pytest.mark.parametrize("count", [1, 8, 30, 100])
def test_names_of_many_languages_do_not_cover_or_shrink_the_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    kept = []
    monkeypatch.setattr(curves, "_save", lambda figure, _: kept.append(figure))
    names = [f"saccharomyces_cerevisiae_s288c_{number}/protein" for number in range(count)]
    values = {name: {"perplexity": 10.0 + place} for place, name in enumerate(names)}
    rows = [*ROWS[:2], *({**ROWS[2], "step": step, "languages": values} for step in (1, 2))]
    draw_curves(tmp_path / "x.png", rows, {name: {"unigram": 50.0, "5-gram": 40.0} for name in names})
    figure, axes = kept[0], kept[0].axes[2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()
    # A name for each language, and one for each reference; no reference where colours come twice.
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == [*sorted(names), *(["unigram", "5-gram"] if count <= 8 else [])]
    assert axes.get_window_extent().width > 0.8 * 5.5 * figure.dpi
    assert axes.get_window_extent().height > 0.7 * figure.bbox.height
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 >= 0
    assert legend.x1 <= figure.bbox.width
    looks = {(line.get_color(), line.get_marker()) for line in axes.lines if line.get_label() in names}
    assert len(looks) == min(count, 64)
