"""Genes, or what was found to be one, as codons of any of their six readings.

Legend: n bases, R records.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Integers
from genomecli.analysis.decipherment.pairs import Text

CODON = 3

READINGS = tuple((frame, strand) for strand in "+-" for frame in (0, 1, 2))
"""The six readings of a gene: offset, strand."""


def reading_name(frame: int, strand: str) -> str:
    """``frame 0``, ``frame +1``, ``reverse strand, frame +2``."""
    name = "frame 0" if frame == 0 else f"frame +{frame}"
    return name if strand == "+" else f"reverse strand, {name}"


@dataclass(frozen=True, eq=False)
class Genes:
    """The inside of coding sequences.

    Args:
        bases: uint8[n], records one after another, each of whole codons.
        lengths: int64[R], bases of each.
        ends: int64[R], the codon that ends each gene; -1 where that is not known.
        knows_last: what ends a gene was looked for.
        exact: the genes lie where an annotation has them; windows that were found may reach beyond an end.
    """

    bases: NDArray[np.uint8]
    lengths: Integers
    ends: Integers
    knows_last: bool
    exact: bool = True

    @property
    def last(self) -> Integers:
        """int64[64]: how often each codon ends a gene; all 0 where ``knows_last`` is false."""
        found: Integers = np.bincount(self.ends[self.ends >= 0], minlength=64).astype(np.int64)
        return found

    def codons(self, frame: int = 0, strand: str = "+") -> Text:
        """The codons of one of the six readings.

        Args:
            frame: bases left out at the start of each gene, read from the 5' end of the strand.
            strand: ``-`` reads the reverse complement.
        """
        bases, lengths = self.bases, self.lengths
        starts = np.cumsum(lengths) - lengths
        if strand == "-":
            owner = np.repeat(np.arange(len(lengths)), lengths)
            mirrored = 2 * starts[owner] + lengths[owner] - 1 - np.arange(len(bases))
            turned = bases[mirrored]
            bases = np.where(turned < 4, 3 - turned, turned).astype(np.uint8)
        counts = np.maximum(lengths - frame, 0) // CODON
        first = np.repeat(starts + frame, counts)
        place = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return Text(codon_indices(bases, first + CODON * place), counts)


def codon_indices(bases: NDArray[np.uint8], starts: Integers) -> Integers:
    """int64[m]: index of the codon at each start, in the order of CODONS; -1 where a base is not known.

    Args:
        bases: uint8[n], 0 to 3 for A, C, G, T; above for what is not known.
        starts: int64[m], place of each first base, at most n - 3.
    """
    triplets = bases[starts[:, None] + np.arange(CODON)].astype(np.int64).reshape(-1, CODON)
    found: Integers = np.where((triplets < 4).all(axis=1), triplets @ np.array([16, 4, 1]), -1)
    return found
