"""Where the exons of a spliced sequence lie in its gene, by exact match.

G, the gene, and C, the spliced sequence, are codes. An exon is a run of C on a diagonal of the two: the place
in G less the place in C, which grows by an intron's length from exon to exon. The runs of :data:`SEED` equal
letters and more are the nodes of a graph, with the runs at both ends of C however short; a path over them is
a set of exons. The best path has the fewest introns; where the end of an exon could as well be the start of
the next, the border is where the intron begins with GT and ends with AG, then GC and AG, then AT and AC.
Beside an exon shorter than a seed, which may match by chance, other borders do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genomecli.sequences.alphabets import DNA, Codes
from genomecli.tasks.examples import Ints

SEED = 12
"""Shortest exon that is found, but for the first and the last, which may be of any length."""

SHORTEST_INTRON = 20
INTRON, FLANK = 10.0, 30.0
"""Costs: of each intron; of bases of the gene before the first or after the last exon."""

MOST_RUNS = 4000
_BORDERS = {("GT", "AG"): 0.0, ("GC", "AG"): 1.0, ("AT", "AC"): 2.0}
_OTHER_BORDER = 4.0
Exons = list[tuple[int, int]]


@dataclass
class _Run:
    """Equal letters: ``C[start:end]`` is ``G[start + diagonal:end + diagonal]``.

    ``cost`` is that of the best path to this run, which enters it at ``enter`` from ``before``.
    """

    diagonal: int
    start: int
    end: int
    cost: float = np.inf
    enter: int = 0
    before: int = -1


def find_exons(gene: Codes, spliced: Codes) -> Exons | None:
    """The exons in order, 0-based half-open places in ``gene``; None if they cannot be found.

    Args:
        gene: uint8[g], introns included.
        spliced: uint8[c], the same strand without them.
    """
    if not 0 < len(spliced) <= len(gene):
        return None
    runs = _runs(gene, spliced)
    if not runs or len(runs) > MOST_RUNS:
        return None
    last = _best_path(runs, gene, len(spliced), len(gene) - len(spliced))
    if last is None:
        return None
    exons = _traced(runs, last, len(spliced))
    joined = np.concatenate([gene[start:end] for start, end in exons])
    return exons if np.array_equal(joined, spliced) else None


def _runs(gene: Codes, spliced: Codes) -> list[_Run]:
    """The runs that exons may be, ordered by diagonal."""
    ends = (0, len(gene) - len(spliced))
    diagonals = np.union1d(_seeded(gene, spliced), ends)
    found = []
    for diagonal in diagonals.tolist():
        low, high = max(0, -diagonal), min(len(spliced), len(gene) - diagonal)
        equal = gene[low + diagonal : high + diagonal] == spliced[low:high]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], equal, [False]]).astype(np.int8)))
        for start, end in zip((edges[::2] + low).tolist(), (edges[1::2] + low).tolist(), strict=True):
            outer = (start == 0 and diagonal == ends[0]) or (end == len(spliced) and diagonal == ends[1])
            if end - start >= SEED or outer:
                found.append(_Run(diagonal, start, end))
    return found


def _seeded(gene: Codes, spliced: Codes) -> Ints:
    """Diagonals on which :data:`SEED` letters in a row are equal, from 0 on."""
    k = min(SEED, len(spliced))
    theirs, ours = _words(gene, k), _words(spliced, k)
    order = np.argsort(theirs, kind="stable")
    low = np.searchsorted(theirs[order], ours, side="left")
    high = np.searchsorted(theirs[order], ours, side="right")
    counts = high - low
    index = np.repeat(np.arange(len(ours)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    diagonal = order[np.repeat(low, counts) + within] - index
    return np.unique(diagonal[diagonal >= 0]).astype(np.int64)


def _words(codes: Codes, k: int) -> Ints:
    """int64[n - k + 1]: k-mers in base 16, which holds the ambiguity letters too."""
    total = len(codes) - k + 1
    word = np.zeros(total, dtype=np.int64)
    for shift in range(k):
        word = (word << 4) | codes[shift : shift + total]
    return word


def _best_path(runs: list[_Run], gene: Codes, length: int, furthest: int) -> int | None:
    """The last run of the cheapest path over all of the spliced sequence, None if there is no path."""
    letters = DNA.decode(gene)
    for index, run in enumerate(runs):
        if run.start == 0:
            run.cost = 0.0 if run.diagonal == 0 else FLANK
        for other in range(index):
            _try(runs, other, run, letters)
    ends = [i for i, run in enumerate(runs) if run.end == length and run.cost < np.inf]
    if not ends:
        return None
    return min(ends, key=lambda i: runs[i].cost + (0.0 if runs[i].diagonal == furthest else FLANK))


def _try(runs: list[_Run], before: int, run: _Run, letters: str) -> None:
    """Enter ``run`` from an earlier one, if that is cheaper than what is known."""
    other = runs[before]
    if other.cost + INTRON >= run.cost or run.diagonal - other.diagonal < SHORTEST_INTRON:
        return
    first, last = max(run.start, other.enter + 1), min(other.end, run.end - 1)
    for border in range(first, last + 1):
        donor, acceptor = border + other.diagonal, border + run.diagonal
        sites = (letters[donor : donor + 2], letters[acceptor - 2 : acceptor])
        short = border - other.enter < SEED or run.end - border < SEED
        cost = other.cost + INTRON + _BORDERS.get(sites, np.inf if short else _OTHER_BORDER)
        if cost < run.cost:
            run.cost, run.enter, run.before = cost, border, before


def _traced(runs: list[_Run], last: int, length: int) -> Exons:
    exons: Exons = []
    index, end = last, length
    while index >= 0:
        run = runs[index]
        exons.append((run.enter + run.diagonal, end + run.diagonal))
        index, end = run.before, run.enter
    return exons[::-1]
