"""Equal rows as equal numbers, so that what loops over texts becomes arithmetic on arrays. n rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
ROOM = 4
"""Numbers a row that may be left out before they are closed up."""


def numbered(columns: Sequence[NDArray[Any]]) -> Ints:
    """int64[n], at least 0: rows have one number if they are equal in every column.

    Numbers have no order and may have gaps, but the largest is at most a few times n.

    Args:
        columns: [n] each: texts (object), or integers.
    """
    rows = len(columns[0])
    numbers, top = np.zeros(rows, dtype=np.int64), 1
    for column in columns:
        more = _of_texts(column) if column.dtype == object else _of_integers(column)
        size = int(more.max(initial=0)) + 1
        numbers = numbers * size + more
        top *= size
        if top > ROOM * rows:
            numbers, top = _closed(numbers), rows
    return numbers


def _of_texts(column: NDArray[Any]) -> Ints:
    texts = column.tolist()
    if texts and texts[0] == texts[-1] and texts.count(texts[0]) == len(texts):  # as species mostly are
        return np.zeros(len(texts), dtype=np.int64)
    place: defaultdict[str, int] = defaultdict(count().__next__)
    return np.fromiter(map(place.__getitem__, texts), dtype=np.int64, count=len(texts))


def _of_integers(column: NDArray[Any]) -> Ints:
    values = column.astype(np.int64)
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    return values - low if high - low < ROOM * len(values) + ROOM else _closed(values)


def _closed(values: Ints) -> Ints:
    """Values renumbered without gaps."""
    inverse: Ints = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return inverse


def first_rows(numbers: Ints) -> Ints:
    """int64[n]: the first row that has the number of each row."""
    first = np.zeros(int(numbers.max(initial=-1)) + 1, dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)  # of several, the last that is set stays
    return first[numbers]


def components(total: int, left: Ints, right: Ints) -> Ints:
    """The smallest member of each one's connected component: int64[total].

    Roots are hooked onto smaller roots of their neighbours and paths are halved until they end, a few passes
    over the edges (Shiloach and Vishkin 1982). Small inputs so do without SciPy, whose import takes longer.

    Args:
        total: nodes.
        left: int64[e], one end of each edge.
        right: int64[e], the other.
    """
    labels = np.arange(total)
    while True:
        a, b = labels[left], labels[right]
        differ = np.flatnonzero(a != b)
        if not len(differ):
            return labels
        left, right = np.minimum(a[differ], b[differ]), np.maximum(a[differ], b[differ])
        labels[right] = left  # of several, one stays; the others come again in the next round
        while not np.array_equal(nearer := labels[labels], labels):
            labels = nearer


def distinct(numbers: Ints) -> int:
    """How many different numbers there are."""
    return int(np.count_nonzero(first_rows(numbers) == np.arange(len(numbers))))
