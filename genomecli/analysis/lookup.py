"""Finding rows of the long table by what they are about."""

from __future__ import annotations

from collections.abc import Iterable

from genomecli.analysis.places import STATIC_LAYER, Place
from genomecli.analysis.tidy import Measure


def select(rows: Iterable[Measure], **about: object) -> list[Measure]:
    """Rows whose columns have the given values; a tuple means one of several."""

    def fits(row: Measure) -> bool:
        for name, wanted in about.items():
            found = getattr(row, name)
            if found not in wanted if isinstance(wanted, tuple) else found != wanted:
                return False
        return True

    return [row for row in rows if fits(row)]


def pick(rows: Iterable[Measure], **about: object) -> Measure | None:
    """The first of the rows that :func:`select` finds; None if there is none."""
    found = select(rows, **about)
    return found[0] if found else None


def at_place(place: Place) -> dict[str, object]:
    """The columns that name a place, within one species."""
    return {
        "run": place.run,
        "species_a": place.species,
        "species_b": place.species,
        "vectors": place.vectors,
        "frame": place.frame,
        "layer": None if place.layer == STATIC_LAYER else place.layer,
        "tokens_seen": None if place.tokens < 0 else place.tokens,
    }


LEFT_OUT_ENDPOINT: dict[str, object] = {
    "direction": "codon_to_amino",
    "similarity": "procrustes",
    "scope": "leave_one_amino_acid_out",
    "statistic": "mrr",
}
"""The primary endpoint: each amino acid scored by a rotation that never saw it or its codons."""

UNTOLD_ENDPOINT: dict[str, object] = {**LEFT_OUT_ENDPOINT, "scope": "untold_left_out"}
"""The same, counting only codons that the network was not told."""

SYNONYM_ENDPOINT: dict[str, object] = {
    "direction": "codon_to_synonym",
    "similarity": "centred",
    "scope": "all",
    "statistic": "mrr",
}
"""Codons among themselves: does the nearest one mean the same?"""

BETWEEN_ENDPOINT: dict[str, object] = {**SYNONYM_ENDPOINT, "scope": "between_blocks"}
"""The same, counting only synonyms that do not share their first two bases."""

COSINE_ENDPOINT: dict[str, object] = {
    "direction": "codon_to_amino",
    "similarity": "cosine",
    "scope": "all",
    "statistic": "mrr",
}
"""Plain nearness without a rotation."""
