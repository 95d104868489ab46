"""Intervals: bootstrap over items, over blocks and over genes; over seeds; paired differences.

Legend: n values, G genes, V vocabulary items, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, Integers

_EXACT_PAIRS = 14


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its interval; low and high are NaN where one value alone gives none.

    Args:
        value: the figure.
        low: lower end.
        high: upper end.
        level: coverage, 0.95 for 95 %.
    """

    value: float
    low: float
    high: float
    level: float = 0.95


def percentiles(draws: ArrayLike, value: float, level: float = 0.95) -> Interval:
    """The percentile interval of bootstrap draws around ``value``; NaN draws are left out."""
    kept = np.asarray(draws, dtype=np.float64)
    kept = kept[~np.isnan(kept)]
    if kept.size == 0:
        return Interval(value, float("nan"), float("nan"), level)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(kept, [tail, 1.0 - tail])
    return Interval(value, float(low), float(high), level)


def bootstrap_mean(
    values: ArrayLike,
    rng: np.random.Generator,
    *,
    draws: int = 2000,
    level: float = 0.95,
    method: Literal["BCa", "percentile"] = "BCa",
) -> Interval:
    """Mean of independent values with a bootstrap interval; NaN values are left out.

    Args:
        values: float[n].
        rng: source of randomness.
        draws: resamples.
        level: coverage.
        method: ``BCa`` (Efron 1987) or ``percentile``.
    """
    from scipy.stats import bootstrap

    kept = np.asarray(values, dtype=np.float64)
    kept = kept[~np.isnan(kept)]
    if kept.size < 2:
        return Interval(float(kept.mean()) if kept.size else float("nan"), float("nan"), float("nan"), level)
    mean = float(kept.mean())
    if np.ptp(kept) == 0.0:
        return Interval(mean, mean, mean, level)
    found = bootstrap(
        (kept,), np.mean, n_resamples=draws, confidence_level=level, method=method, random_state=rng
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high), level)


def block_bootstrap(
    values: ArrayLike,
    blocks: ArrayLike,
    rng: np.random.Generator,
    *,
    draws: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Mean of values whose blocks, not they themselves, are independent: whole blocks are resampled.

    Args:
        values: float[n], one a codon as a rule; NaN values are left out.
        blocks: int[n], block of each value: its amino acid.
        rng: source of randomness.
        draws: resamples.
        level: coverage.
    """
    kept = ~np.isnan(np.asarray(values, dtype=np.float64))
    v, b = np.asarray(values, dtype=np.float64)[kept], np.asarray(blocks)[kept]
    if v.size == 0:
        return Interval(float("nan"), float("nan"), float("nan"), level)
    _, label = np.unique(b, return_inverse=True)
    sums, counts = np.bincount(label, weights=v), np.bincount(label)
    if len(sums) < 2:
        return Interval(float(v.mean()), float("nan"), float("nan"), level)
    chosen = rng.integers(0, len(sums), (draws, len(sums)))
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    return percentiles(means, float(v.mean()), level)


def seeds_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Mean over seeds with Student's t interval: with five values a bootstrap is too narrow."""
    from scipy.stats import t

    kept = np.asarray(values, dtype=np.float64)
    kept = kept[~np.isnan(kept)]
    if kept.size < 2:
        return Interval(float(kept.mean()) if kept.size else float("nan"), float("nan"), float("nan"), level)
    half = float(t.ppf((1 + level) / 2, kept.size - 1) * kept.std(ddof=1) / np.sqrt(kept.size))
    mean = float(kept.mean())
    return Interval(mean, mean - half, mean + half, level)


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of paired differences a - b with Student's t interval, and a two-sided sign-flip p-value."""

    interval: Interval
    p: float


def paired_difference(
    a: ArrayLike, b: ArrayLike, rng: np.random.Generator, *, draws: int = 10_000, level: float = 0.95
) -> Difference:
    """Compare two conditions pair by pair (same seed, same item).

    The p-value flips signs: all 2^n ways up to 14 pairs (exact; with five seeds it cannot fall under
    1/16), ``draws`` random ones and the +1 correction above.

    Args:
        a: float[n] and
        b: float[n], pair by pair; pairs with NaN are left out.
        rng: source of randomness.
        draws: random flips where there are too many pairs.
        level: coverage.
    """
    gaps = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    gaps = gaps[~np.isnan(gaps)]
    if gaps.size == 0:
        return Difference(Interval(float("nan"), float("nan"), float("nan"), level), float("nan"))
    exact = gaps.size <= _EXACT_PAIRS
    if exact:
        signs = np.array(list(product((1.0, -1.0), repeat=gaps.size)))
    else:
        signs = rng.choice((1.0, -1.0), size=(draws, gaps.size))
    extreme = np.count_nonzero(np.abs(signs @ gaps) >= abs(gaps.sum()) - 1e-12)
    p = extreme / len(signs) if exact else (1 + extreme) / (1 + len(signs))
    return Difference(seeds_interval(gaps, level), float(p))


def gene_weights(genes: int, draws: int, rng: np.random.Generator) -> Integers:
    """How often each gene is drawn in each bootstrap sample; int64[draws, G], rows sum to G."""
    weights: Integers = rng.multinomial(genes, np.full(genes, 1.0 / genes), size=draws)
    return weights


def bootstrap_gene_means(
    sums: ArrayLike, counts: ArrayLike, rng: np.random.Generator, draws: int = 200
) -> Iterator[Floats]:
    """Mean vectors of vocabulary items under resampled genes, one draw at a time.

    Args:
        sums: float[G, V, D], vectors of each item summed over its occurrences in each gene (or bundle of
            genes; single precision and memory-mapped arrays will do).
        counts: int[G, V], occurrences.
        rng: source of randomness.
        draws: resamples.

    Yields:
        float64[V, D]; an item that a draw misses keeps its mean over all genes (zeros where none has it).
    """
    sums_GVD, counts_GV = np.asarray(sums), np.asarray(counts)
    genes, items, width = sums_GVD.shape
    flat = sums_GVD.reshape(genes, items * width)
    totals = np.maximum(counts_GV.sum(axis=0), 1)[:, None]
    overall = flat.sum(axis=0, dtype=np.float64).reshape(items, width) / totals
    for weight in gene_weights(genes, draws, rng):
        drawn = (weight.astype(flat.dtype) @ flat).astype(np.float64).reshape(items, width)
        seen = (weight @ counts_GV)[:, None]
        yield np.where(seen > 0, drawn / np.maximum(seen, 1), overall)
