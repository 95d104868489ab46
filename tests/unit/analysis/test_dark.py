"""Figures on dark pages: contrast, what keeps its paper, and that nothing else changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import genomecli.analysis
from genomecli.analysis.figures.dark import CONTRAST, DARK_PAPER, NEUTRAL, contrast, on_dark, with_dark
from genomecli.analysis.figures.style import INK, OKABE_ITO, PROPERTY_GROUPS, new_figure, svg_bytes


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # the grey of WCAG's examples
    assert contrast("#0072b2", "#0072b2") == 1


def test_the_paper_is_that_of_the_page() -> None:
    css = (Path(genomecli.analysis.__path__[0]) / "templates" / "page.css").read_text()
    (dark,) = re.findall(r"prefers-color-scheme: dark.*?--paper: (#\w+)", css, re.S)
    assert dark == DARK_PAPER


def test_colours_of_data_stand_out() -> None:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    colours = [*OKABE_ITO, *(colour for _, _, colour in PROPERTY_GROUPS), "#8a8a8a", "#b8bec4", "#999999"]
    colours += [to_hex(colormaps["viridis"](place / 12)) for place in range(13)]
    for colour in map(str.lower, colours):
        assert contrast(on_dark(colour), DARK_PAPER) >= CONTRAST, colour
        if contrast(colour, DARK_PAPER) >= CONTRAST and colour not in NEUTRAL:
            assert on_dark(colour) == colour
    assert contrast(on_dark(INK), DARK_PAPER) > 12
    assert contrast(on_dark(OKABE_ITO[0].lower()), NEUTRAL["#d9d9d9"]) > 2  # on the grey zone of chance


def test_a_plain_figure_has_both_and_is_the_same_without_the_rules() -> None:
    figure, axes = new_figure(3, 2)
    axes[0, 0].plot([0, 1], [0, 1], color="#440154")
    svg = svg_bytes(figure)
    assert svg.count(b"prefers-color-scheme: dark") == 1
    assert b'[style*="stroke: #440154"]' in svg
    plain = re.sub(rb"<style>@media.*?</style>\n", b"", svg)
    assert with_dark(plain) == svg
    assert len(svg) - len(plain) < 1500


def test_words_on_cells_and_white_marks_keep_light_paper() -> None:
    figure, axes = new_figure(3, 2)
    axes[0, 0].imshow([[0, 1], [1, 0]])
    assert b"prefers-color-scheme" not in svg_bytes(figure)
    figure, axes = new_figure(3, 2)
    axes[0, 0].plot([0, 1], [0, 1], "o", mfc="white", mec="#444444")
    assert b"prefers-color-scheme" not in svg_bytes(figure)
