"""What a genetic code says is right: which codon row belongs to which amino-acid row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from genomecli.analysis.arrays import Booleans, Integers
from genomecli.sequences.codes import CODONS, GeneticCode

AMINO_LETTERS = "ACDEFGHIKLMNPQRSTVWY"
"""The twenty amino acids in the order of the protein alphabet."""


@dataclass(frozen=True, eq=False)
class CodonGold:
    """The dictionary from codons to amino acids, as row numbers.

    Args:
        codons: int64[n], codon index (0..63) of each codon row.
        classes: int64[n], row of its amino acid.
        letters: letter of each amino-acid row.
    """

    codons: Integers
    classes: Integers
    letters: str = AMINO_LETTERS

    @classmethod
    def of(
        cls,
        code: GeneticCode,
        codons: Iterable[int] | None = None,
        *,
        stops: bool = False,
        letters: str | None = None,
    ) -> CodonGold:
        """The gold of ``code`` for the given codons.

        Args:
            code: the genetic code that counts as right.
            codons: those that have vectors, in row order; all 64 by default. Codons whose letter is not
                among ``letters`` are left out (``.codons`` names those kept): stop codons, as a rule.
            stops: keep stop codons, as a class of their own with the letter ``*``.
            letters: amino-acid rows, the twenty (and ``*`` with ``stops``) by default.
        """
        rows = AMINO_LETTERS + ("*" if stops else "") if letters is None else letters
        wanted = range(64) if codons is None else codons
        kept = [codon for codon in wanted if code.amino[codon] in rows]
        classes = [rows.index(code.amino[codon]) for codon in kept]
        return cls(np.array(kept, dtype=np.int64), np.array(classes, dtype=np.int64), rows)

    @property
    def n(self) -> int:
        """Number of codon rows."""
        return len(self.codons)

    @cached_property
    def mask(self) -> Booleans:
        """bool[n, A]: True where the codon stands for the amino acid."""
        truth: Booleans = self.classes[:, None] == np.arange(len(self.letters))[None, :]
        return truth

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The codons as text, in row order."""
        return tuple(CODONS[codon] for codon in self.codons)

    @cached_property
    def amino(self) -> str:
        """The letter of each codon row."""
        return "".join(self.letters[row] for row in self.classes)

    @cached_property
    def block_sizes(self) -> Integers:
        """int64[A]: number of codon rows of each amino acid."""
        return np.bincount(self.classes, minlength=len(self.letters)).astype(np.int64)

    def select(self, keep: Booleans) -> CodonGold:
        """The gold of the codon rows where ``keep`` (bool[n]) is True."""
        return CodonGold(self.codons[keep], self.classes[keep], self.letters)

    def synonyms(self, *, between_blocks: bool = False) -> Booleans:
        """bool[n, n]: True for two different codons of one amino acid.

        ``between_blocks`` keeps only pairs that do not share their first two bases (under the standard
        code Leu CTN-TTR, Arg CGN-AGR, Ser TCN-AGY), where shared bases explain nothing.
        """
        pairs: Booleans = self.classes[:, None] == self.classes[None, :]
        np.fill_diagonal(pairs, False)
        if between_blocks:
            pairs &= (self.codons[:, None] // 4) != (self.codons[None, :] // 4)
        return pairs
