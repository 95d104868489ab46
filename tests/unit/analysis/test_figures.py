"""Every figure draws, repeats byte for byte, and shows what it was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genomecli.analysis.figures.bars import CodeBar, codes_figure
from genomecli.analysis.figures.code_table import CodonCell, code_table_figure
from genomecli.analysis.figures.curves import DataCurve, DataPanel, data_figure
from genomecli.analysis.figures.heatmap import codon_heat_map
from genomecli.analysis.figures.layers import LayerCurve, LayerPanel, layers_figure
from genomecli.analysis.figures.matrix import matrix_figure
from genomecli.analysis.figures.space import PlaneMap, space_figure
from genomecli.analysis.figures.style import (
    PROPERTY_ORDER,
    png_bytes,
    property_colour,
    settle,
    short_number,
    shorten,
    svg_bytes,
)
from genomecli.analysis.gold import AMINO_LETTERS, CodonGold
from genomecli.sequences.codes import genetic_code

GOLD = CodonGold.of(genetic_code(1))


def _layers():
    own = LayerCurve("own", (0, 1, 2), (0.2, 0.6, 0.5), (0.1, 0.5, 0.4), (0.3, 0.7, 0.6))
    static = LayerCurve("static", (-1,), (0.3,), (0.2,), (0.4,))
    control = LayerCurve("control", (0, 1, 2), (0.2, 0.2, 0.1), control=True)
    return layers_figure([LayerPanel("one", (own, control, static), 0.18, 0.23, 1)], title="A $title_x$")


def _curves():
    encoder = DataCurve("encoder, layer 1", (1e4, 1e5), (0.2, 0.4), 1.0)
    static = DataCurve("word2vec", (1e4, 1e6), (0.2, 0.3), None, "static")
    panels = [DataPanel(str(number), (encoder, static), 0.18, 0.23) for number in range(3)]
    return data_figure(panels, title="t", xlabel="tokens")


def _matrix():
    table = np.array([[np.nan, 0.4], [0.9, np.nan]])
    return matrix_figure([("same codon", table)], ["a", "b"], title="t", rows="from", columns="to")


def _space():
    rng = np.random.default_rng(0)
    places = PlaneMap(rng.normal(size=(GOLD.n, 2)), rng.normal(size=(20, 2)), 0.4)
    return space_figure([("frame 0", places, GOLD)], title="t")


def _heat():
    table = np.random.default_rng(0).normal(size=(GOLD.n, 20))
    return codon_heat_map(table, GOLD, title="t", marked=frozenset({int(GOLD.codons[3])}))


def _bars():
    bars = [CodeBar(f"table {i}", 1.0 - i / 10, i == 15) for i in range(20)]
    return codes_figure(bars, title="t", verdict="v", shown=5)


def _code_table():
    cells = {
        "TTT": CodonCell("F", 0.925, "F"),
        "CTG": CodonCell("S", 1.0, "L"),
        "AGG": CodonCell("?", 0.475, "R", "K"),
        "AGA": CodonCell("?", 0.65, "R", "R"),
        "TAA": CodonCell("*", float("nan"), "*"),
        "TGA": CodonCell("-", float("nan"), "W"),
    }
    return code_table_figure(cells, title="t", stated="code 1", subtitle="s")


def test_a_code_table_says_what_is_sure_what_leans_and_what_differs():
    figure = _code_table()
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert {"F", "S", "K?", "R?", "stop", "never seen"} <= set(shown)
    # Two digits as in the tables, where .925 is .93.
    assert {"93 %", "100 %, stated L", "47 %, stated R", "65 %"} <= set(shown)
    assert figure.axes[0].get_title(loc="left") == "s"
    labels = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert labels[-3:] == ["pale, with ?: undecided", "not as in code 1", "best reading not as in code 1"]
    plain = code_table_figure({"TTT": CodonCell("F", 1.0, "F")}, title="t", stated="code 1")
    labels = [text.get_text() for legend in plain.legends for text in legend.get_texts()]
    assert not [label for label in labels if "code 1" in label or "?" in label]


def test_bars_of_codes_count_those_that_are_not_shown():
    assert _bars().axes[0].get_xlabel().endswith("6 of 20 classes")


MAKERS = [_layers, _curves, _matrix, _space, _heat, _bars, _code_table]


@pytest.mark.parametrize("make", MAKERS)
def test_equal_figures_are_equal_bytes_without_a_date(make):
    bytes_of = []
    for _ in range(2):
        figure = make()
        settle(figure)
        bytes_of.append((png_bytes(figure, 50), svg_bytes(figure)))
    assert bytes_of[0] == bytes_of[1]
    png, svg = bytes_of[0]
    assert png.startswith(b"\x89PNG")
    assert b"matplotlib" not in png.lower()
    assert b"<dc:date>" not in svg


def test_a_users_matplotlibrc_changes_nothing(tmp_path: Path):
    import matplotlib

    before = svg_bytes(_matrix())
    with matplotlib.rc_context({"font.size": 30, "svg.hashsalt": None, "axes.facecolor": "red"}):
        assert svg_bytes(_matrix()) == before


def test_names_with_dollar_signs_are_text_and_not_formulas():
    figure = _layers()
    assert figure._suptitle.get_text() == "A $title_x$"
    assert svg_bytes(figure)


def test_heat_map_orders_codons_by_property_and_marks_the_asked_one():
    axes = _heat().axes[0]
    letters = [tick.get_text() for tick in axes.get_xticklabels()]
    assert "".join(letters) == PROPERTY_ORDER.replace("*", "")
    marked = [tick.get_text() for tick in axes.get_yticklabels() if "◂" in tick.get_text()]
    assert [text[:3] for text in marked] == [GOLD.texts[3]]


def test_heat_map_frames_the_genetic_code():
    from matplotlib.patches import Rectangle

    axes = _heat().axes[0]
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(boxes) == 20
    assert sum(box.get_height() for box in boxes) == GOLD.n


def test_bars_keep_the_given_code_even_when_it_is_far_behind():
    labels = [tick.get_text() for tick in _bars().axes[0].get_yticklabels()]
    assert labels == [*(f"table {i}" for i in range(5)), "table 15"]


def test_matrix_shows_a_dash_where_nothing_was_measured():
    texts = [text.get_text() for text in _matrix().axes[0].texts]
    assert texts == ["–", "0.40", "0.90", "–"]


def test_every_amino_acid_has_a_property():
    assert sorted(PROPERTY_ORDER.replace("*", "")) == sorted(AMINO_LETTERS)
    assert property_colour("?") != property_colour("A")


@pytest.mark.parametrize(
    ("value", "text"), [(200, "200"), (10_000, "10 k"), (2_500_000, "2.5 M"), (3e9, "3 G"), (0.5, "0.5")]
)
def test_short_numbers(value: float, text: str):
    assert short_number(value) == text


def test_shorten_keeps_both_ends():
    assert shorten("abc", 5) == "abc"
    short = shorten("a" * 30 + "z" * 30, 11)
    assert len(short) == 11
    assert short[0] == "a"
    assert short[-1] == "z"
