"""How many candidates of a block lie above a score: what ranks are made of.

Wide blocks are counted row by row, with both comparisons while a row is in the cache. Cosines of many vectors
are first made in single precision: a candidate further from the right one's score than single precision can
err is decided by it, the few others are computed again in double. The counts are those of double precision,
at about half the time.

Legend: Q queries, N candidates, D width, q and c the sizes of one block, P right candidates of its queries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.candidates import place_in_run

Singles = NDArray[np.float32]
Block = NDArray[np.float32] | NDArray[np.float64]

# From this many right candidates a query, sorting a block is cheaper than counting once for each.
_MANY_RIGHT = 16

# From this many candidates, a comparison of one row costs more than the loop over rows.
_WIDE = 512

# Share of a block that may be close before the whole block is made in double precision.
_FEW = 0.01


@dataclass(frozen=True)
class Scores:
    """Where scores come from.

    Args:
        block: float64[q, c] of these rows and columns; the caller may change it.
        pairs: float64[n] of row i with column i.
        shape: (Q, N).
        tolerance: how near two scores tie.
        rough: the block in single precision, or None where there is no such thing.
        margin: how far a score of ``rough`` can be from that of ``block`` at most.
    """

    block: Callable[[slice, slice], Floats]
    pairs: Callable[[Integers, Integers], Floats]
    shape: tuple[int, int]
    tolerance: float
    rough: Callable[[slice, slice], Singles] | None = None
    margin: float = 0.0


@dataclass(frozen=True)
class Right:
    """Right candidates of the queries of some rows, sorted by query, best first.

    Args:
        owner: int64[P], query of each, counted from the first of the rows.
        candidate: int64[P].
        value: float64[P], scores.
    """

    owner: Integers
    candidate: Integers
    value: Floats


def products(queries: Floats, database: Floats, offset: Floats | None, tolerance: float) -> Scores:
    """Scores ``queries @ database.T - offset`` of vectors of length at most 1, with their rough ones.

    Args:
        queries: float64[Q, D].
        database: float64[N, D].
        offset: float64[N], between -1 and 1; None for nothing.
        tolerance: how near two scores tie.
    """
    rough_q, rough_d = queries.astype(np.float32), database.astype(np.float32)
    rough_offset = None if offset is None else offset.astype(np.float32)
    made = _Buffer(np.float32)

    def block(rows: slice, columns: slice) -> Floats:
        found: Floats = queries[rows] @ database[columns].T
        return found if offset is None else found - offset[columns]

    def rough(rows: slice, columns: slice) -> Singles:
        found = made.of(rows.stop - rows.start, columns.stop - columns.start)
        np.matmul(rough_q[rows], rough_d[columns].T, out=found)
        if rough_offset is not None:
            found -= rough_offset[columns]
        return found

    def pairs(row: Integers, column: Integers) -> Floats:
        found: Floats = np.einsum("ij,ij->i", queries[row], database[column])
        return found if offset is None else found - offset[column]

    # A sum of D products of rounded factors errs by (D + 2) u (Higham 2002, eq. 3.5), the offset by u or two.
    margin = 1.01 * (queries.shape[1] + 8) * 2.0**-24
    return Scores(block, pairs, (len(queries), len(database)), tolerance, rough, margin)


class _Buffer:
    """Memory for one block, asked of the system once: fresh pages cost as much as counting."""

    def __init__(self, dtype: type[np.float32]) -> None:
        self._dtype = dtype
        self._memory: Singles = np.empty(0, dtype=dtype)

    def of(self, rows: int, columns: int) -> Singles:
        """float32[rows, columns], holding anything."""
        if self._memory.size < rows * columns:
            self._memory = np.empty(rows * columns, dtype=self._dtype)
        return self._memory[: rows * columns].reshape(rows, columns)


def wrong_above(
    scores: Scores, rows: slice, columns: slice, struck: tuple[Integers, Integers], right: Right
) -> Floats:
    """Candidates of the block above each right one, ties one half; float64[P].

    Args:
        scores: where scores come from.
        rows: queries of the block.
        columns: candidates of the block.
        struck: (row, column) within the block of candidates that are not counted.
        right: right candidates of these rows.
    """
    if scores.rough is not None and int(place_in_run(right.owner).max()) < _MANY_RIGHT:
        block_qc = scores.rough(rows, columns)
        # NaN compares false with everything, so these are never counted.
        block_qc[struck] = np.nan
        found = _count_roughly(block_qc, scores, rows, columns, right)
        if found is not None:
            return found
    exact_qc = scores.block(rows, columns)
    exact_qc[struck] = np.nan
    return _count(exact_qc, right, scores.tolerance)


def _count_roughly(
    block_qc: Singles, scores: Scores, rows: slice, columns: slice, right: Right
) -> Floats | None:
    """As :func:`wrong_above`, of a block in single precision; None if too many are close."""
    slack = scores.tolerance + scores.margin
    # Limits are moved outwards to numbers of single precision: comparing must not round them inwards.
    over = np.nextafter((right.value + slack).astype(np.float32), np.float32(np.inf))
    under = np.nextafter((right.value - slack).astype(np.float32), np.float32(-np.inf))
    above, level = _above_and_level(block_qc, right.owner, over, under)
    close = np.flatnonzero(level > above)
    if (level - above).sum() > max(_FEW * block_qc.size, len(right.owner)):
        return None
    counts = above.astype(np.float64)
    for number in close:
        row = right.owner[number]
        line = block_qc[row]
        which = np.flatnonzero((line >= under[number]) & ~(line > over[number]))
        exact = scores.pairs(np.full(len(which), rows.start + row), columns.start + which)
        counts[number] += _halves(exact, right.value[number], scores.tolerance)
    return counts


def _halves(scores: Floats, value: float, tolerance: float) -> float:
    """Scores above the value, plus half of those within the tolerance."""
    above = np.count_nonzero(scores > value + tolerance)
    return 0.5 * (above + np.count_nonzero(scores >= value - tolerance))


def _above_and_level(
    block_qc: Block, owner: Integers, over: Block, under: Block
) -> tuple[Integers, Integers]:
    """For each of P: entries of its row greater than ``over``, and at least ``under``; int64[P] both."""
    above, level = np.zeros(len(owner), dtype=np.int64), np.zeros(len(owner), dtype=np.int64)
    if block_qc.shape[1] >= _WIDE:
        said = np.empty(block_qc.shape[1], dtype=np.bool_)
        for number, row in enumerate(owner):
            line = block_qc[row]
            above[number] = np.count_nonzero(np.greater(line, over[number], out=said))
            level[number] = np.count_nonzero(np.greater_equal(line, under[number], out=said))
        return above, level
    place = place_in_run(owner)
    for number in range(int(place.max()) + 1):
        members = np.flatnonzero(place == number)
        part_qc = block_qc if len(members) == len(block_qc) else block_qc[owner[members]]
        above[members] = np.count_nonzero(part_qc > over[members, None], axis=1)
        level[members] = np.count_nonzero(part_qc >= under[members, None], axis=1)
    return above, level


def _count(block_qc: Floats, right: Right, tolerance: float) -> Floats:
    if int(place_in_run(right.owner).max()) >= _MANY_RIGHT:
        return _count_by_sorting(block_qc, right, tolerance)
    over, under = right.value + tolerance, right.value - tolerance
    above, level = _above_and_level(block_qc, right.owner, over, under)
    return 0.5 * (above + level).astype(np.float64)


def _count_by_sorting(block_qc: Floats, right: Right, tolerance: float) -> Floats:
    counts = np.zeros(len(right.owner))
    ordered = np.sort(block_qc, axis=1)  # NaN last
    real = np.count_nonzero(~np.isnan(block_qc), axis=1)
    for row in np.unique(right.owner):
        members = slice(*np.searchsorted(right.owner, [row, row + 1]))
        line = ordered[row, : real[row]]
        above = real[row] - np.searchsorted(line, right.value[members] + tolerance, "right")
        level = real[row] - np.searchsorted(line, right.value[members] - tolerance, "left")
        counts[members] = 0.5 * (above + level)
    return counts
