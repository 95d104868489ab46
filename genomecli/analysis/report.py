"""The page of a comparison: its sentences, tables and figures put into the template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genomecli.analysis.comparison import Comparison
from genomecli.analysis.pages import PageFigure, PageTable, render
from genomecli.analysis.report_between import run_cards, run_table, species_table
from genomecli.analysis.report_codes import code_table, codon_surprise_table, surprise_table
from genomecli.analysis.report_tables import (
    baseline_table,
    gene_table,
    main_table,
    property_table,
    similarity_table,
)
from genomecli.analysis.story import answer, baseline_sentence, code_sentence
from genomecli.analysis.texts import LOCUS
from genomecli.corpus.reading_settings import TOLD

SECTIONS = (
    ("results", "Results"),
    ("baselines", "Simpler explanations"),
    ("codons", "Codon by codon"),
    ("codes", "Genetic codes"),
    ("method", "Method"),
    ("controls", "Controls"),
    ("limits", "Limits"),
    ("runs", "Runs and files"),
)

_FIGURE_GROUPS = {
    "layers": ("layers.",),
    "data": ("founding", "training"),
    "codons": ("heat_map.", "map."),
    "codes": ("codes.",),
    "species": ("species.",),
}


def comparison_page(result: Comparison, figures: Sequence[PageFigure]) -> str:
    """The whole page as HTML.

    Args:
        result: what was found.
        figures: as drawn; those of names that the page does not know are left out.
    """
    grouped = {
        group: [figure for figure in figures if figure.name.startswith(starts)]
        for group, starts in _FIGURE_GROUPS.items()
    }
    first = _first_of_caption(figures)
    settings = result.settings
    between = (("between", "Between species and runs"),)
    species, runs = (_lean(made(result), result) for made in (species_table, run_table))
    sections = (*SECTIONS[:4], *(between if species.rows or runs.rows else ()), *SECTIONS[4:])
    return render(
        "comparison.html.j2",
        {
            "title": "Do codons end up near the amino acids they encode?",
            "kind": "comparison of models",
            "subtitle": _subtitle(result),
            "sections": sections,
            "answers": answers(result),
            "notes": _notes(result),
            "main_table": _lean(main_table(result), result),
            "similarity_table": _lean(similarity_table(result), result),
            "gene_table": _lean(gene_table(result), result),
            "baseline_table": _lean(baseline_table(result), result),
            "property_table": _lean(property_table(result), result),
            "codon_surprise_table": _lean(codon_surprise_table(result), result),
            "surprise_table": _lean(surprise_table(result), result),
            "code_table": _lean(code_table(result), result),
            "species_table": species,
            "run_table": runs,
            "run_cards": run_cards(result),
            "figures": grouped,
            "captioned": lambda figure: figure in first,
            "limits": limits(result),
            "stripped": settings.strip_terminal,
            "axes": settings.axes,
            "draws": settings.draws,
            "permutations": settings.permutations,
            "locus": f"{LOCUS:,}",
        },
    )


def _first_of_caption(figures: Sequence[PageFigure]) -> list[PageFigure]:
    """Figures whose caption was not seen before: what is said once need not be said again."""
    seen: dict[str, PageFigure] = {}
    for figure in figures:
        seen.setdefault(figure.caption, figure)
    return list(seen.values())


def _lean(table: PageTable, result: Comparison) -> PageTable:
    """The table without its column of runs where there is one run only."""
    return table.without("run") if len(result.cards) == 1 else table


def answers(result: Comparison) -> list[dict[str, Any]]:
    """One a headline: title, three sentences, further ones (baselines, codes), how the layer was chosen."""
    several = len({head.place.run for head in result.reported}) > 1
    found = []
    for head in result.reported:
        title = head.place.species + (f", run {head.place.run}" if several else "")
        codes = [code_sentence(d) for d in result.deviances if d.place == head.place]
        simple = baseline_sentence(head, result.static_rows(head.place))
        further = [simple, *codes] if simple else codes
        found.append({"title": title, "sentences": answer(head), "further": further, "how": head.how})
    return found


def _subtitle(result: Comparison) -> str:
    species = sorted({name for card in result.cards for name in card.species})
    runs = ", ".join(card.name for card in result.cards)
    return (
        f"{', '.join(species)} · run {runs}"
        if len(result.cards) == 1
        else f"{', '.join(species)} · runs {runs}"
    )


def _notes(result: Comparison) -> list[str]:
    noted = [f"{name}: {text}" for name, text in sorted(result.species_notes.items())]
    pooled = [
        f"Run {card.name}: its species share their tokens, so a codon that one of them reads otherwise "
        "carries "
        "both meanings. Genetic codes are told apart by tokens of their own (scope per_species)."
        for card in result.cards
        if card.scope == "shared" and len(card.species) > 1 and not card.control
    ]
    return [*noted, *pooled, *result.notes]


def limits(result: Comparison) -> list[str]:
    """What these figures do not show."""
    found = []
    seeds = {card.group: [c.seed for c in result.cards if c.group == card.group] for card in result.cards}
    if any(len(set(found_seeds)) < 5 for found_seeds in seeds.values()):
        found.append(
            "One seed is an observation, not a claim: fewer than five seeds of each run were compared, so "
            "the "
            "spread between trainings is not in the intervals."
        )
    if any(card.relation == "paired" for card in result.cards):
        found.append(
            "A run was trained on genes beside their proteins: it was shown the dictionary in use, so "
            "alignment is "
            "learning by example and no decipherment."
        )
    if any(card.relation in TOLD for card in result.cards):
        found.append(
            "A run was told what some codons mean. Over all codons its figures say how well it keeps that, "
            "right or wrong. What it found by itself, only rows over codons that were not told can say."
        )
    if any(card.relation in ("comparable", "none") for card in result.cards):
        found.append(
            "Both languages came from the same genes, so their statistics are nearly those of a parallel "
            "text even "
            "though no gene stood beside its protein."
        )
    found += [
        "Proteins that were translated from the same genome carry the annotator's genetic code. What is "
        "found "
        "then shows that the method works; it does not establish a cell's code.",
        "Only the primary endpoint's p-value is one test. The other p-values in the tables are many, and "
        "are not "
        "corrected for their number, save those between genetic codes.",
        "Similarity between vectors is similarity of use. Codons that are used alike for another reason than "
        "their meaning, such as codon bias in highly expressed genes, look alike too.",
    ]
    return found
