"""Ordered pairs of tokens at fixed distances, counted by group of records, so that records can be resampled.

Legend: T tokens, R records, V vocabulary, K distances, G groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Booleans, Floats, Integers

Number = TypeVar("Number", bound=np.generic)

GROUPS = 40
"""Groups of records that a bootstrap draws."""


@dataclass(frozen=True, eq=False)
class Text:
    """Records of one language, one after another.

    Args:
        tokens: int64[T], below V; -1 for what is no token (an ambiguity letter).
        lengths: int64[R], tokens of each record.
    """

    tokens: Integers
    lengths: Integers

    @property
    def owner(self) -> Integers:
        """int64[T]: the record that each token stands in."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def holding(self, distances: Sequence[int]) -> Booleans:
        """bool[R]: records with two known tokens at one of these distances from each other."""
        found = np.zeros(len(self.lengths), dtype=np.bool_)
        owner = self.owner
        for distance, good in zip(distances, _paired(self, owner, distances), strict=True):
            found[owner[distance:][good]] = True
        return found

    def shuffled(self, rng: np.random.Generator) -> Text:
        """Every record's tokens in a random order: composition stays, grammar goes."""
        order = np.lexsort((rng.random(len(self.tokens)), self.owner))
        return Text(self.tokens[order], self.lengths)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Counts of ordered pairs.

    Args:
        counts: float64[G, K, V, V]: group, distance, left token, right token.
        distances: the K distances.
        group_of: int64[R], the group that each record was dealt to.
    """

    counts: Floats
    distances: tuple[int, ...]
    group_of: Integers

    def total(self, weights: NDArray[np.integer | np.floating] | None = None) -> Floats:
        """float64[K, V, V]: all groups added, each as often as ``weights``, int64[G] or float64[G], says."""
        if weights is None:
            found: Floats = self.counts.sum(axis=0)
            return found
        weighted: Floats = np.einsum("g,gkab->kab", weights.astype(np.float64), self.counts)
        return weighted

    @cached_property
    def held(self) -> Integers:
        """int64[n]: the groups that hold a pair, by index."""
        found: Integers = np.flatnonzero(self.counts.any(axis=(1, 2, 3)))
        return found

    def shifted(self, rng: np.random.Generator, concentration: float) -> Floats:
        """float64[G]: Dirichlet weights, 1 on average over the groups that hold a pair, 0 for others.

        Args:
            rng: source of randomness.
            concentration: 1 is the Bayesian bootstrap (Rubin 1981); less is more uneven.
        """
        return self._at_held(len(self.held) * rng.dirichlet(np.full(len(self.held), concentration)))

    def drawn(self, rng: np.random.Generator) -> Integers:
        """int64[G]: how often each group is drawn, with replacement, among those that hold a pair."""
        held = len(self.held)
        return self._at_held(rng.multinomial(held, [1 / held] * held))

    def _at_held(self, weights: NDArray[Number]) -> NDArray[Number]:
        """[G]: weights of the groups that hold a pair, 0 for others."""
        found = np.zeros(len(self.counts), dtype=weights.dtype)
        found[self.held] = weights
        return found

    def pooled(self) -> Pairs:
        """The same with all distances added up: K is 1."""
        return Pairs(self.counts.sum(axis=1, keepdims=True), (0,), self.group_of)


def deal(
    text: Text, rng: np.random.Generator, groups: int = GROUPS, first: Booleans | None = None
) -> Integers:
    """Deal records to groups by chance.

    Args:
        text: the records.
        rng: source of randomness.
        groups: G; where there are fewer records, each has a group of its own.
        first: bool[R], records that are dealt before all others, so that each group has as many of them, or
            one more: by chance alone, two among thousands could meet in one group.

    Returns:
        int64[R], below G; sizes of groups differ by one at most.
    """
    order = rng.permutation(len(text.lengths))
    if first is not None:
        order[np.lexsort((order, ~first))] = np.arange(len(order))
    found: Integers = order % groups
    return found


def count_pairs(text: Text, size: int, distances: Sequence[int], group_of: Integers) -> Pairs:
    """Count the ordered pairs of tokens within records.

    Args:
        text: the records.
        size: V.
        distances: how far the right token stands behind the left one, each at least 1.
        group_of: int64[R], the group that each record belongs to.

    Returns:
        The counts, up to the last group that holds a record; all 0 if no record is long enough.
    """
    groups = int(group_of.max(initial=-1)) + 1
    owner = text.owner
    group = group_of[owner] if len(group_of) else owner
    counts = np.zeros((groups, len(distances), size, size))
    for place, (distance, good) in enumerate(zip(distances, _paired(text, owner, distances), strict=True)):
        left, right = text.tokens[:-distance][good], text.tokens[distance:][good]
        keys = (group[:-distance][good] * size + left) * size + right
        counts[:, place] = np.bincount(keys, minlength=groups * size * size).reshape(groups, size, size)
    return Pairs(counts, tuple(distances), group_of)


def _paired(text: Text, owner: Integers, distances: Sequence[int]) -> Iterator[Booleans]:
    """bool[T - distance], for each distance: whether a token and the one so far behind it are a pair."""
    known = text.tokens >= 0
    for distance in distances:
        yield (owner[:-distance] == owner[distance:]) & known[:-distance] & known[distance:]
