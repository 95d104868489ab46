"""A genome as text that may code anywhere: its contigs one after another, and the triplets at every base.

Contigs lie in one array, each filled up to whole triplets and followed by one triplet of nothing, so that
steps of three bases never lose their phase within a contig, and nothing is read across two of them.

Legend: n bases, R contigs, S rows that are read side by side, T steps of three bases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Integers
from genomecli.analysis.decipherment.genes import CODON, codon_indices

if TYPE_CHECKING:
    from genomecli.corpus.store import CorpusReader

STEPS = 3000
"""Steps of a row: 9 kb, some genes long; one that crosses a border is read as two."""

UNKNOWN, GAP = 64, 65
"""Tokens beside the 64 codons: a triplet with an ambiguity letter, and the nothing behind a contig."""

_FILL = 4
"""A base that is none, as ambiguity letters are."""


@dataclass(frozen=True, eq=False)
class Genome:
    """Contigs, or parts of them.

    Args:
        names: of the contigs.
        offsets: int64[R], place of the first base on the contig of that name.
        starts: int64[R], place of the first base in ``bases``, a multiple of 3.
        lengths: int64[R], bases.
        bases: uint8[n], the contigs with their filling.
    """

    names: tuple[str, ...]
    offsets: Integers
    starts: Integers
    lengths: Integers
    bases: NDArray[np.uint8]

    @property
    def rows(self) -> int:
        """S, rows of STEPS triplets that hold the whole."""
        return -(-len(self.bases) // (CODON * STEPS))

    def tokens(self, rows: Integers) -> NDArray[np.uint8]:
        """uint8[3, T, S]: the triplets that begin 0, 1 and 2 bases behind each step of the rows int64[S]."""
        place = CODON * (rows * STEPS + np.arange(STEPS)[:, None])
        bases = np.append(self.bases, np.full(CODON * (STEPS + 2), _FILL, dtype=np.uint8))
        found = np.empty((CODON, *place.shape), dtype=np.uint8)
        for frame in range(CODON):
            codons = codon_indices(bases, (place + frame).ravel())
            found[frame] = np.where(codons < 0, UNKNOWN, codons).reshape(place.shape)
        behind = np.append(self.starts[1:], len(self.bases)) - CODON
        gaps = np.isin(place, behind) | (place >= len(self.bases))
        found[:, gaps] = GAP
        return found

    def contig_of(self, places: Integers) -> Integers:
        """int64[m]: the contig that each place of ``bases`` lies in."""
        found: Integers = np.searchsorted(self.starts, places, side="right") - 1
        return found

    def redrawn(self, rng: np.random.Generator) -> Genome:
        """A genome that holds no genes: each base drawn given the two before it, as often as in this one.

        Trinucleotides keep their share (Markov chain of order 2); ambiguity letters stay where they are.
        """
        rows, width = self.rows, CODON * STEPS
        codons = codon_indices(self.bases, np.arange(max(len(self.bases) - 2, 0)))
        counts = np.bincount(codons[codons >= 0], minlength=64).reshape(16, 4) + 0.01
        table = np.cumsum(counts / counts.sum(axis=1, keepdims=True), axis=1)[:, :3]
        drawn = np.empty((width, rows), dtype=np.uint8)
        context = rng.choice(16, size=rows, p=counts.sum(axis=1) / counts.sum())
        for place in range(width):
            base = (rng.random((rows, 1)) > table[context]).sum(axis=1)
            drawn[place] = base
            context = context % 4 * 4 + base
        known = self.bases < _FILL
        return replace(
            self, bases=np.where(known, drawn.T.ravel()[: len(known)], self.bases).astype(np.uint8)
        )


def genome_of(contigs: list[tuple[str, int, NDArray[np.uint8]]]) -> Genome:
    """A genome of contigs, each with its name, the place of its first base, and its bases uint8[m]."""
    pieces: list[NDArray[np.uint8]] = []
    starts, at = [], 0
    for _, _, bases in contigs:
        filled = np.full(-(-len(bases) // CODON) * CODON + CODON, _FILL, dtype=np.uint8)
        filled[: len(bases)] = np.minimum(bases, _FILL)
        pieces.append(filled)
        starts.append(at)
        at += len(filled)
    return Genome(
        tuple(name for name, _, _ in contigs),
        np.array([offset for _, offset, _ in contigs], dtype=np.int64),
        np.array(starts, dtype=np.int64),
        np.array([len(bases) for _, _, bases in contigs], dtype=np.int64),
        np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.uint8),
    )


def genome_in(corpus: CorpusReader, species: str) -> Genome:
    """The genome of a species. What was cut for the splits and lies side by side is one contig again.

    Raises:
        InputError: if the corpus holds none.
    """
    corpus.group(species, "genome")
    table = corpus.records(species, "genome")
    names, first, last = table.contig.astype(str), table.cds_start, table.cds_end
    order = np.lexsort((table.row, first, names)).tolist()
    joined: list[tuple[str, int, list[NDArray[np.uint8]], int]] = []
    for i in order:
        bases = corpus.symbols(int(table.row[i]))
        name, start = str(names[i]), int(first[i])
        if joined and name and start >= 0 and (joined[-1][0], joined[-1][3]) == (name, start):
            joined[-1][2].append(bases)
            joined[-1] = (*joined[-1][:3], int(last[i]))
        else:
            joined.append((name or str(table.id[i]), max(start, 0), [bases], int(last[i])))
    return genome_of([(name, start, np.concatenate(parts)) for name, start, parts, _ in joined])
