"""Areas under ROC and precision-recall curves. Values are scikit-learn's; resamples use weighted counts.

Ties count as in scikit-learn: rows of equal score are one threshold. Shapes: m rows, C classes, b draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genomecli.tasks.bootstrap import LEAST_DRAWS, Resamples, mean_of_known, ratio, row_draws
from genomecli.tasks.examples import Floats, Ints
from genomecli.tasks.figure import Quantity
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
    C = len(rows.classes)
    if C == 2:
        chosen = [1]
    else:
        chosen = list(range(C))
    few = affordable(resamples, len(rows.truth), len(chosen))
    names = [rows.classes[c] for c in chosen]
    truth = [rows.truth == c for c in chosen]
    scores = [rows.scores[:, c] for c in chosen]
    everything = [np.arange(len(rows.truth), dtype=np.int64)] * len(chosen)
    found = area_quantities(names, truth, scores, everything, few)
    if C == 2:
        return [item for item in found if not item.of]
    return found


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
    means = []
    for at in (0, 1):
        column = [pair[at] for pair in singles]
        means.append(_mean(column, max((len(found) for found in rows), default=0)))
    return means + [item for at in (0, 1) for item in (pair[at] for pair in singles)]


def _areas(
    name: str, truth: NDArray[np.bool_], scores: Floats, rows: Ints, resamples: Resamples
) -> tuple[Quantity, Quantity]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    if len(truth) == 0 or truth.all() or not truth.any():
        why = "no labelled rows" if len(truth) == 0 else "no rows of the other classes"
        why = "no rows of this class" if len(truth) and not truth.any() else why
        blank = Quantity("auroc", float("nan"), len(truth), of=name, note=why)
        return blank, Quantity("auprc", float("nan"), len(truth), of=name, note=why)
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
    """AUROC and average precision of each resample; float64[B, 2]."""
    order = np.argsort(-scores, kind="stable")
    positive = truth[order].astype(np.float64)
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))

    tied = len(ends) < len(order)

    def areas(weights: Floats) -> Floats:
        right = weights * positive
        hits, seen, rows_here = np.cumsum(right, axis=1), np.cumsum(weights, axis=1), weights
        total, everything = hits[:, -1], seen[:, -1]
        if tied:
            hits, seen = hits[:, ends], seen[:, ends]
            right, rows_here = np.diff(hits, axis=1, prepend=0.0), np.diff(seen, axis=1, prepend=0.0)
        # A false row counts the hits above it, and half of those of equal score.
        false = rows_here - right
        under = _dot(false, hits) - 0.5 * _dot(false, right)
        precision = _dot(right, hits / np.maximum(seen, 1.0))
        return np.stack([ratio(under, total * (everything - total)), ratio(precision, total)], axis=1)

    return row_draws(areas, rows[order], resamples)


def _dot(left: Floats, right: Floats) -> Floats:
    found: Floats = np.einsum("bm,bm->b", left, right)
    return found
