"""How a measure becomes a row of the long table: directions, scopes, and the languages behind them."""

from __future__ import annotations

from typing import Any

from genomecli.analysis.places import STATIC_LAYER, Place
from genomecli.analysis.ranks import RankResult
from genomecli.analysis.statistics import Interval
from genomecli.analysis.tidy import Measure

CODON_TO_AMINO = "codon_to_amino"
"""Codons among amino acids; right is the one that the species' code says."""
AMINO_TO_CODON = "amino_to_codon"
"""Amino acids among codons; right are all its codons, and the best of them counts."""
CODON_TO_SYNONYM = "codon_to_synonym"
"""Codons among codons of one species; right are those of the same meaning."""
CODON_TO_CODON = "codon_to_same_codon"
"""Codons of one species or run among those of another; right is the same codon."""
CODON_TO_SAME_AMINO = "codon_to_codon_of_same_amino"
"""Codons of one species among those of another; right are those of the same meaning, each by its own code."""
AMINO_TO_AMINO = "amino_to_amino"
"""Protein to protein: amino acids of one species or run among those of another; right is the same one."""
GENE_TO_PROTEIN = "gene_to_protein"
"""Genes among proteins, by mean vectors; right is its own."""
PROTEIN_TO_GENE = "protein_to_gene"
"""Proteins among genes, by mean vectors; right is its own."""

LEAVE_AMINO = "leave_one_amino_acid_out"
"""Scope: scored by a rotation fitted without the amino acid and its codons."""
LEAVE_CODON = "leave_one_codon_out"
"""Scope: scored by a rotation fitted without the codon alone; no evidence of alignment."""
BETWEEN_BLOCKS = "between_blocks"
"""Scope: only synonyms that do not share their first two bases."""

UNTOLD = "untold"
"""Scope: only codons whose meaning the network was not told in training."""
UNTOLD_LEFT_OUT = "untold_left_out"
"""Scope: such codons, each scored by a rotation fitted without its amino acid."""

_LANGUAGES = {
    CODON_TO_AMINO: ("dna", "protein"),
    AMINO_TO_CODON: ("protein", "dna"),
    CODON_TO_SYNONYM: ("dna", "dna"),
    CODON_TO_CODON: ("dna", "dna"),
    CODON_TO_SAME_AMINO: ("dna", "dna"),
    AMINO_TO_AMINO: ("protein", "protein"),
    GENE_TO_PROTEIN: ("dna", "protein"),
    PROTEIN_TO_GENE: ("protein", "dna"),
}


def row(
    place: Place,
    direction: str,
    similarity: str,
    value: float,
    *,
    other: str | None = None,
    scope: str = "all",
    statistic: str = "mrr",
    interval: Interval | None = None,
    **more: Any,
) -> Measure:
    """One row about ``place``.

    Args:
        place: where the vectors come from.
        direction: what was looked up among what.
        similarity: how nearness was measured.
        value: the figure.
        other: species of the candidates, if it is another one.
        scope: which queries count, or how they were held out.
        statistic: what the figure is.
        interval: its interval.
        more: ``chance``, ``null95``, ``p``, ``n`` or ``note``.
    """
    languages = _LANGUAGES.get(direction, ("dna", "protein"))
    return Measure(
        run=place.run,
        species_a=place.species,
        language_a=languages[0],
        species_b=other or place.species,
        language_b=languages[1],
        vectors=place.vectors,
        layer=None if place.layer == STATIC_LAYER else place.layer,
        frame=place.frame,
        similarity=similarity,
        direction=direction,
        scope=scope,
        statistic=statistic,
        value=value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        seed=None if place.seed < 0 else place.seed,
        tokens_seen=None if place.tokens < 0 else place.tokens,
        **more,
    )


def rank_rows(
    place: Place,
    direction: str,
    similarity: str,
    ranks: RankResult,
    *,
    other: str | None = None,
    scope: str = "all",
    interval: Interval | None = None,
    **more: Any,
) -> list[Measure]:
    """MRR with its interval and controls, then precision at 1 and 5 and MAP of the same ranks."""

    def plain(statistic: str, value: float) -> Measure:
        return row(
            place,
            direction,
            similarity,
            value,
            other=other,
            scope=scope,
            statistic=statistic,
            n=ranks.n,
            note=more.get("note", ""),
        )

    return [
        row(
            place,
            direction,
            similarity,
            ranks.mrr,
            other=other,
            scope=scope,
            interval=interval,
            n=ranks.n,
            **more,
        ),
        plain("p@1", ranks.precision(1)),
        plain("p@5", ranks.precision(5)),
        plain("map", ranks.map),
    ]
