"""Areas under ROC and precision-recall curves. Values are scikit-learn's; resamples use weighted counts.

Ties count as in scikit-learn: rows of equal score are one threshold. Shapes: m rows, C classes, b draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genomecli.tasks.bootstrap import LEAST_DRAWS, Resamples, mean_of_known, ratio, row_draws
from genomecli.tasks.examples import Floats, Ints
from genomecli.tasks.figure import Quantity, undefined
from genomecli.tasks.metric_rows import ClassRows

_WORK = 50_000_000
"""Rows times draws that ranked figures may cost; a few seconds."""


def affordable(resamples: Resamples, rows: int, curves: int = 1) -> Resamples:
    """As many of the draws as ranks of so many rows allow, in a few seconds."""
    return resamples.at_most(max(LEAST_DRAWS, _WORK // max(1, rows * curves)))


def rank_quantities(rows: ClassRows, resamples: Resamples) -> list[Quantity]:
    """AUROC and AUPRC of a binary target's positive class; of each class against the rest, and their mean.

    The mean is over classes that have rows on both sides.
    """
    chosen = questions(rows)
    few = affordable(resamples, len(rows.truth), len(chosen))
    names = [rows.classes[c] for c in chosen]
    truth = [rows.truth == c for c in chosen]
    scores = [rows.scores[:, c] for c in chosen]
    everything = [np.arange(len(rows.truth), dtype=np.int64)] * len(chosen)
    found = area_quantities(names, truth, scores, everything, few)
    return found if len(chosen) > 1 else [item for item in found if not item.of]


def questions(rows: ClassRows) -> list[int]:
    """Classes that are told from the rest: all of them; of two the second, the positive one."""
    return [1] if len(rows.classes) == 2 else list(range(len(rows.classes)))


def area_quantities(
    names: Sequence[str],
    truth: Sequence[NDArray[np.bool_]],
    scores: Sequence[Floats],
    rows: Sequence[Ints],
    resamples: Resamples,
) -> list[Quantity]:
    """AUROC and AUPRC: the mean over several binary questions, then each of them.

    Args:
        names: of the questions.
        truth: bool[m] of each.
        scores: float64[m] of each.
        rows: int64[m] of each: which rows of the resamples they are.
        resamples: of all rows.
    """
    singles = [
        _areas(name, truth_m, scores_m, rows_m, resamples)
        for name, truth_m, scores_m, rows_m in zip(names, truth, scores, rows, strict=True)
    ]
    return joined_areas(singles, max((len(found) for found in rows), default=0))


def joined_areas(singles: Sequence[tuple[Quantity, Quantity]], n: int) -> list[Quantity]:
    """AUROC and AUPRC of several questions: the means, of ``n`` rows, before each of them."""
    columns = [[pair[at] for pair in singles] for at in (0, 1)]
    return [_mean(column, n) for column in columns] + [item for column in columns for item in column]


def one_sided(name: str, truth: NDArray[np.bool_]) -> tuple[Quantity, Quantity] | None:
    """AUROC and AUPRC without a value, and why, where there are not rows on both sides; otherwise None.

    Args:
        name: of the question.
        truth: bool[m].
    """
    if truth.any() and not truth.all():
        return None
    why = "no rows of the other classes" if truth.any() else "no rows of this class"
    why = why if len(truth) else "no labelled rows"
    roc, precision = (undefined(metric, len(truth), why, name) for metric in ("auroc", "auprc"))
    return roc, precision


def _areas(
    name: str, truth: NDArray[np.bool_], scores: Floats, rows: Ints, resamples: Resamples
) -> tuple[Quantity, Quantity]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    blank = one_sided(name, truth)
    if blank is not None:
        return blank
    draws = area_draws(truth, scores, rows, resamples)
    roc, precision = (draws[:, 0], draws[:, 1]) if draws.size else (np.zeros(0), np.zeros(0))
    return (
        Quantity("auroc", float(roc_auc_score(truth, scores)), len(truth), roc, name),
        Quantity("auprc", float(average_precision_score(truth, scores)), len(truth), precision, name),
    )


def _mean(items: Sequence[Quantity], n: int) -> Quantity:
    lacking = [item.of for item in items if np.isnan(item.value)]
    value = float(mean_of_known([item.value for item in items]))
    stacked = [item.draws for item in items if len(item.draws)]
    draws = mean_of_known(np.stack(stacked, axis=1)) if stacked else np.zeros(0)
    note = ""
    if len(items) == 1:
        note = items[0].note
    elif lacking:
        note = f"without {', '.join(lacking)}: rows on one side only"
    return Quantity(items[0].name, value, n, draws, "", note)


def area_draws(truth: NDArray[np.bool_], scores: Floats, rows: Ints, resamples: Resamples) -> Floats:
    """AUROC and average precision of each resample; float64[B, 2], [0, 0] where there are no draws.

    Args:
        truth: bool[m].
        scores: float64[m], no NaN.
        rows: int64[m], which rows of the resamples they are.
        resamples: of all rows.
    """
    order = np.argsort(-scores, kind="stable")
    positive = truth[order].astype(np.float64)
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))

    tied = len(ends) < len(order)

    def areas(weights: Floats) -> Floats:
        right = weights * positive
        hits, seen, rows_here = np.cumsum(right, axis=1), np.cumsum(weights, axis=1), weights
        if tied:
            hits, seen = hits[:, ends], seen[:, ends]
            right, rows_here = np.diff(hits, axis=1, prepend=0.0), np.diff(seen, axis=1, prepend=0.0)
        return step_areas(hits, seen, right, rows_here)

    return row_draws(areas, rows[order], resamples)


def step_areas(hits: Floats, seen: Floats, right: Floats, every: Floats) -> Floats:
    """AUROC and average precision of curves with one threshold a step; float64[b, 2].

    Args:
        hits: float64[b, K], rows of the class down to the end of each step, from the highest scores.
        seen: all rows likewise.
        right: float64[b, K], rows of the class in each step.
        every: all rows in each step.

    Returns:
        NaN for a figure that is 0 / 0.
    """
    total, everything = hits[:, -1], seen[:, -1]
    # A false row counts the hits above it, and half of those of equal score.
    false = every - right
    under = _dot(false, hits) - 0.5 * _dot(false, right)
    precision = _dot(right, hits / np.maximum(seen, 1.0))
    return np.stack([ratio(under, total * (everything - total)), ratio(precision, total)], axis=1)


def _dot(left: Floats, right: Floats) -> Floats:
    found: Floats = np.einsum("bm,bm->b", left, right)
    return found
