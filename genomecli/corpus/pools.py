"""Pools: the texts of some optimiser steps, sorted by length together and cut into micro-batches.

Every pool has the same number of micro-batches, so step s lies in pool s // steps, and any step is found
without those before it. Sorting keeps the share of padding small; within a pool the micro-batches are
shuffled, so that length does not order the training.

N texts of a pool, M micro-batches, G sources.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.interface import Ints


def greedy_bounds(sorted_lengths: Ints, area: int) -> list[int]:
    """Cut texts into micro-batches of at most ``area`` padded tokens each, longest texts first.

    Args:
        sorted_lengths: int64[N], falling.
        area: padded tokens; a text longer than this stands alone.

    Returns:
        Where each micro-batch begins, and N.
    """
    bounds, place, total = [0], 0, len(sorted_lengths)
    while place < total:
        place = min(total, place + max(1, area // int(sorted_lengths[place])))
        bounds.append(place)
    return bounds


def balanced_bounds(sorted_lengths: Ints, count: int) -> list[int]:
    """Cut texts into exactly ``count`` micro-batches whose largest padded size is the smallest possible.

    Args:
        sorted_lengths: int64[N], falling; N at least ``count``.
        count: M.

    Returns:
        M + 1 bounds.
    """
    assert len(sorted_lengths) >= count, "fewer texts than micro-batches"
    low, high = int(sorted_lengths[0]), int(sorted_lengths[0]) * len(sorted_lengths)
    while low < high:
        middle = (low + high) // 2
        if len(greedy_bounds(sorted_lengths, middle)) - 1 <= count:
            high = middle
        else:
            low = middle + 1
    return _split_largest(sorted_lengths, greedy_bounds(sorted_lengths, low), count)


def _split_largest(sorted_lengths: Ints, bounds: list[int], count: int) -> list[int]:
    """Halve the largest micro-batches until there are ``count``."""
    heap = [_piece(sorted_lengths, a, b) for a, b in pairwise(bounds)]
    heapq.heapify(heap)
    while len(heap) < count:
        _, begin, end = heapq.heappop(heap)
        middle = (begin + end) // 2
        for first, last in ((begin, middle), (middle, end)):
            heapq.heappush(heap, _piece(sorted_lengths, first, last))
    return [*sorted(begin for _, begin, _ in heap), len(sorted_lengths)]


def _piece(sorted_lengths: Ints, begin: int, end: int) -> tuple[int, int, int]:
    # A single text can not be halved, so it is never the largest.
    area = (end - begin) * int(sorted_lengths[begin])
    return (-area if end - begin > 1 else 1, begin, end)


def micro_batches(lengths: Ints, count: int, generator: np.random.Generator) -> list[Ints]:
    """Which texts each micro-batch holds, in random order; texts of equal length are mixed.

    Args:
        lengths: int64[N].
        count: M.
        generator: of the order.
    """
    mixed = generator.permutation(len(lengths))
    order = mixed[np.argsort(-lengths[mixed], kind="stable")]
    bounds = balanced_bounds(lengths[order], count)
    return [order[bounds[i] : bounds[i + 1]] for i in generator.permutation(count).tolist()]


def pool_texts(lengths: Sequence[Ints], shares: NDArray[np.float64], count: int, budget: int) -> int:
    """How many texts fill a pool, so that its micro-batches keep within the budget.

    Found by cutting a sample with the sources' own lengths. Where lengths differ, three standard deviations
    of a pool's mean length are kept free.

    Args:
        lengths: of every text of each source, int64[units].
        shares: float64[G], share of texts, summing to 1.
        count: M.
        budget: padded tokens of one micro-batch.
    """
    mean = sum(float(s * values.mean()) for s, values in zip(shares, lengths, strict=True))
    wanted = max(count, round(count * budget / mean))
    sample = np.sort(
        np.concatenate([_quantiles(v, s * wanted) for v, s in zip(lengths, shares, strict=True)])
    )
    pieces = len(greedy_bounds(sample[::-1], budget)) - 1
    spread = float(sample.std() / sample.mean()) / len(sample) ** 0.5
    fitting = len(sample) * count / pieces if spread else count * (budget // int(sample[0]))
    return max(count, int(fitting * (1 - 3 * spread)))


def _quantiles(values: Ints, count: float) -> Ints:
    """About ``count`` values, at least one, with the distribution of ``values``."""
    total = max(1, round(count))
    places = ((np.arange(total) + 0.5) / total * len(values)).astype(np.int64)
    return np.sort(values)[places]


_PERIOD, _STRIDE = 4096, 2531
"""Pools after which the extra texts repeat, and the odd step, near the golden section, that spreads them."""


class Quota:
    """Whole numbers of texts for each source and pool, from shares that are none.

    A source of c texts a pool gets floor(c) of each pool, and one more of as many pools as its remainder asks
    for (to one in 4096); which ones is settled by systematic sampling, so that each pool's total is exact.

    Args:
        shares: float64[G], share of texts, summing to 1.
        total: texts of a pool.
    """

    def __init__(self, shares: NDArray[np.float64], total: int) -> None:
        self.total = total
        self.texts = shares * total
        self._whole = np.floor(self.texts).astype(np.int64)
        ends = np.concatenate([[0.0], np.cumsum(self.texts - self._whole)])
        ends[-1] = total - self._whole.sum()
        offsets = (np.arange(_PERIOD) * _STRIDE % _PERIOD + 0.5) / _PERIOD
        extra = np.diff(np.floor(ends[:, None] + offsets), axis=0).astype(np.int64)
        self._extra = np.pad(np.cumsum(extra, axis=1), ((0, 0), (1, 0)))

    def range(self, source: int, pool: int) -> tuple[int, int]:
        """Which of a source's texts, counted from the start of training, a pool holds: from and up to."""
        return self._before(source, pool), self._before(source, pool + 1)

    def _before(self, source: int, pool: int) -> int:
        periods, rest = divmod(pool, _PERIOD)
        extra = self._extra[source]
        return int(pool * self._whole[source] + periods * extra[-1] + extra[rest])
