"""Areas under ROC and precision-recall curves of very many symbols: sorted once, drawn in steps.

Values are exact. A resample of two million symbols would cost as much again as the value, so its curve is
drawn with at most :data:`STEPS` thresholds instead of one a symbol: half of them part all symbols evenly,
half those of the class, which are often rare and then lie at the top. What each unit (a sequence, a group)
adds to each step is counted once, and a resample is a matrix product. What the steps change of the value
itself is taken off all draws.

Shapes: m symbols, U units, K steps, b draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.tasks.bootstrap import LEAST_DRAWS, Resamples, linear_draws
from genomecli.tasks.examples import Floats, Ints
from genomecli.tasks.figure import Quantity
from genomecli.tasks.metric_rows import ClassRows
from genomecli.tasks.metrics_ranked import joined_areas, one_sided, questions, step_areas

STEPS = 512
"""Thresholds of a resample's curve, at most."""

_DENSE = 8_000_000
"""Counts of units and steps that are held as a plain table."""

_WORK = 400_000_000
"""Symbols times draws that one question may cost where the counts are sparse; a second."""


def symbol_rank_quantities(rows: ClassRows, resamples: Resamples) -> list[Quantity]:
    """AUROC and AUPRC of a token target, over its classes as
    :func:`~genomecli.tasks.metrics_ranked.rank_quantities` has them."""
    chosen, few = questions(rows), resamples
    if resamples.units * 2 * STEPS > _DENSE:
        few = resamples.at_most(max(LEAST_DRAWS, _WORK // max(1, len(rows.truth))))
    singles = [_areas(rows.classes[c], rows.truth == c, rows.scores[:, c], few) for c in chosen]
    found = joined_areas(singles, len(rows.truth))
    return found if len(chosen) > 1 else [item for item in found if not item.of]


def _areas(
    name: str, truth: NDArray[np.bool_], scores: Floats, resamples: Resamples
) -> tuple[Quantity, Quantity]:
    blank = one_sided(name, truth)
    if blank is not None:
        return blank
    order, hits, ends, exact = _ranked(truth, scores)
    draws = np.zeros((0, 2))
    if resamples.draws:
        step_of = np.empty(len(order), dtype=np.int64)
        step_of[order] = np.searchsorted(_cuts(hits, ends), np.arange(len(order)))
        draws = _draws(truth, step_of, exact, resamples)
    roc, precision = (
        Quantity(metric, float(exact[at]), len(truth), draws[:, at], name)
        for at, metric in enumerate(("auroc", "auprc"))
    )
    return roc, precision


def _ranked(truth: NDArray[np.bool_], scores: Floats) -> tuple[Ints, Floats, Ints, Floats]:
    """Rows by falling score, rows of the class down to each, the last row of each score, and both areas."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order], dtype=np.float64)
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    exact = _of_sums(np.diff(hits[ends], prepend=0.0)[None], np.diff(ends + 1.0, prepend=0.0)[None])[0]
    return order, hits, ends, exact


@dataclass(frozen=True)
class SymbolCurves:
    """ROC, and precision against recall, of one class against the rest, by falling score.

    Args:
        false: float64[K + 1], rate of false alarms.
        right: float64[K + 1], share of the class that is found: recall too.
        precision: float64[K + 1], share of those found that are right; the first is that of the second.
        areas: AUROC and average precision, exact.
    """

    false: Floats
    right: Floats
    precision: Floats
    areas: tuple[float, float]


def symbol_curves(truth: NDArray[np.bool_], scores: Floats) -> SymbolCurves | None:
    """The curves at the steps of :func:`_cuts`; None where there are not symbols on both sides.

    Args:
        truth: bool[m], which symbols are of the class.
        scores: float64[m].
    """
    if not truth.any() or truth.all():
        return None
    _, hits, ends, areas = _ranked(truth, scores)
    cuts = _cuts(hits, ends)
    found, seen = hits[cuts], cuts + 1.0
    false, right = (seen - found) / (len(truth) - hits[-1]), found / hits[-1]
    precision = found / seen
    return SymbolCurves(
        np.append(0.0, false),
        np.append(0.0, right),
        np.append(precision[0], precision),
        (float(areas[0]), float(areas[1])),
    )


def _cuts(hits: Floats, ends: Ints) -> Ints:
    """int64[K]: the last row of each step, never between rows of equal score; every step where few differ.

    Args:
        hits: float64[m], rows of the class down to each row, by falling score.
        ends: int64, the last row of each score.
    """
    if len(ends) <= STEPS:
        return ends
    half = STEPS // 2
    rows = np.linspace(0, len(hits), half + 1)[1:] - 1
    inside = np.searchsorted(hits, np.linspace(0, hits[-1], half + 1)[1:])
    wanted = np.concatenate([rows.astype(np.int64), inside, [len(hits) - 1]])
    return ends[np.unique(np.searchsorted(ends, wanted))]


def _draws(truth: NDArray[np.bool_], step_of: Ints, exact: Floats, resamples: Resamples) -> Floats:
    """AUROC and average precision of each resample; float64[B, 2]."""
    K = int(step_of.max()) + 1
    width = 2 * K
    place = resamples.unit_of * width + step_of + K * truth
    sums = _counted(place, resamples.units, width)

    def areas(cells: Floats) -> Floats:
        return _of_sums(cells[:, K:], cells[:, :K] + cells[:, K:])

    whole = np.asarray(sums.sum(axis=0), dtype=np.float64).reshape(1, width)
    return np.clip(linear_draws(sums, areas, resamples) - areas(whole) + exact, 0.0, 1.0)


def _counted(place: Ints, units: int, width: int) -> Any:
    """Symbols of each unit, step and side, [U, width]: a plain table, or scipy CSR where that is large."""
    from scipy.sparse import csr_array

    if units * width <= _DENSE:
        return np.bincount(place, minlength=units * width).reshape(units, width).astype(np.float64)
    cells, counts = np.unique(place, return_counts=True)
    begins = np.searchsorted(cells, np.arange(units + 1) * width)
    return csr_array((counts.astype(np.float64), cells % width, begins), shape=(units, width))


def _of_sums(right: Floats, every: Floats) -> Floats:
    """The areas of rows and rows of the class in each step, float64[b, K] each; float64[b, 2]."""
    return step_areas(np.cumsum(right, axis=1), np.cumsum(every, axis=1), right, every)
