"""Writes a comparison: tables, summary, figures, page. Equal results give equal bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genomecli.analysis.codon_surprise import COLUMNS as CODON_SURPRISE_COLUMNS
from genomecli.analysis.comparison import Comparison
from genomecli.analysis.deviance import CODES_COLUMNS, SURPRISES_COLUMNS, Deviance, write_lines
from genomecli.analysis.drawing import drawings
from genomecli.analysis.drawn import drawn, page_figure
from genomecli.analysis.headline import as_summary
from genomecli.analysis.kept import Kept
from genomecli.analysis.pages import PageFigure
from genomecli.analysis.report import answers, comparison_page
from genomecli.analysis.report_tables import main_table
from genomecli.analysis.tidy import ordered, write_parquet, write_tsv
from genomecli.files import write_json

HEADLINE_TABLE = "headline.tsv"
"""The main rows, as ``--table`` shows them."""


def write_comparison(result: Comparison, folder: Path, kept: Kept | None = None) -> dict[str, Any]:
    """Write everything but ``run.json`` and the manifest below ``folder``; the summary.

    Args:
        result: what was found.
        folder: an empty folder.
        kept: takes each figure, and gives it back where it was drawn before.
    """
    result.rows = ordered(result.rows)
    write_tsv(folder / "measures.tsv", result.rows)
    write_parquet(folder / "measures.parquet", result.rows)
    write_lines(folder / "codes.tsv", CODES_COLUMNS, result.code_lines)
    write_lines(folder / "surprises.tsv", SURPRISES_COLUMNS, result.surprise_lines)
    if result.codon_lines:
        write_lines(folder / "codon_surprise.tsv", CODON_SURPRISE_COLUMNS, result.codon_lines)
    shown = main_table(result)
    write_lines(folder / HEADLINE_TABLE, shown.columns, shown.rows)
    summary = make_summary(result)
    write_json(folder / "summary.json", summary)
    kept = kept or Kept()
    figures = write_figures(result, folder / "figures", kept) if result.settings.figures else []
    (folder / "index.html").write_text(comparison_page(result, figures), encoding="utf-8")
    return summary


def write_figures(result: Comparison, folder: Path, kept: Kept) -> list[PageFigure]:
    """Draw every figure once: as PNG below ``folder``, and as SVG for the page."""
    folder.mkdir()
    made = []
    for drawing in drawings(result):
        png, svg, grids = kept.part(("drawn", drawing.name), drawn, drawing, result.settings.dpi)
        (folder / f"{drawing.name}.png").write_bytes(png)
        made.append(page_figure(drawing, svg, grids))
    return made


def make_summary(result: Comparison) -> dict[str, Any]:
    """Headline figures, sentences and genetic codes as plain values."""
    return {
        "primary_endpoint": "codon to amino acid, Procrustes, one amino acid left out, MRR",
        "headlines": [as_summary(head) for head in result.headlines],
        "answers": [
            {"title": item["title"], "sentences": item["sentences"], "further": item["further"]}
            for item in answers(result)
        ],
        "genetic_codes": [code_summary(deviance) for deviance in result.deviances],
        "runs": [
            {
                "name": card.name,
                "species": list(card.species),
                "frame": card.frame,
                "relation": card.relation,
                "step": card.step,
                "tokens_seen": known(card.tokens),
                "seed": known(card.seed),
                **({"amino_acids_of": card.proteins} if card.proteins else {}),
                "layers": card.layers,
                "width": card.width,
                "parameters": card.parameters,
            }
            for card in result.cards
        ],
        "records": result.records,
        "notes": result.notes,
    }


def known(count: int) -> int | None:
    """A count; None where it is below 0, which means that it is not known."""
    return None if count < 0 else count


def code_summary(deviance: Deviance) -> dict[str, Any]:
    """The ranking of genetic codes as plain values for ``summary.json``."""
    ranking = deviance.ranking
    return {
        "run": deviance.place.run,
        "species": deviance.place.species,
        "evidence": ranking.basis,
        "given": deviance.given.table,
        "best": list(ranking.classes[0].codes.tables),
        "decided": ranking.decided,
        "verdict": deviance.verdict(),
        "possible": [list(found.codes.tables) for found in ranking.kept],
        "agrees": deviance.agrees if ranking.decided else None,
        "place_of_given": ranking.position(deviance.given.table),
        "p": round(ranking.p, 6),
        "readings": [
            {
                "codon": reading.codon,
                "standard": reading.usual,
                "reads": reading.reads,
                "log_odds": round(reading.margin, 6),
                "tables": list(reading.tables),
                "sure": reading.sure,
            }
            for reading in deviance.readings()
        ],
    }
