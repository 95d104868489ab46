"""Intervals: bootstrap over blocks and over genes, Student's over seeds.

Legend: n values, G genes, V vocabulary items, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, Integers


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
    """The percentile interval of bootstrap draws beside ``value``; NaN twice without draws.

    Args:
        draws: float[P]; NaN draws are left out.
        value: the figure itself.
        level: coverage.
    """
    kept = np.asarray(draws, dtype=np.float64)
    kept = kept[~np.isnan(kept)]
    if kept.size == 0:
        return Interval(value, float("nan"), float("nan"), level)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(kept, [tail, 1.0 - tail])
    return Interval(value, float(low), float(high), level)


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
    """Mean over seeds with Student's t interval: with five values a bootstrap is too narrow.

    Args:
        values: float[n], one a seed; NaN values are left out, and with fewer than two the ends are NaN.
        level: coverage.
    """
    from scipy.stats import t

    kept = np.asarray(values, dtype=np.float64)
    kept = kept[~np.isnan(kept)]
    if kept.size < 2:
        return Interval(float(kept.mean()) if kept.size else float("nan"), float("nan"), float("nan"), level)
    half = float(t.ppf((1 + level) / 2, kept.size - 1) * kept.std(ddof=1) / np.sqrt(kept.size))
    mean = float(kept.mean())
    return Interval(mean, mean - half, mean + half, level)


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
