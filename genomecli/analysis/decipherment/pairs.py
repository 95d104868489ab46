"""Ordered pairs of tokens at fixed distances, counted by group of records, so that records can be resampled.

Legend: T tokens, R records, V vocabulary, K distances, G groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Floats, Integers

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

    def shuffled(self, rng: np.random.Generator) -> Text:
        """Every record's tokens in a random order: composition stays, grammar goes."""
        owner = np.repeat(np.arange(len(self.lengths)), self.lengths)
        order = np.lexsort((rng.random(len(self.tokens)), owner))
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
        """float64[K, V, V]: all groups added, each as often as ``weights`` [G] says."""
        if weights is None:
            found: Floats = self.counts.sum(axis=0)
            return found
        weighted: Floats = np.einsum("g,gkab->kab", weights.astype(np.float64), self.counts)
        return weighted

    @property
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
        held = self.held
        found = np.zeros(len(self.counts))
        found[held] = len(held) * rng.dirichlet(np.full(len(held), concentration))
        return found

    def drawn(self, rng: np.random.Generator) -> Integers:
        """int64[G]: how often each group is drawn, with replacement, among those that hold a pair."""
        held = self.held
        found = np.zeros(len(self.counts), dtype=np.int64)
        found[held] = rng.multinomial(len(held), [1 / len(held)] * len(held))
        return found

    def pooled(self) -> Pairs:
        """The same with all distances added up: K is 1."""
        return Pairs(self.counts.sum(axis=1, keepdims=True), (0,), self.group_of)


def deal(text: Text, rng: np.random.Generator, groups: int = GROUPS) -> Integers:
    """int64[R]: records dealt to groups of one size by chance."""
    found: Integers = rng.permutation(len(text.lengths)) % groups
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
    records = len(text.lengths)
    groups = int(group_of.max(initial=-1)) + 1
    owner = np.repeat(np.arange(records), text.lengths)
    group = group_of[owner] if records else owner
    counts = np.zeros((groups, len(distances), size, size))
    for place, distance in enumerate(distances):
        left, right = text.tokens[:-distance], text.tokens[distance:]
        good = (owner[:-distance] == owner[distance:]) & (left >= 0) & (right >= 0)
        keys = (group[:-distance][good] * size + left[good]) * size + right[good]
        counts[:, place] = np.bincount(keys, minlength=groups * size * size).reshape(groups, size, size)
    return Pairs(counts, tuple(distances), group_of)
