"""NCBI's genetic codes as readings: codons on which they agree (anchors), or differ (contested)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Booleans, Integers
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.sequences.codes import CODONS, GeneticCode

STOP = "*"


@dataclass(frozen=True)
class TableClass:
    """Genetic codes that read every codon at hand alike.

    Args:
        tables: NCBI's numbers.
        names: NCBI's names, as many.
        letters: what they say of each contested codon, ``*`` for a stop.
    """

    tables: tuple[int, ...]
    names: tuple[str, ...]
    letters: str

    def numbers(self, given: int | None = None, shown: int = 4) -> str:
        """In words: ``12``, ``1 or 11``, ``1, 4, 6, 11 or 10 others``; ``given`` is among those named."""
        if len(self.tables) <= shown + 1:
            named, rest = self.tables, 0
        else:
            first = self.tables[: shown - 1] if given in self.tables[shown:] else self.tables[:shown]
            named = tuple(sorted({*first, *((given,) if given in self.tables else ())}))  # type: ignore[arg-type]
            rest = len(self.tables) - len(named)
        parts = [*map(str, named), *([f"{rest} others"] if rest else [])]
        return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


@dataclass(frozen=True, eq=False)
class Readings:
    """What a set of genetic codes says of the codons that have vectors.

    Args:
        codons: int64[m], codon indices.
        codes: the genetic codes.
    """

    codons: Integers
    codes: tuple[GeneticCode, ...]

    @classmethod
    def of(cls, codons: ArrayLike, codes: Sequence[GeneticCode]) -> Readings:
        """The readings of ``codes`` for the codons with these indices, int[m]."""
        return cls(np.asarray(codons, dtype=np.int64), tuple(codes))

    @cached_property
    def letters(self) -> tuple[frozenset[str], ...]:
        """All readings of each codon row, stops included."""
        return tuple(frozenset(code.amino[codon] for code in self.codes) for codon in self.codons)

    @cached_property
    def contested(self) -> Integers:
        """int64: rows that the codes read in different ways."""
        return np.array([row for row, found in enumerate(self.letters) if len(found) > 1], dtype=np.int64)

    @cached_property
    def anchor_class(self) -> Integers:
        """int64[m]: amino-acid row of codons that have one sense reading in all codes, -1 for the others."""
        sense = [found - {STOP} for found in self.letters]
        rows = [AMINO_LETTERS.index(min(found)) if len(found) == 1 else -1 for found in sense]
        return np.array(rows, dtype=np.int64)

    @cached_property
    def members(self) -> Booleans:
        """bool[m, 20]: anchors by amino acid."""
        found: Booleans = self.anchor_class[:, None] == np.arange(len(AMINO_LETTERS))[None, :]
        return found

    def choices(self, row: int) -> tuple[int, ...]:
        """Amino-acid rows that some code gives the codon of this row."""
        return tuple(sorted(AMINO_LETTERS.index(letter) for letter in self.letters[row] - {STOP}))

    def tables_reading(self, row: int, letter: str) -> tuple[int, ...]:
        """Numbers of the codes that read the codon of this row so."""
        codon = self.codons[row]
        return tuple(code.table for code in self.codes if code.amino[codon] == letter)

    def text(self, row: int) -> str:
        """The codon of this row."""
        return CODONS[int(self.codons[row])]

    def classes(self) -> tuple[TableClass, ...]:
        """Codes grouped by what they say of the contested codons, by lowest number."""
        groups: dict[str, list[GeneticCode]] = {}
        for code in sorted(self.codes, key=lambda code: code.table):
            key = "".join(code.amino[self.codons[row]] for row in self.contested)
            groups.setdefault(key, []).append(code)
        return tuple(
            TableClass(tuple(code.table for code in codes), tuple(code.name for code in codes), key)
            for key, codes in groups.items()
        )
