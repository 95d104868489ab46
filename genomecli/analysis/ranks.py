"""Ranks by counting, and what is made of them: MRR, precision at k, MAP.

A rank is 1 + the number of wrong candidates above the best right one; wrong candidates that tie with it
count one half each (mean rank), so a model whose vectors collapsed to one point scores below chance and
never 1.0. Right candidates are known by index and are never counted against themselves, whatever the last
bits of their score. Candidates are streamed in blocks: memory is O(queries), never queries x database.

Legend: Q queries, N database items, D width, q and c the sizes of one block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Booleans, Floats, Integers, as_vectors
from genomecli.analysis.candidates import Gold, place_in_run
from genomecli.analysis.counting import Right, Scores, products, wrong_above
from genomecli.analysis.similarity import unit_rows
from genomecli.errors import InputError

__all__ = ["BLOCK", "Gold", "RankResult", "nearest_mean", "rank_matrix", "rank_vectors"]

BLOCK = (256, 8192)
"""Queries and candidates a block; counting this size costs 1.2 times the products alone."""


@dataclass(frozen=True, eq=False)
class RankResult:
    """Ranks of one retrieval; NaN where a query has no right candidate, and such queries count nowhere.

    Args:
        ranks: float64[Q], rank of the best right candidate.
        average_precision: float64[Q].
    """

    ranks: Floats
    average_precision: Floats

    @property
    def valid(self) -> Booleans:
        """bool[Q]: the query has a right candidate."""
        return ~np.isnan(self.ranks)

    @property
    def n(self) -> int:
        """Queries that count."""
        return int(self.valid.sum())

    @property
    def reciprocal(self) -> Floats:
        """float64[Q]: 1 / rank, NaN where there is none."""
        return 1.0 / self.ranks

    @property
    def mrr(self) -> float:
        """Mean reciprocal rank; NaN without queries."""
        return _mean(self.reciprocal[self.valid])

    @property
    def map(self) -> float:
        """Mean average precision; equals :attr:`mrr` where every query has one right candidate."""
        return _mean(self.average_precision[self.valid])

    def precision(self, k: int) -> float:
        """Share of queries whose best right candidate is among the first k (mean rank at most k)."""
        return _mean((self.ranks[self.valid] <= k).astype(np.float64))


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")


def rank_matrix(
    similarity: ArrayLike, gold: Gold, *, tolerance: float | None = None, block: tuple[int, int] = BLOCK
) -> RankResult:
    """Ranks from a full similarity matrix [Q, N], higher is nearer.

    Args:
        similarity: [Q, N]; -inf is allowed, NaN is not.
        gold: what is right.
        tolerance: scores this close, as a share of the largest finite score, tie: rounding is no rank.
            1e-12 by default, 1e-6 for a matrix computed in single precision.
        block: queries and candidates at once.

    Raises:
        InputError: a similarity is NaN.
        ValueError: the gold is for another number of queries.
    """
    given = np.asarray(similarity)
    if tolerance is None:
        tolerance = 1e-6 if given.dtype == np.float32 else 1e-12
    table = given.astype(np.float64)
    if np.isnan(table).any():
        raise InputError("a similarity is not a number", fix="leave out items without a vector")
    scale = float(np.abs(table, where=np.isfinite(table), out=np.zeros(table.shape)).max(initial=0.0))
    scores = Scores(
        block=lambda rows, columns: table[rows, columns].copy(),
        pairs=lambda row, column: table[row, column],
        shape=(table.shape[0], table.shape[1]),
        tolerance=tolerance * scale,
    )
    return _rank(scores, gold, block)


def rank_vectors(
    queries: ArrayLike,
    database: ArrayLike,
    gold: Gold,
    *,
    similarity: str = "cosine",
    neighbours: int = 5,
    block: tuple[int, int] = BLOCK,
) -> RankResult:
    """Ranks of database vectors [N, D] for query vectors [Q, D], streamed in blocks.

    Args:
        queries: [Q, D].
        database: [N, D].
        gold: what is right.
        similarity: ``cosine``, ``dot`` or ``csls``.
        neighbours: K of CSLS.
        block: queries and candidates at once.

    Raises:
        InputError: a value is not finite.
        ValueError: no such similarity, or the gold is for another number of queries.
    """
    if similarity not in ("cosine", "dot", "csls"):
        raise ValueError(f"similarity {similarity!r} is not one of cosine, dot, csls")
    if similarity == "dot":
        q_QD, d_ND = as_vectors(queries, "queries"), as_vectors(database, "database")
        scale = _longest(q_QD) * _longest(d_ND)
        scores = Scores(
            block=lambda rows, columns: q_QD[rows] @ d_ND[columns].T,
            pairs=lambda row, column: np.einsum("ij,ij->i", q_QD[row], d_ND[column]),
            shape=(len(q_QD), len(d_ND)),
            tolerance=1e-12 * scale,
        )
    else:
        q_QD, d_ND = unit_rows(queries), unit_rows(database)
        # The query's own r shifts all its candidates alike, so only the candidates' r decides ranks;
        # halved, because ranks do not feel the factor 2 of 2 cos - r.
        local_N = nearest_mean(d_ND, q_QD, neighbours, block) / 2.0 if similarity == "csls" else None
        scores = products(q_QD, d_ND, local_N, tolerance=4e-12)
    return _rank(scores, gold, block)


def _longest(vectors: Floats) -> float:
    return float(np.linalg.norm(vectors, axis=1).max(initial=0.0))


def nearest_mean(items: Floats, others: Floats, neighbours: int, block: tuple[int, int] = BLOCK) -> Floats:
    """Mean product of each of N items with its K largest among M others, streamed; float64[N]."""
    count = min(neighbours, len(others))
    means = np.zeros(len(items))
    if count == 0:
        return means
    for rows in _slices(len(items), block[0]):
        best = np.full((rows.stop - rows.start, count), -np.inf)
        for columns in _slices(len(others), block[1]):
            seen = np.concatenate([best, items[rows] @ others[columns].T], axis=1)
            best = -np.partition(-seen, count - 1, axis=1)[:, :count]
        means[rows] = best.mean(axis=1)
    return means


def _slices(length: int, size: int) -> Iterator[slice]:
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def _rank(scores: Scores, gold: Gold, block: tuple[int, int]) -> RankResult:
    total = scores.shape[0]
    if gold.queries != total:
        raise ValueError(f"gold names {gold.queries} queries, there are {total}")
    ranks, precisions = np.full(total, np.nan), np.full(total, np.nan)
    for rows in _slices(total, block[0]):
        owner, candidate = gold.pairs(rows)
        value = scores.pairs(owner + rows.start, candidate)
        order = np.lexsort((-value, owner))
        right = Right(owner[order], candidate[order], value[order])
        wrong = _count_wrong(scores, gold, rows, block[1], right)
        ranks[rows], precisions[rows] = _summarise(right, wrong, rows.stop - rows.start, scores.tolerance)
    return RankResult(ranks, precisions)


def _count_wrong(scores: Scores, gold: Gold, rows: slice, size: int, right: Right) -> Floats:
    """Wrong candidates above each right one, ties one half; float64[right pairs]."""
    skip_owner, skip_candidate = gold.left_out(rows)
    owner, candidate = np.r_[right.owner, skip_owner], np.r_[right.candidate, skip_candidate]
    counts = np.zeros(len(right.owner))
    if right.owner.size == 0:
        return counts
    for columns in _slices(scores.shape[1], size):
        inside = (candidate >= columns.start) & (candidate < columns.stop)
        struck = (owner[inside], candidate[inside] - columns.start)
        counts += wrong_above(scores, rows, columns, struck, right)
    return counts


def _summarise(right_ones: Right, wrong: Floats, queries: int, tolerance: float) -> tuple[Floats, Floats]:
    """(ranks, average precision) of the rows from the counts of wrong candidates."""
    owner, value = right_ones.owner, right_ones.value
    ranks, precisions = np.full(queries, np.nan), np.full(queries, np.nan)
    if owner.size == 0:
        return ranks, precisions
    place = place_in_run(owner)
    first = place == 0
    ranks[owner[first]] = 1.0 + wrong[first]
    right = _mean_place(owner, value, place, tolerance)
    totals = np.bincount(owner, weights=right / (right + wrong), minlength=queries)
    members = np.bincount(owner, minlength=queries)
    precisions[members > 0] = totals[members > 0] / members[members > 0]
    return ranks, precisions


def _mean_place(owner: Integers, value: Floats, place: Integers, tolerance: float) -> Floats:
    """Rank of each right candidate among the right ones of its query, ties at mean rank."""
    with np.errstate(invalid="ignore"):  # -inf less -inf: no step
        step = (value[:-1] - value[1:]) > tolerance
    run = np.cumsum(np.r_[True, (owner[1:] != owner[:-1]) | step]) - 1
    means = 1.0 + np.bincount(run, weights=place) / np.bincount(run)
    spread: Floats = means[run]
    return spread
