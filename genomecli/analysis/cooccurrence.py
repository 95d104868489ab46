"""How often two tokens stand within a window of each other, counted by streaming over records.

Legend: T tokens, R records, V vocabulary.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Floats, Integers

# Above this many cells a chunk's pairs are sorted and added, not counted into a table of their own.
_TABLE_CELLS = 1 << 22


def cooccurrence(
    tokens: NDArray[np.integer],
    offsets: NDArray[np.int64],
    size: int,
    *,
    window: int = 4,
    weighting: Literal["dynamic", "flat"] = "dynamic",
    chunk: int = 1 << 20,
) -> Floats:
    """Symmetric co-occurrence counts; float64[V, V].

    Args:
        tokens: int[T], records one after another; may be memory-mapped.
        offsets: int64[R + 1], where records start; no pair crosses them.
        size: V; other ids hold their place and are not counted.
        window: farthest neighbour on each side.
        weighting: ``dynamic`` gives a pair at distance d the weight (window - d + 1) / window, the
            expectation of word2vec's random window (Levy, Goldberg and Dagan 2015); ``flat`` gives 1.
        chunk: tokens at a time.
    """
    counts = np.zeros((size, size))
    for start in range(0, len(tokens), chunk):
        stop = min(start + chunk, len(tokens))
        for distance in range(1, window + 1):
            pairs = _pairs(tokens, offsets, size, start, stop, distance)
            weight = (window - distance + 1) / window if weighting == "dynamic" else 1.0
            _add(counts, pairs, weight)
    return counts + counts.T


def _pairs(
    tokens: NDArray[np.integer],
    offsets: NDArray[np.int64],
    size: int,
    start: int,
    stop: int,
    distance: int,
) -> Integers:
    """Keys V * left + right of the pairs at ``distance`` whose left token is in start..stop."""
    piece = np.asarray(tokens[start : stop + distance], dtype=np.int64)
    left, right = piece[: max(0, len(piece) - distance)], piece[distance:]
    cut = np.zeros(len(left) + 1, dtype=np.int64)
    first, last = np.searchsorted(offsets, [start + 1, start + len(left) + distance])
    borders = np.asarray(offsets[first:last], dtype=np.int64) - start
    # Between a left token and its partner lies a border if one falls in (left, left + distance].
    np.add.at(cut, np.maximum(borders - distance, 0), 1)
    np.add.at(cut, np.minimum(borders, len(left)), -1)
    good = np.cumsum(cut[:-1]) == 0
    good &= (left >= 0) & (left < size) & (right >= 0) & (right < size)
    keys: Integers = left[good] * size + right[good]
    return keys


def _add(counts: Floats, keys: Integers, weight: float) -> None:
    flat = counts.reshape(-1)
    if flat.size <= _TABLE_CELLS:
        flat += weight * np.bincount(keys, minlength=flat.size)
        return
    found, times = np.unique(keys, return_counts=True)
    flat[found] += weight * times
