"""Yardsticks that a network must beat: unigram, interpolated n-gram, and a model of both neighbours.

All three are one thing: a chain of contexts, each a superset of the one before it, in which a longer context
leans on the shorter where it is rare. Interpolated Witten-Bell smoothing (Bell, Cleary and Witten 1990; Chen
and Goodman 1999, sec. 2.4) with a strength k per level:

    P(w | h) = (c(h w) + k T(h) P(w | h')) / (c(h) + k T(h))

c counts occurrences in the training records, T(h) is the number of different tokens seen after h, h' is the
next shorter context, and below the empty context every token has the same probability. k = 1 is plain
Witten-Bell, which trusts rare contexts too much where neighbours say little, as in genes; by default k is
chosen for each level by the likelihood of the training tokens, each left out of its own counts. So the
peer of a network is a tuned one, and the validation records are not touched.

Contexts are exact (mixed-radix int64 keys, sorted), not hashed. Legend: T tokens, R records, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import InputError

Tokens = NDArray[np.integer]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Levels = tuple[tuple[int, ...], ...]

# Positions used to choose the strengths; more would move them by less than one step of the grid.
_TUNING_POSITIONS = 200_000
_STRENGTHS = 2.0 ** np.arange(-3.0, 12.5, 0.5)
_CHUNK = 1_000_000


def ngram_levels(order: int) -> Levels:
    """Contexts of an n-gram model, shortest first: nothing, one token to the left, two, ..."""
    return tuple(tuple(range(-length, 0)) for length in range(order))


def two_sided_levels(side: int) -> Levels:
    """Contexts of a model that sees both neighbours: nothing, left 1, then right 1, left 2, right 2, ..."""
    levels: list[tuple[int, ...]] = [()]
    for distance in range(1, side + 1):
        levels.append((*levels[-1], -distance))
        levels.append((*levels[-1], distance))
    return tuple(levels)


@dataclass(frozen=True, eq=False)
class _Level:
    """Counts of one context length.

    Args:
        offsets: places of the context's tokens relative to the predicted one.
        pairs: int64, sorted keys of (context, token) seen in training.
        pair_counts: int64, how often.
        contexts: int64, sorted keys of contexts.
        totals: int64, how often each context was seen.
        kinds: int64, different tokens seen in it.
        strength: k.
    """

    offsets: tuple[int, ...]
    pairs: Counts
    pair_counts: Counts
    contexts: Counts
    totals: Counts
    kinds: Counts
    strength: float = 1.0

    def look_up(self, keys: Counts, tokens: Counts, size: int) -> tuple[Counts, Counts, Counts]:
        """(c(h w), c(h), T(h)) of each (context key, token); 0 where unseen."""
        context = _find(self.contexts, keys)
        pair = _find(self.pairs, keys * size + tokens)
        return (
            _taken(self.pair_counts, pair),
            _taken(self.totals, context),
            _taken(self.kinds, context),
        )


def _find(table: Counts, keys: Counts) -> Counts:
    """Place of each key in the sorted table, -1 where absent."""
    place = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return np.where(table[place] == keys, place, -1)


def _taken(values: Counts, places: Counts) -> Counts:
    return np.where(places >= 0, values[places], 0)


@dataclass(frozen=True, eq=False)
class ContextModel:
    """A fitted chain of contexts.

    Args:
        size: V; ids 0..V-1 are predicted, any other id is only a neighbour ("something else").
        levels: shortest context first.
    """

    size: int
    levels: tuple[_Level, ...]

    def log_probabilities(
        self, tokens: Tokens, offsets: NDArray[np.int64], positions: NDArray[np.int64] | None = None
    ) -> Floats:
        """Natural log probability of tokens given their neighbours, which are seen unmasked.

        Args:
            tokens: int[T], records one after another.
            offsets: int64[R + 1], where records start; no context crosses them.
            positions: int64[n], places to score; all by default.

        Returns:
            float64[n]; NaN for ids that are not predicted.
        """
        where = np.arange(len(tokens)) if positions is None else np.asarray(positions, dtype=np.int64)
        found = np.full(len(where), np.nan)
        for start in range(0, len(where), _CHUNK):
            part = where[start : start + _CHUNK]
            words = np.asarray(tokens[part], dtype=np.int64)
            known = (words >= 0) & (words < self.size)
            scored = np.full(len(part), np.nan)
            scored[known] = np.log(self._probabilities(tokens, offsets, part[known], words[known]))
            found[start : start + _CHUNK] = scored
        return found

    def _probabilities(
        self, tokens: Tokens, offsets: NDArray[np.int64], positions: Counts, words: Counts
    ) -> Floats:
        lower = np.full(len(positions), 1.0 / self.size)
        for level in self.levels:
            keys = _context_keys(tokens, offsets, positions, level.offsets, self.size)
            pair, total, kinds = level.look_up(keys, words, self.size)
            lower = _interpolate(pair, total, kinds, lower, level.strength)
        return lower

    def perplexity(
        self, tokens: Tokens, offsets: NDArray[np.int64], positions: NDArray[np.int64] | None = None
    ) -> float:
        """exp of the mean negative log probability over the scored places; NaN if there are none."""
        logs = self.log_probabilities(tokens, offsets, positions)
        logs = logs[~np.isnan(logs)]
        return float(np.exp(-logs.mean())) if logs.size else float("nan")


def fit_ngram(
    tokens: Tokens, offsets: NDArray[np.int64], size: int, order: int = 5, *, strength: float | None = None
) -> ContextModel:
    """Fit an interpolated n-gram model, left to right; order 1 is the unigram.

    Takes about 40 bytes a token and level while fitting.

    Args:
        tokens: int[T] of the training records, one after another.
        offsets: int64[R + 1], where records start.
        size: V, ids 0..V-1 are predicted.
        order: n.
        strength: k for all levels, 1 for plain Witten-Bell; chosen on the training tokens by default.

    Raises:
        InputError: no token to learn from, or contexts too long for this vocabulary.
    """
    return fit_contexts(tokens, offsets, size, ngram_levels(order), strength=strength)


def fit_masked_context(
    tokens: Tokens, offsets: NDArray[np.int64], size: int, side: int = 2, *, strength: float | None = None
) -> ContextModel:
    """Fit a model that predicts a token from ``side`` neighbours on each side: the fair peer of a masked
    language model. It sees its neighbours unmasked, so it is if anything favoured.

    Args: as :func:`fit_ngram`.
    """
    return fit_contexts(tokens, offsets, size, two_sided_levels(side), strength=strength)


def fit_contexts(
    tokens: Tokens,
    offsets: NDArray[np.int64],
    size: int,
    levels: Sequence[tuple[int, ...]],
    *,
    strength: float | None = None,
) -> ContextModel:
    """Fit any chain of contexts, each a superset of the one before it. Args: as :func:`fit_ngram`."""
    if (size + 1) ** len(levels[-1]) * size >= 2**63:
        raise InputError(
            f"contexts of {len(levels[-1])} tokens over a vocabulary of {size} are too many to number",
            fix="use a lower order",
        )
    words = np.asarray(tokens, dtype=np.int64)
    positions = np.flatnonzero((words >= 0) & (words < size))
    if positions.size == 0:
        raise InputError("no tokens to count")
    step = max(1, len(positions) // _TUNING_POSITIONS)
    tuning = positions[::step]
    lower = np.full(len(tuning), 1.0 / size)
    fitted: list[_Level] = []
    for level_offsets in levels:
        level = _count(words, offsets, positions, level_offsets, size)
        keys = _context_keys(words, offsets, tuning, level_offsets, size)
        left_out = _left_out(*level.look_up(keys, words[tuning], size))
        chosen = _best_strength(left_out, lower) if strength is None else strength
        lower = _interpolate(*left_out, lower, chosen)
        fitted.append(_with_strength(level, chosen))
    return ContextModel(size, tuple(fitted))


def _count(
    tokens: Counts, offsets: NDArray[np.int64], positions: Counts, level: tuple[int, ...], size: int
) -> _Level:
    keys = _context_keys(tokens, offsets, positions, level, size)
    pairs, pair_counts = np.unique(keys * size + tokens[positions], return_counts=True)
    contexts, first = np.unique(pairs // size, return_index=True)
    totals = np.add.reduceat(pair_counts, first)
    kinds = np.diff(np.append(first, len(pairs)))
    return _Level(level, pairs, pair_counts, contexts, totals, kinds)


def _with_strength(level: _Level, strength: float) -> _Level:
    return _Level(
        level.offsets, level.pairs, level.pair_counts, level.contexts, level.totals, level.kinds, strength
    )


def _context_keys(
    tokens: Tokens, offsets: NDArray[np.int64], positions: Counts, level: tuple[int, ...], size: int
) -> Counts:
    """A number for the context of each position; ids that are not predicted, and record ends, count as V."""
    keys = np.zeros(len(positions), dtype=np.int64)
    if not level:
        return keys
    record = np.searchsorted(offsets, positions, side="right") - 1
    start, end = np.asarray(offsets)[record], np.asarray(offsets)[record + 1]
    for offset in level:
        place = positions + offset
        inside = (place >= start) & (place < end)
        neighbour = np.asarray(tokens[np.where(inside, place, positions)], dtype=np.int64)
        neighbour = np.where(inside & (neighbour >= 0) & (neighbour < size), neighbour, size)
        keys = keys * (size + 1) + neighbour
    return keys


def _left_out(pair: Counts, total: Counts, kinds: Counts) -> tuple[Counts, Counts, Counts]:
    """The counts without the token itself."""
    return pair - 1, total - 1, kinds - (pair == 1)


def _interpolate(pair: Counts, total: Counts, kinds: Counts, lower: Floats, strength: float) -> Floats:
    weight = strength * kinds
    mass = total + weight
    return np.where(mass > 0, (pair + weight * lower) / np.where(mass > 0, mass, 1.0), lower)


def _best_strength(left_out: tuple[Counts, Counts, Counts], lower: Floats) -> float:
    fits = []
    for strength in _STRENGTHS:
        # A token seen once, alone in its context, has no left-out probability there but the lower one.
        with np.errstate(divide="ignore"):
            fits.append(float(np.log(_interpolate(*left_out, lower, float(strength))).sum()))
    return float(_STRENGTHS[int(np.argmax(fits))])
