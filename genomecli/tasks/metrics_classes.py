"""Figures of chosen classes, from confusion matrices, and the calibration of their probabilities.

Values are scikit-learn's, taken on the cells of the confusion matrix with their counts as weights; resamples
use the same formulas on whole arrays of confusion matrices. A figure that is 0 / 0 is NaN, but for the MCC of
predictions that are all of one class: it is 0, as in scikit-learn, so that the majority can be compared.

Shapes: m rows, C classes, U units, b draws.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.tasks.bootstrap import Resamples, linear_draws, mean_of_known, ratio
from genomecli.tasks.examples import Floats, Ints
from genomecli.tasks.figure import Quantity, undefined
from genomecli.tasks.metric_rows import ClassRows

BINS = 15
"""Bins of the calibration error, as in Guo et al. 2017 (arXiv:1706.04599)."""

ONE_CLASS = "one class only among the labels"


def confusion(truth: Ints, chosen: Ints, classes: int) -> NDArray[np.int64]:
    """Confusion matrix int64[C, C]: rows are labels, columns predictions, int64[m] each, 0 to C - 1."""
    cells = np.bincount(truth * classes + chosen, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def class_quantities(rows: ClassRows, resamples: Resamples) -> list[Quantity]:
    """All figures of chosen classes: accuracy, balanced accuracy, MCC, F1, and each class's own."""
    C, n = len(rows.classes), len(rows.truth)
    if n == 0:
        return [undefined("accuracy", 0, rows.note or "no labelled rows")]
    draws = linear_draws(_cells(rows, resamples), lambda cells: _figures(cells.reshape(-1, C, C)), resamples)
    values = _values(confusion(rows.truth, rows.chosen, C))
    overall = ["accuracy", "balanced_accuracy", "mcc", "macro_f1"]
    names = [(name, "") for name in overall]
    names += [(name, of) for name in ("precision", "recall", "f1") for of in rows.classes]
    support = np.bincount(rows.truth, minlength=C)
    counts = [n] * len(overall) + [int(count) for count in support] * 3
    found = [
        Quantity(name, value, count, _column(draws, at), of, _why(name, of, value, rows))
        for at, ((name, of), value, count) in enumerate(zip(names, values, counts, strict=True))
    ]
    if C == 2:
        positive = next(item for item in found if (item.name, item.of) == ("f1", rows.classes[1]))
        found.insert(len(overall), Quantity("f1", positive.value, n, positive.draws, "", positive.note))
    return found + [
        Quantity("support", int(count), int(count), of=of)
        for count, of in zip(support, rows.classes, strict=True)
    ]


def calibration_quantity(rows: ClassRows, resamples: Resamples) -> Quantity:
    """Expected calibration error of the chosen class: bins of equal width over its probability.

    The mean over bins, weighted by their rows, of the distance between mean probability and share of right
    answers (Guo et al. 2017). Noise only adds to it, so the lower end of its interval is bias-corrected.
    """
    if len(rows.truth) == 0:
        return undefined("ece", 0, "no labelled rows")
    right = (rows.chosen == rows.truth).astype(np.float64)
    gaps = calibration_sums(rows.scores.max(axis=1), right, resamples)
    value = float(calibration_error(gaps.sum(axis=0)[None])[0, 0])
    draws = linear_draws(gaps, calibration_error, resamples)
    return Quantity("ece", value, len(right), _column(draws, 0), corrected=True)


def calibration_bins(confidence: Floats) -> Ints:
    """int64[m]: the bin, 0 to BINS - 1, of each probability, float64[m].

    A bin holds its upper end and not its lower one; the first holds 0 too.
    """
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)


def calibration_sums(confidence: Floats, right: Floats, resamples: Resamples) -> Floats:
    """Probability less right answers by unit and bin, and the unit's rows; float64[U, BINS + 1].

    Args:
        confidence: float64[m], probability of what was chosen.
        right: float64[m], 1 where that is right, else 0.
        resamples: of the m rows.
    """
    place = resamples.unit_of * (BINS + 1) + calibration_bins(confidence)
    size = resamples.units * (BINS + 1)
    flat: Floats = np.bincount(place, weights=confidence - right, minlength=size).astype(np.float64)
    sums = flat.reshape(-1, BINS + 1)
    sums[:, BINS] = np.bincount(resamples.unit_of, minlength=resamples.units)
    return sums


def calibration_error(sums: Floats) -> Floats:
    """Expected calibration error, 0 to 1, float64[b, 1].

    Args:
        sums: float64[b, BINS + 1], those of :func:`calibration_sums` added over the units.
    """
    found: Floats = ratio(np.abs(sums[:, :BINS]).sum(axis=1), sums[:, BINS])[:, None]
    return found


def sequence_quantity(rows: ClassRows, resamples: Resamples) -> Quantity:
    """Accuracy within each sequence, averaged over sequences: short ones count as much as long ones."""
    if rows.sequence is None or len(rows.truth) == 0:
        return undefined("sequence_accuracy", 0, "no labelled rows")
    ids, place = np.unique(rows.sequence, return_inverse=True)
    share = np.bincount(place, weights=rows.chosen == rows.truth) / np.bincount(place)
    units = np.empty(len(ids), dtype=np.int64)
    units[place] = resamples.unit_of
    size = resamples.units
    sums = np.stack([np.bincount(units, share, size), np.bincount(units, minlength=size)], axis=1)
    draws = linear_draws(sums, lambda found: ratio(found[:, 0], found[:, 1])[:, None], resamples)
    return Quantity("sequence_accuracy", float(share.mean()), len(ids), _column(draws, 0))


def _cells(rows: ClassRows, resamples: Resamples) -> Any:
    """Each unit's confusion matrix, flat and sparse: scipy CSR [U, C * C]."""
    from scipy.sparse import coo_array

    C = len(rows.classes)
    place = (resamples.unit_of, rows.truth * C + rows.chosen)
    return coo_array((np.ones(len(rows.truth)), place), shape=(resamples.units, C * C)).tocsr()


def _figures(cells: Floats) -> Floats:
    """From confusion matrices [b, C, C] to the four overall figures, and P, R, F1 of each class.

    The MCC of several classes is Gorodkin's (2004, doi:10.1016/j.compbiolchem.2004.09.006).
    """
    right = np.diagonal(cells, axis1=1, axis2=2)
    truth, chosen, total = cells.sum(axis=2), cells.sum(axis=1), cells.sum(axis=(1, 2))
    hits = right.sum(axis=1)
    precision, recall = ratio(right, chosen), ratio(right, truth)
    f1 = ratio(2 * right, truth + chosen)
    several = (truth > 0).sum(axis=1) > 1
    spread = np.sqrt((total**2 - (truth**2).sum(axis=1)) * (total**2 - (chosen**2).sum(axis=1)))
    mcc = ratio(hits * total - (truth * chosen).sum(axis=1), spread, empty=0.0)
    overall = [
        ratio(hits, total),
        np.where(several, mean_of_known(recall), np.nan),
        np.where(several, mcc, np.nan),
        mean_of_known(f1),
    ]
    return np.concatenate([np.stack(overall, axis=1), precision, recall, f1], axis=1)


def _values(table: NDArray[np.int64]) -> list[float]:
    """The same figures of one confusion matrix, from scikit-learn."""
    from sklearn import metrics

    truth, chosen = np.nonzero(table)
    count = table[truth, chosen].astype(np.float64)
    several = len(np.unique(truth)) > 1
    nan = float("nan")
    with warnings.catch_warnings():
        # What scikit-learn warns of is told by the notes.
        warnings.simplefilter("ignore")
        balanced = metrics.balanced_accuracy_score(truth, chosen, sample_weight=count) if several else nan
        mcc = metrics.matthews_corrcoef(truth, chosen, sample_weight=count) if several else nan
        each = metrics.precision_recall_fscore_support(
            truth, chosen, labels=np.arange(len(table)), sample_weight=count, zero_division=nan
        )
        macro = metrics.f1_score(truth, chosen, sample_weight=count, average="macro", zero_division=nan)
    overall = [metrics.accuracy_score(truth, chosen, sample_weight=count), balanced, mcc, macro]
    return [float(value) for value in [*overall, *each[0], *each[1], *each[2]]]


def _why(name: str, of: str, value: float, rows: ClassRows) -> str:
    if name in ("balanced_accuracy", "mcc") and np.isnan(value):
        return ONE_CLASS
    if not np.isnan(value):
        return rows.note if name == "accuracy" else ""
    return {"precision": "never predicted", "recall": "no such label"}.get(
        name, "no such label or prediction"
    )


def _column(draws: Floats, at: int) -> Floats:
    return draws[:, at] if draws.size else np.zeros(0)
