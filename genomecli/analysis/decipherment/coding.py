"""Finds the coding windows of a genome, all six readings, without an annotation and without a code.

The model of :mod:`genomecli.analysis.decipherment.gene_model` is learned from random starts. It does not know
which of the six readings of a gene is the one that is translated: each of them, read throughout, is a place
where learning may end. So every reading of what was found is a start as well, and the likelihood chooses;
but the reading of the other strand in phase is as likely, until the ends of genes are learned too. Which it
is, the evidence of the code says (:mod:`genomecli.analysis.decipherment.calling`).

Legend: W windows, S rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.decipherment.gene_model import (
    TURNED,
    GeneModel,
    beginning,
    fitted,
    from_codons,
    walk,
    with_ends,
)
from genomecli.analysis.decipherment.genes import CODON, READINGS, Genes
from genomecli.analysis.decipherment.genome import STEPS, Genome

LEAST = 30
"""Codons of a window; shorter ones are oftener chance, and hold few pairs."""

LEAST_ENDED = 0.2
"""Share of the windows whose end must have been found, or stops are not asked about."""

_STARTS, _QUICK, _LONG, _ENDS = 4, 6, 8, 16
_FEW, _ENOUGH, _AT_ONCE = 48, 150, 128


@dataclass(frozen=True, eq=False)
class Windows:
    """Where a genome codes.

    Args:
        genome: it.
        rows: int64[S], the rows that were read.
        starts: int64[W], first base in ``genome.bases``, counted on the forward strand.
        lengths: int64[W], bases.
        forward: bool[W], the strand.
        ends: int64[W], the codon that ends the gene; -1 where none was found.
    """

    genome: Genome
    rows: Integers
    starts: Integers
    lengths: Integers
    forward: NDArray[np.bool_]
    ends: Integers

    @property
    def read(self) -> int:
        """Bases that were read."""
        within = np.zeros(self.genome.rows, dtype=np.bool_)
        within[self.rows] = True
        known = np.zeros(len(self.genome.bases), dtype=np.bool_)
        for start, length in zip(self.genome.starts.tolist(), self.genome.lengths.tolist(), strict=True):
            known[start : start + length] = True
        return int((known & np.repeat(within, CODON * STEPS)[: len(known)]).sum())

    @property
    def ends_known(self) -> bool:
        """Enough windows have an end for their codons to be counted."""
        return bool((self.ends >= 0).sum() >= LEAST_ENDED * max(len(self.ends), 1))

    def places(self) -> Integers:
        """int64[n]: the bases of all windows, each from its own 5' end, as places of ``genome.bases``."""
        first = np.where(self.forward, self.starts, self.starts + self.lengths - 1)
        step = np.repeat(np.where(self.forward, 1, -1), self.lengths)
        before = np.repeat(np.cumsum(self.lengths) - self.lengths, self.lengths)
        found: Integers = np.repeat(first, self.lengths) + step * (np.arange(len(step)) - before)
        return found

    def genes(self) -> Genes:
        """The windows as genes."""
        bases = self.genome.bases[self.places()]
        turned = np.repeat(~self.forward, self.lengths) & (bases < 4)
        bases = np.where(turned, 3 - bases, bases).astype(np.uint8)
        return Genes(bases, self.lengths, self.ends, self.ends_known, exact=False)


def chosen_rows(genome: Genome, most: int, generator: np.random.Generator) -> Integers:
    """int64[S]: rows of the genome in a random order, of at most so many bases, one at least."""
    order = generator.permutation(genome.rows).astype(np.int64)
    return order[: max(1, most // (CODON * STEPS))]


def learn(
    genome: Genome, rows: Integers, generator: np.random.Generator, tick: Callable[[], None] = lambda: None
) -> GeneModel:
    """A model without ends, from random starts.

    Args:
        genome: it.
        rows: int64[S], in a random order; the first of them are learned from.
        generator: source of randomness.
        tick: called before each piece of work.
    """
    few = genome.tokens(rows[:_FEW])
    model = _best(few, [beginning(few, generator) for _ in range(_STARTS)], tick)
    # Each reading of what was found is another place where learning may have ended.
    genes = find_windows(genome, rows[:_FEW], model).genes()
    shares = [codon_shares(genes, reading) for reading in READINGS[1:]]
    model = _best(few, [model, *(from_codons(inside, model.between) for inside in shares)], tick)
    tick()
    return fitted(genome.tokens(rows[:_ENOUGH]), model, _LONG)[0]


def learn_ends(genome: Genome, rows: Integers, model: GeneModel, inside: Floats) -> GeneModel:
    """The model with the ends of genes, of genes whose codons are those of ``inside``, float64[64]."""
    tokens = genome.tokens(rows[:_ENOUGH])
    turned, _ = fitted(tokens, from_codons(inside, model.between), _LONG)
    # Ends begin as any triplet between genes and gain little at first.
    return fitted(tokens, with_ends(turned), _ENDS, least=0.0)[0]


def _best(tokens: NDArray[np.uint8], begun: list[GeneModel], tick: Callable[[], None]) -> GeneModel:
    """The model that is likeliest after a few rounds."""
    found: list[tuple[GeneModel, float]] = []
    for model in begun:
        tick()
        found.append(fitted(tokens, model, _QUICK))
    return max(found, key=lambda pair: pair[1])[0]


def codon_shares(genes: Genes, reading: tuple[int, str]) -> Floats:
    """float64[64]: how often each codon stands in one reading of the genes; none is 0."""
    tokens = genes.codons(*reading).tokens
    counts = np.bincount(tokens[tokens >= 0], minlength=64) + 0.5
    found: Floats = counts / counts.sum()
    return found


def find_windows(genome: Genome, rows: Integers, model: GeneModel) -> Windows:
    """Runs of the likeliest state inside genes, in the rows int64[S]."""
    pieces, rows = [], np.sort(rows)
    for first in range(0, len(rows), _AT_ONCE):
        chosen = rows[first : first + _AT_ONCE]
        tokens = genome.tokens(chosen)
        states = walk(tokens, model).states.argmax(axis=2).astype(np.int64)
        pieces.append(_runs(states, tokens, chosen))
    starts, lengths, forward, ends = (np.concatenate(part) for part in zip(*pieces, strict=True))
    contig = genome.contig_of(starts)
    room = (genome.starts + genome.lengths)[contig] - starts
    lengths = np.minimum(lengths, room // CODON * CODON)
    good = lengths >= CODON * LEAST
    return Windows(genome, rows, starts[good], lengths[good], forward[good], ends[good])


def _runs(
    states: Integers, tokens: NDArray[np.uint8], rows: Integers
) -> tuple[Integers, Integers, NDArray[np.bool_], Integers]:
    """Start, bases, strand and ending codon of each run of one inside state, int64[T, S] row by row."""
    flat = np.pad(states, ((1, 1), (0, 0))).T
    change = flat[:, 1:] != flat[:, :-1]
    row, begin = np.nonzero(change)
    state = flat[row, begin + 1]
    # A run ends where the next one of its row begins; the last change of a row leads back to state 0.
    end = np.append(begin[1:], 0)[: len(begin)]
    inside = (state >= 1) & (state < 7)
    row, begin, end, state = row[inside], begin[inside], end[inside], state[inside]
    frame, forward = (state - 1) % 3, state < 4
    starts = CODON * (rows[row] * STEPS + begin) + frame
    beside = np.where(forward, end, begin - 1)
    ended = flat[row, beside + 1] == state + 6
    codon = tokens[frame, np.clip(beside, 0, len(states) - 1), row].astype(np.int64)
    known = ended & (codon < 64)
    codon = np.where(forward, codon, TURNED[np.minimum(codon, 63)])
    return starts, CODON * (end - begin), forward, np.where(known, codon, -1)
