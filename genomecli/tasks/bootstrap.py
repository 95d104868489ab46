"""Bootstrap of test rows: units drawn with replacement, all figures of a draw from one matrix product.

A unit is what is independent of the others: a row, a group of the split (overlapping windows, a gene family),
or a sequence whose symbols are judged. Intervals are percentile intervals (Efron and Tibshirani
1993, chapter 13).

Shapes: n rows, U units, B draws, b draws of a chunk, M sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genomecli.tasks.examples import Floats, Ints

_CHUNK = 200_000
"""Weights held at once."""

_WORK = 200_000_000
"""Units times draws that are drawn at most: some seconds."""

LEAST_DRAWS = 200
"""Draws that are made however many units there are."""

LEAST_UNITS = 6
"""Units below which there is no interval. A lead in every one of 5 units is no evidence at 95 % yet: the sign
test gives it a probability of 2 in 32; in every one of 6, of 2 in 64. Percentile intervals of few units are
too narrow: by Student's t that of the mean of 3 covers 75 %, of 5 84 %, of 6 87 %, and not 95 %."""

_LEAST_SHARE = 0.5
"""A figure that fewer of the draws have gets no interval."""


@dataclass(frozen=True)
class Resamples:
    """The same draws each time they are asked for, so that two models are judged on the same resamples.

    Args:
        unit_of: int64[n], the unit of each row, from 0.
        units: how many there are.
        draws: B; 0 for no intervals.
        seed: of the draws.
    """

    unit_of: Ints
    units: int
    draws: int
    seed: int

    @classmethod
    def of(cls, units: ArrayLike, draws: int, rng: np.random.Generator) -> Resamples:
        """Draws of ``units``: int[n], any numbers that name the unit of each row.

        One unit gives no draws; of very many units fewer than ``draws`` are made.
        """
        names, unit_of = np.unique(np.asarray(units, dtype=np.int64), return_inverse=True)
        seed = int(rng.integers(0, 2**62))
        most = max(LEAST_DRAWS, _WORK // max(1, len(names)))
        return cls(unit_of.astype(np.int64), len(names), min(draws, most) if len(names) > 1 else 0, seed)

    def at_most(self, draws: int) -> Resamples:
        """The first ``draws`` of the same draws, where fewer must do."""
        return Resamples(self.unit_of, self.units, min(self.draws, draws), self.seed)

    def weights(self, width: int = 0) -> Iterator[Floats]:
        """How often each unit is drawn, float64[b, U] a chunk; every row sums to U.

        Args:
            width: numbers that the caller makes of a draw, if more than U; it makes the chunks smaller.
        """
        rng = np.random.default_rng(self.seed)
        size = max(1, _CHUNK // max(1, self.units, width))
        for start in range(0, self.draws, size):
            count = min(size, self.draws - start)
            drawn = rng.integers(0, self.units, (count, self.units), dtype=np.int64)
            drawn += np.arange(count)[:, None] * self.units
            found = np.bincount(drawn.ravel(), minlength=count * self.units)
            yield found.reshape(count, self.units).astype(np.float64)


def linear_draws(sums: Any, figure: Callable[[Floats], Floats], resamples: Resamples) -> Floats:
    """Figures that follow from sums over rows, such as cells of a confusion matrix; float64[B, F].

    Args:
        sums: float[U, M], dense or scipy sparse: what each unit adds.
        figure: float64[b, M] to float64[b, F], draw by draw.
        resamples: the draws; without any the result is [0, 0].
    """
    parts = [figure(np.asarray(weights @ sums)) for weights in resamples.weights(sums.shape[1])]
    return np.concatenate(parts) if parts else np.zeros((0, 0))


def row_draws(figure: Callable[[Floats], Floats], rows: Ints, resamples: Resamples) -> Floats:
    """Figures that need every row, such as ranks; float64[B, F].

    Args:
        figure: weights of the rows float64[b, len(rows)] to float64[b, F].
        rows: int64, which rows are judged, in the order that ``figure`` wants.
        resamples: the draws; without any the result is [0, 0].
    """
    units = resamples.unit_of[rows]
    parts = [figure(weights[:, units]) for weights in resamples.weights(len(rows))]
    return np.concatenate(parts) if parts else np.zeros((0, 0))


def percentile_interval(draws: ArrayLike, level: float, *, value: float | None = None) -> tuple[float, float]:
    """Ends of the interval; NaN twice where more than half of the draws have no figure.

    Args:
        draws: float[B]; NaN where a draw has no figure (one class only, say).
        level: coverage.
        value: given for figures whose resamples lie above them (noise only adds to a calibration error): then
            the lower end is that of the bias-corrected interval (Efron 1981), which shifts the quantile by
            twice the normal score of the share of draws below ``value``. The upper end stays, since next to
            0 its correction would leave almost no interval.
    """
    found = np.asarray(draws, dtype=np.float64)
    kept = found[~np.isnan(found)]
    if kept.size < 2 or kept.size < _LEAST_SHARE * found.size:
        return float("nan"), float("nan")
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(kept, [tail, 1.0 - tail])
    if value is not None and not np.isnan(value):
        low = min(low, value, np.quantile(kept, _shifted(tail, kept, value)))
    return float(low), float(high)


def _shifted(tail: float, draws: Floats, value: float) -> float:
    from scipy.stats import norm

    below = float(np.mean(draws < value) + 0.5 * np.mean(draws == value))
    # All draws on one side tell no more than that the shift is large.
    share = float(np.clip(below, 1.0 / (len(draws) + 1), len(draws) / (len(draws) + 1)))
    return float(norm.cdf(2.0 * norm.ppf(share) + norm.ppf(tail)))


def mean_of_known(values: ArrayLike, axis: int = -1) -> Floats:
    """Mean along ``axis`` without the NaN values; NaN, and no warning, where all are.

    Returns:
        float64, of the shape of ``values`` without that axis.
    """
    found = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(found)
    count = known.sum(axis=axis)
    total = np.where(known, found, 0.0).sum(axis=axis)
    return ratio(total, count)


def ratio(above: ArrayLike, below: ArrayLike, empty: float = float("nan")) -> Floats:
    """``above / below``; ``empty``, and no warning, where ``below`` is 0.

    Returns:
        float64, of the shape that both broadcast to.
    """
    top, bottom = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    found: NDArray[np.float64] = np.full(top.shape, empty)
    np.divide(top, bottom, out=found, where=bottom != 0)
    return found
