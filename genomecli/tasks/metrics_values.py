"""Figures of measured values: Pearson, Spearman, R2, RMSE and MAE, of each value and their mean.

Values are scipy's and scikit-learn's; resamples use weighted moments, and weighted mid-ranks for Spearman.
Shapes: m rows, C values, U units, b draws.
"""

from __future__ import annotations

import warnings

import numpy as np

from genomecli.tasks.bootstrap import Resamples, linear_draws, mean_of_known, ratio, row_draws
from genomecli.tasks.examples import Floats, Ints
from genomecli.tasks.figure import Quantity
from genomecli.tasks.metric_rows import ValueRows
from genomecli.tasks.metrics_ranked import affordable

MOMENT_NAMES = ("pearson", "r2", "rmse", "mae")

_NOTHING = 1e-18
"""A variance below this share of the mean square is rounding, not spread."""


def value_quantities(rows: ValueRows, resamples: Resamples, *, ranked: bool = True) -> list[Quantity]:
    """All figures, the mean over values first if there are several.

    Args:
        rows: that are judged.
        resamples: of these rows.
        ranked: Spearman too, which costs most.
    """
    names = (*MOMENT_NAMES, "spearman") if ranked else MOMENT_NAMES
    several = len(rows.names) > 1
    singles = [_one(rows, at, resamples, ranked, several) for at in range(len(rows.names))]
    if not several:
        return singles[0]
    means = [_mean([found[at] for found in singles], len(rows.truth)) for at in range(len(names))]
    return means + [found[at] for at in range(len(names)) for found in singles]


def _one(rows: ValueRows, at: int, resamples: Resamples, ranked: bool, several: bool) -> list[Quantity]:
    kept = np.flatnonzero(rows.known[:, at])
    truth, scores = rows.truth[kept, at], rows.scores[kept, at]
    of, n = (rows.names[at] if several else ""), len(kept)
    names = (*MOMENT_NAMES, "spearman") if ranked else MOMENT_NAMES
    if n < 2:
        return [Quantity(name, float("nan"), n, of=of, note="fewer than two rows") for name in names]
    values = _values(truth, scores, ranked)
    drawn = moment_draws(truth, scores, kept, resamples)
    columns = [drawn[:, column] for column in range(4)] if drawn.size else [np.zeros(0)] * 4
    notes = [_why(name, value, truth, scores) for name, value in zip(names, values, strict=True)]
    if ranked:
        columns.append(spearman_draws(truth, scores, kept, affordable(resamples, n)))
    notes[0] = notes[0] or rows.note
    return [
        Quantity(name, value, n, draws, of, note)
        for name, value, draws, note in zip(names, values, columns, notes, strict=True)
    ]


def _values(truth: Floats, scores: Floats, ranked: bool) -> list[float]:
    from scipy.stats import pearsonr, spearmanr
    from sklearn import metrics

    nan = float("nan")
    spread = not (constant(truth) or constant(scores))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [
            float(pearsonr(truth, scores).statistic) if spread else nan,
            nan if constant(truth) else float(metrics.r2_score(truth, scores)),
            float(metrics.root_mean_squared_error(truth, scores)),
            float(metrics.mean_absolute_error(truth, scores)),
        ]
        if ranked:
            found.append(float(spearmanr(truth, scores).statistic) if spread else nan)
    return found


def constant(values: Floats) -> bool:
    """Whether all values of float64[m], m at least 1, are the same but for rounding (1e-9 of the largest)."""
    return bool(np.ptp(values) <= 1e-9 * max(float(np.abs(values).max()), 1e-300))


def _why(name: str, value: float, truth: Floats, scores: Floats) -> str:
    if not np.isnan(value):
        return ""
    return "all labels are equal" if constant(truth) else "all predictions are equal"


def moment_draws(truth: Floats, scores: Floats, rows: Ints, resamples: Resamples) -> Floats:
    """Pearson, R2, RMSE and MAE of each resample; float64[B, 4], [0, 0] where there are no draws.

    Args:
        truth: float64[m].
        scores: float64[m].
        rows: int64[m], which rows of the resamples they are.
        resamples: of all rows.
    """
    error = scores - truth
    # About their means, so that squares do not cancel.
    x, y = truth - truth.mean(), scores - scores.mean()
    unit = resamples.unit_of[rows]
    columns = (np.ones(len(x)), x, y, x * x, y * y, x * y, error * error, np.abs(error))
    sums = np.stack([np.bincount(unit, column, resamples.units) for column in columns], axis=1)
    return linear_draws(sums, _from_moments, resamples)


def _from_moments(sums: Floats) -> Floats:
    n, x, y, xx, yy, xy, squared, absolute = sums.T
    spread_x, spread_y = xx - ratio(x * x, n), yy - ratio(y * y, n)
    spread_x = np.where(spread_x <= _NOTHING * xx, 0.0, spread_x)
    spread_y = np.where(spread_y <= _NOTHING * yy, 0.0, spread_y)
    pearson = ratio(xy - ratio(x * y, n), np.sqrt(spread_x * spread_y))
    found = [
        np.clip(pearson, -1.0, 1.0),
        1.0 - ratio(squared, spread_x),
        np.sqrt(ratio(squared, n)),
        ratio(absolute, n),
    ]
    return np.stack(found, axis=1)


def spearman_draws(truth: Floats, scores: Floats, rows: Ints, resamples: Resamples) -> Floats:
    """Spearman's rho of each resample, ties at mean rank; float64[B].

    Args:
        truth: float64[m].
        scores: float64[m].
        rows: int64[m], which rows of the resamples they are.
        resamples: of all rows.
    """
    ranking = [_places(truth), _places(scores)]

    def rho(weights: Floats) -> Floats:
        middle = 0.5 * (weights.sum(axis=1, keepdims=True) + 1.0)
        x, y = (_ranks(weights, *places) - middle for places in ranking)
        above = np.einsum("bm,bm,bm->b", weights, x, y)
        spread = [np.einsum("bm,bm,bm->b", weights, z, z) for z in (x, y)]
        return ratio(above, np.sqrt(spread[0] * spread[1]))[:, None]

    found = row_draws(rho, rows, resamples)
    return found[:, 0] if found.size else np.zeros(0)


def _places(values: Floats) -> tuple[Ints, Ints, Ints]:
    """Order of the rows, where each run of equal values begins in it, and the run of each row."""
    order = np.argsort(values, kind="stable")
    first = np.append(True, np.diff(values[order]) != 0)
    run = np.empty(len(values), dtype=np.int64)
    run[order] = np.cumsum(first) - 1
    return order, np.flatnonzero(first), run


def _ranks(weights: Floats, order: Ints, starts: Ints, run: Ints) -> Floats:
    """Mean ranks of rows that are there ``weights`` times; float64[b, m]."""
    count = np.add.reduceat(weights[:, order], starts, axis=1)
    ranks: Floats = (np.cumsum(count, axis=1) - 0.5 * (count - 1.0))[:, run]
    return ranks


def _mean(items: list[Quantity], n: int) -> Quantity:
    lacking = [item.of for item in items if np.isnan(item.value)]
    value = float(mean_of_known([item.value for item in items]))
    stacked = [item.draws for item in items if len(item.draws) and not np.isnan(item.value)]
    draws = mean_of_known(np.stack(stacked, axis=1)) if stacked else np.zeros(0)
    said = items[0].note
    if lacking:
        said = f"without {', '.join(lacking)}: {next(item.note for item in items if item.of == lacking[0])}"
    return Quantity(items[0].name, value, n, draws, "", said)
