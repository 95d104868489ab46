"""Tables of the page on species against species, run against run, and what the runs are."""

from __future__ import annotations

from genomecli.analysis.comparison import Comparison, RunCard
from genomecli.analysis.pages import PageTable, count_text
from genomecli.analysis.report_tables import DIRECTIONS, figure_cells, how
from genomecli.analysis.story import relation_words


def species_table(result: Comparison) -> PageTable:
    """Codons and amino acids of one species looked up among another's."""
    rows = [
        (
            row.species_a,
            row.species_b,
            row.run,
            DIRECTIONS.get(row.direction, row.direction),
            how(row),
            *figure_cells(row),
        )
        for row in result.rows
        if row.species_a != row.species_b and row.statistic in ("mrr", "cka_debiased")
    ]
    return PageTable(
        "Species against species. Directly where they share a model, and through a rotation fitted without "
        "the amino acid that is scored.",
        (
            "from",
            "to",
            "run",
            "looked up",
            "similarity",
            "value",
            "95 % interval",
            "chance",
            "null 95 %",
            "p",
        ),
        rows,
        text=frozenset({0, 1, 2, 3, 4}),
    )


def run_table(result: Comparison) -> PageTable:
    """Run against run, frame against frame, trained against untrained."""
    rows = [
        (
            *(row.species_a, row.run, row.note, DIRECTIONS.get(row.direction, row.direction)),
            "difference of MRR" if row.statistic == "mrr_difference" else how(row),
            *figure_cells(row)[:3],
        )
        for row in result.rows
        if row.note.startswith("against ") and row.statistic in ("mrr", "cka_debiased", "mrr_difference")
    ]
    return PageTable(
        "Run against run, frame against frame, trained against untrained: a difference whose interval does "
        "not hold 0 is a difference.",
        ("species", "run", "against", "looked up", "measure", "value", "95 % interval", "chance"),
        rows,
        text=frozenset({0, 1, 2, 3, 4}),
        wrap=frozenset({2}),
    )


def run_cards(result: Comparison) -> PageTable:
    """What the runs are."""
    return PageTable(
        "The runs.",
        (
            "run",
            "species",
            "network",
            "weights",
            "tokens seen",
            "steps",
            "seed",
            "frame",
            "the two languages",
        ),
        [_card_cells(card) for card in result.cards],
        text=frozenset({0, 1, 2, 8}),
        wrap=frozenset({8}),
    )


def _card_cells(card: RunCard) -> tuple[str, ...]:
    network = f"{card.layers} layers, width {card.width}, {card.scope.replace('_', ' ')} tokens"
    network += f"; amino acids of {card.proteins}" if card.proteins else ""
    relation = f"{card.relation or 'unknown'}: {relation_words(card.relation)}"
    steps = count_text(card.step if card.tokens >= 0 else None)
    seed = str(card.seed) if card.seed >= 0 else "–"
    return (
        *(card.name, ", ".join(card.species), network, count_text(card.parameters), count_text(card.tokens)),
        *(steps, seed, str(card.frame), relation),
    )
