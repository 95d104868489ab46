"""Which candidates of a retrieval are right, which are wrong, and which are out of the ranking.

Legend: Q queries, N candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Booleans, Integers


@dataclass(frozen=True, eq=False)
class Gold:
    """Which candidates are right for a query, and which are out of the ranking.

    Made by :meth:`single`, :meth:`classes` or :meth:`mask`. A candidate is right when its label equals the
    query's, or where the mask is True; ``skip`` and ``ignored`` name candidates that are neither right nor
    wrong (the query itself, as a rule).
    """

    query_labels: Integers
    labels: Integers | None = None
    skip: Integers | None = None
    right: Booleans | None = None
    ignored: Booleans | None = None

    @classmethod
    def single(cls, index: ArrayLike) -> Gold:
        """One right candidate a query: int[Q], its index in the database; -1 for none."""
        return cls(np.asarray(index, dtype=np.int64))

    @classmethod
    def classes(cls, query: ArrayLike, database: ArrayLike, *, skip: ArrayLike | None = None) -> Gold:
        """Every candidate of the query's class is right.

        Args:
            query: int[Q] labels.
            database: int[N] labels.
            skip: int[Q], a candidate left out for each query (itself); -1 for none.
        """
        skipped = None if skip is None else np.asarray(skip, dtype=np.int64)
        return cls(np.asarray(query, dtype=np.int64), np.asarray(database, dtype=np.int64), skipped)

    @classmethod
    def mask(cls, right: ArrayLike, *, ignored: ArrayLike | None = None) -> Gold:
        """Right candidates as bool[Q, N]; ``ignored`` bool[Q, N] are left out. For small databases."""
        truth = np.asarray(right, dtype=np.bool_)
        left_out = None if ignored is None else np.asarray(ignored, dtype=np.bool_)
        return cls(np.arange(len(truth), dtype=np.int64), right=truth, ignored=left_out)

    @property
    def queries(self) -> int:
        """Number of queries."""
        return len(self.query_labels)

    @cached_property
    def _sorted_labels(self) -> tuple[Integers, Integers]:
        assert self.labels is not None
        order = np.argsort(self.labels, kind="stable")
        return order, self.labels[order]

    def pairs(self, rows: slice) -> tuple[Integers, Integers]:
        """(owner, candidate) of every right pair of the rows, int64[p] each.

        ``owner`` rises and counts from the first of the rows; ``candidate`` is an index in the database.
        """
        owner, candidate = self._label_pairs(rows) if self.right is None else _nonzero(self.right[rows])
        keep = candidate >= 0
        if self.skip is not None:
            keep &= candidate != self.skip[rows][owner]
        if self.ignored is not None:
            keep &= ~self.ignored[rows][owner, candidate]
        return owner[keep], candidate[keep]

    def _label_pairs(self, rows: slice) -> tuple[Integers, Integers]:
        wanted = self.query_labels[rows]
        if self.labels is None:
            return np.arange(len(wanted)), wanted
        order, values = self._sorted_labels
        low, high = np.searchsorted(values, wanted, "left"), np.searchsorted(values, wanted, "right")
        owner = np.repeat(np.arange(len(wanted)), high - low)
        return owner, order[np.repeat(low, high - low) + place_in_run(owner)]

    def left_out(self, rows: slice) -> tuple[Integers, Integers]:
        """(owner, candidate) of pairs neither right nor wrong, int64[p] each; owner as of :meth:`pairs`."""
        owner, candidate = (np.zeros(0, np.int64),) * 2
        if self.skip is not None:
            owner = np.flatnonzero(self.skip[rows] >= 0)
            candidate = self.skip[rows][owner]
        if self.ignored is not None:
            more_owner, more_candidate = _nonzero(self.ignored[rows])
            owner, candidate = np.r_[owner, more_owner], np.r_[candidate, more_candidate]
        return owner, candidate


def _nonzero(mask: Booleans) -> tuple[Integers, Integers]:
    row, column = np.nonzero(mask)
    return row, column


def place_in_run(values: Integers) -> Integers:
    """0, 1, 2, ... within each run of equal neighbours of ``values``; int64, same length."""
    if values.size == 0:
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    lengths = np.diff(np.r_[starts, len(values)])
    places: Integers = np.arange(len(values)) - np.repeat(starts, lengths)
    return places
