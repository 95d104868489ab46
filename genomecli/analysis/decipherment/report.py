"""Writes a decipherment: tables, summary, figures, page. Equal results give equal bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genomecli.analysis.decipherment.calling_story import WINDOW_COLUMNS, calling_table, window_lines
from genomecli.analysis.decipherment.decipher import LEAST_MARGIN, Deciphered
from genomecli.analysis.decipherment.drawing import drawings, title_of
from genomecli.analysis.decipherment.grammar import write_grammar
from genomecli.analysis.decipherment.story import summary
from genomecli.analysis.decipherment.tables import (
    CODE_COLUMNS,
    CODON_COLUMNS,
    code_lines,
    code_table,
    codon_lines,
    codon_table,
    control_table,
)
from genomecli.analysis.deviance import write_lines
from genomecli.analysis.drawn import drawn, page_figure
from genomecli.analysis.pages import PageFigure, count_text, render
from genomecli.analysis.settings import CompareSettings
from genomecli.files import write_json

SECTIONS = (
    ("code", "The code"),
    ("codes", "Known codes"),
    ("controls", "Controls"),
    ("method", "Method"),
    ("limits", "Limits"),
)


def write_decipherment(found: Deciphered, settings: CompareSettings, folder: Path) -> dict[str, Any]:
    """Write tables, summary, figures and page below ``folder``; the summary."""
    write_lines(folder / "codons.tsv", CODON_COLUMNS, codon_lines(found))
    write_lines(folder / "codes.tsv", CODE_COLUMNS, code_lines(found))
    values = [("the text", found.value), *((control.name, control.value) for control in found.controls)]
    write_lines(folder / "controls.tsv", ("reading", "nats_per_1000_pairs"), values)
    calling = found.sources.calling
    if calling is not None:
        write_lines(folder / "windows.tsv", WINDOW_COLUMNS, window_lines(calling.windows))
    if found.holds_a_code:
        write_grammar(found.grammar, folder / "grammar.safetensors")
    short = summary(found)
    write_json(folder / "summary.json", short)
    figures = []
    if settings.figures:
        (folder / "figures").mkdir()
        for drawing in drawings(found, settings):
            png, svg, grids = drawn(drawing, settings.dpi)
            (folder / "figures" / f"{drawing.name}.png").write_bytes(png)
            figures.append(page_figure(drawing, svg, grids))
    (folder / "index.html").write_text(_page(found, short, figures, settings), encoding="utf-8")
    return short


def _page(
    found: Deciphered, short: dict[str, Any], figures: list[PageFigure], settings: CompareSettings
) -> str:
    by_name = {figure.name: [figure] for figure in figures}
    return render(
        "decipherment.html.j2",
        {
            "title": title_of(found),
            "kind": "decipherment",
            "subtitle": f"{count_text(short['codons_read'])} codons of "
            f"{count_text(short['genes'])} {'genes' if found.sources.calling is None else 'coding windows'}, "
            f"{count_text(short['residues_read'])} residues, no parallel data",
            "sections": SECTIONS,
            "sentences": short["sentences"],
            "notes": short["notes"],
            "codon_table": codon_table(found),
            "code_table": code_table(found),
            "control_table": control_table(found),
            "calling_table": None if found.sources.calling is None else calling_table(found.sources.calling),
            "figures": {
                name: by_name.get(name, []) for name in ("code-table", "support", "codes", "controls")
            },
            "settings": settings.decipher,
            "background": found.background,
            "least_margin": LEAST_MARGIN,
            "shifted": found.resampling == "composition",
            "own": found.sources.same_genome,
            "translated_with": found.sources.translated_with,
            "code_free": found.sources.code_free
            and (found.sources.genes.knows_last or found.sources.calling is not None),
            "knows_last": found.sources.genes.knows_last,
        },
    )
