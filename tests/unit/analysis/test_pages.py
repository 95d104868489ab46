"""Pages: what comes from data is escaped, nothing is fetched, numbers read well."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from genomecli.analysis.pages import (
    TEMPLATES,
    PageFigure,
    PageGrid,
    PageTable,
    count_text,
    figure_text,
    interval_text,
    p_text,
    render,
)


def _page(**more):
    table = PageTable("c", ("species", "run"), [["<script>alert(1)</script>", "a&b"]])
    values = {
        "title": 'T "quoted" <b>',
        "kind": "k",
        "subtitle": "s",
        "sections": [("results", "Results")],
        "answers": [{"title": "x", "sentences": ["Head: tail <i>."], "further": ["No colon"], "how": "h"}],
        "notes": ["<img src=x onerror=alert(1)>"],
        "figures": dict.fromkeys(("layers", "data", "codons", "codes", "species"), ()),
        "captioned": lambda figure: True,
        "limits": ["l"],
        "stripped": True,
        "axes": 12,
        "draws": 1,
        "locus": "4,500",
        "permutations": 1,
    }
    names = ("main", "similarity", "gene", "baseline", "property", "surprise", "codon_surprise")
    names += ("code", "species", "run")
    values |= {f"{name}_table": table for name in names} | {"run_cards": table}
    return render("comparison.html.j2", values | more)


def test_data_is_escaped_everywhere():
    html = _page()
    assert html.count("<script") == 1
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<strong>Head:</strong> tail &lt;i&gt;." in html


def test_nothing_is_fetched_and_no_script_but_ours_runs():
    figure = PageFigure("layers.a", "t", "c", "alt", b"<svg/>")
    figures = {**dict.fromkeys(("data", "codons", "codes", "species"), ()), "layers": [figure]}
    html = _page(figures=figures)
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", html)
    assert not re.search(r"url\(|@import|<link|http:|https:|fetch\(|XMLHttpRequest|eval\(|innerHTML", html)
    assert "default-src 'none'" in html
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert script == (TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in html
    assert "data:image/svg+xml;base64,PHN2Zy8+" in html
    assert 'alt="alt"' in html


def test_the_page_adapts_to_dark_paper_and_phone():
    html = _page()
    for wanted in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem", 'name="viewport"'):
        assert wanted in html


def test_tables_of_several_rows_can_be_ordered_unless_their_rows_are_different_measures():
    one = PageTable("c", ("a",), [["1"]])
    two = PageTable("c", ("a",), [["1"], ["2"]])
    mixed = PageTable("c", ("a",), [["1"], ["2"]], sortable=False)
    assert [_page(main_table=table).count('class="sortable"') for table in (one, two, mixed)] == [0, 1, 0]
    assert mixed.without("b").sortable is False
    assert PageTable("c", ("a", "b"), [["1", "2"]], sortable=False).without("b").sortable is False


def test_the_values_of_a_heat_map_stand_beside_it():
    values = (("0.91", "–"), ("-0.20", "0.75"))
    grid = PageGrid("t <i>", ("AAA K", "AAC N"), ("K", "N"), values, (0.1, 0.2, 0.5, 0.25))
    figure = PageFigure("heat_map.a", "t", "c", "alt", b"<svg/>", grids=(grid,))
    html = _page(figures={**dict.fromkeys(("layers", "data", "codes", "species"), ()), "codons": [figure]})
    assert 'data-box="10.000 20.000 50.000 25.000"' in html
    assert '<tr><th scope="row">AAC N</th><td>-0.20</td><td>0.75</td></tr>' in html
    assert "t &lt;i&gt;" in html


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_can_be_told_from_its_ground(scheme):
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    texts = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(texts) == 3
    text = texts[("light", "dark", "print").index(scheme)]
    found = dict(re.findall(r"--(\w+): (#[0-9a-f]+)", text))
    colours = {name: c if len(c) == 7 else "#" + "".join(2 * x for x in c[1:]) for name, c in found.items()}
    for ink in ("ink", "faint", "accent", "good", "bad"):
        for ground in ("paper", "soft"):
            dark, light = sorted(_luminance(colours[name]) for name in (ink, ground))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


def test_a_missing_value_is_an_error():
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        render("comparison.html.j2", {"title": "t"})


def test_a_table_without_a_column():
    table = PageTable("c", ("a", "run", "b"), [["1", "2", "3"]], frozenset({0, 1, 2}), frozenset({2}))
    cut = table.without("run")
    assert list(cut.columns) == ["a", "b"]
    assert cut.rows == [["1", "3"]]
    assert cut.text == {0, 1}
    assert cut.wrap == {1}
    assert table.without("nothing") is table


def test_numbers_as_text():
    assert figure_text(0.987) == "0.99"
    assert figure_text(None) == figure_text(float("nan")) == "–"
    assert interval_text(0.1, 0.25) == "0.10 to 0.25"
    assert interval_text(None, 0.2) == "–"
    assert p_text(0.004975) == "0.005"
    assert p_text(0.5) == "0.50"
    assert p_text(None) == "–"
    assert count_text(1234567).replace("\u202f", " ") == "1 234 567"
