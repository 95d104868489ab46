"""Pages: what comes from data is escaped, nothing is fetched, numbers read well."""

from __future__ import annotations

import re

import pytest

from genomecli.analysis.pages import (
    PageFigure,
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
    names = ("main", "similarity", "gene", "baseline", "surprise", "code", "species", "run")
    values |= {f"{name}_table": table for name in names} | {"run_cards": table}
    return render("comparison.html.j2", values | more)


def test_data_is_escaped_everywhere():
    html = _page()
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<strong>Head:</strong> tail &lt;i&gt;." in html


def test_nothing_is_fetched_and_no_script_runs():
    figure = PageFigure("layers.a", "t", "c", "alt", b"<svg/>")
    figures = {**dict.fromkeys(("data", "codons", "codes", "species"), ()), "layers": [figure]}
    html = _page(figures=figures)
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", html)
    assert not re.search(r"url\(|@import|<link|<script|http:|https:", html)
    assert "default-src 'none'" in html
    assert "data:image/svg+xml;base64,PHN2Zy8+" in html
    assert 'alt="alt"' in html


def test_the_page_adapts_to_dark_paper_and_phone():
    html = _page()
    for wanted in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem", 'name="viewport"'):
        assert wanted in html


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
