"""Figures of multilabel targets: each label is a question of its own; unknown cells do not count.

Values are scikit-learn's; resamples use the counts of right and wrong cells by unit.
Shapes: m rows, C labels, U units, b draws.
"""

from __future__ import annotations

import warnings

import numpy as np

from genomecli.tasks.bootstrap import Resamples, linear_draws, mean_of_known, ratio
from genomecli.tasks.examples import Floats
from genomecli.tasks.figure import Quantity, undefined
from genomecli.tasks.metric_rows import ValueRows
from genomecli.tasks.metrics_classes import BINS, calibration_error, calibration_sums
from genomecli.tasks.metrics_ranked import affordable, area_quantities


def label_quantities(rows: ValueRows, resamples: Resamples) -> list[Quantity]:
    """Micro and macro F1, rows with all labels right, and precision, recall and F1 of each label.

    A label is said to be there at a probability of one half. Macro F1 leaves out labels that are neither
    there nor predicted.
    """
    C, n = len(rows.names), len(rows.truth)
    if n == 0:
        return [undefined("macro_f1", 0, rows.note or "no labelled rows")]
    sums = _sums(rows, resamples)
    values = _values(rows)
    draws = linear_draws(sums, lambda found: _figures(found, C), resamples)
    names = [("macro_f1", ""), ("micro_f1", ""), ("subset_accuracy", "")]
    names += [(name, of) for name in ("precision", "recall", "f1") for of in rows.names]
    each = rows.known.sum(axis=0)
    complete = int(rows.known.all(axis=1).sum())
    counts = [n, n, complete] + [int(count) for count in each] * 3
    found = [
        Quantity(name, value, count, draws[:, at] if draws.size else np.zeros(0), of, _why(name, value, rows))
        for at, ((name, of), value, count) in enumerate(zip(names, values, counts, strict=True))
    ]
    positives = (rows.known & (rows.truth > 0.5)).sum(axis=0)
    support = zip(rows.names, positives, each, strict=True)
    return found + [Quantity("support", int(count), int(all_), of=of) for of, count, all_ in support]


def label_rank_quantities(rows: ValueRows, resamples: Resamples) -> list[Quantity]:
    """AUROC and AUPRC, mean over labels and of each."""
    C = len(rows.names)
    few = affordable(resamples, len(rows.truth), C)
    kept = [np.flatnonzero(rows.known[:, c]) for c in range(C)]
    truth = [rows.truth[rows_c, c] > 0.5 for c, rows_c in enumerate(kept)]
    scores = [rows.scores[rows_c, c] for c, rows_c in enumerate(kept)]
    return area_quantities(rows.names, truth, scores, kept, few)


def label_calibration(rows: ValueRows, resamples: Resamples) -> Quantity:
    """Calibration error of the labels' probabilities: mean over labels, bins of equal width for each."""
    known = [np.flatnonzero(rows.known[:, c]) for c in range(len(rows.names))]
    sums = []
    for c, kept in enumerate(known):
        if len(kept):
            part = Resamples(resamples.unit_of[kept], resamples.units, resamples.draws, resamples.seed)
            sums.append(calibration_sums(rows.scores[kept, c], rows.truth[kept, c], part))
    if not sums:
        return undefined("ece", 0, "no labelled rows")
    width = BINS + 1

    def errors(flat: Floats) -> Floats:
        each = [
            calibration_error(flat[:, at : at + width])[:, 0] for at in range(0, len(sums) * width, width)
        ]
        return mean_of_known(np.stack(each, axis=1))[:, None]

    joined = np.concatenate(sums, axis=1)
    draws = linear_draws(joined, errors, resamples)
    value = float(errors(joined.sum(axis=0)[None])[0, 0])
    kept_draws = draws[:, 0] if draws.size else np.zeros(0)
    return Quantity("ece", value, len(rows.truth), kept_draws, corrected=True)


def _sums(rows: ValueRows, resamples: Resamples) -> Floats:
    """True and false positives, false negatives by label; right and complete rows; [U, 3C + 2]."""
    there, said = rows.truth > 0.5, rows.scores >= 0.5
    cells = [there & said, ~there & said, there & ~said]
    complete = np.asarray(rows.known.all(axis=1))
    right = complete & (there == said).all(axis=1)
    columns = np.concatenate(
        [*(cell & rows.known for cell in cells), right[:, None], complete[:, None]], axis=1
    )
    sums = np.zeros((resamples.units, columns.shape[1]))
    np.add.at(sums, resamples.unit_of, columns)
    return sums


def _figures(sums: Floats, C: int) -> Floats:
    hits, false, missed = sums[:, :C], sums[:, C : 2 * C], sums[:, 2 * C : 3 * C]
    f1 = ratio(2 * hits, 2 * hits + false + missed)
    micro = ratio(2 * hits.sum(axis=1), (2 * hits + false + missed).sum(axis=1))
    overall = np.stack([mean_of_known(f1), micro, ratio(sums[:, -2], sums[:, -1])], axis=1)
    return np.concatenate([overall, ratio(hits, hits + false), ratio(hits, hits + missed), f1], axis=1)


def _values(rows: ValueRows) -> list[float]:
    from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

    there, said = rows.truth > 0.5, rows.scores >= 0.5
    complete = rows.known.all(axis=1)
    nan = float("nan")
    with warnings.catch_warnings():
        # What scikit-learn warns of is told by the notes; it takes no empty arrays.
        warnings.simplefilter("ignore")
        each = [
            precision_recall_fscore_support(there[known, c], said[known, c], labels=[True], zero_division=nan)
            if known.any()
            else ([nan], [nan], [nan])
            for c, known in enumerate(rows.known.T)
        ]
        micro = f1_score(there[rows.known], said[rows.known], zero_division=nan)
        subset = accuracy_score(there[complete], said[complete]) if complete.any() else nan
    columns = [[float(found[at][0]) for found in each] for at in range(3)]
    macro = float(mean_of_known(columns[2]))
    return [macro, float(micro), float(subset), *columns[0], *columns[1], *columns[2]]


def _why(name: str, value: float, rows: ValueRows) -> str:
    if not np.isnan(value):
        return rows.note if name == "macro_f1" else ""
    reasons = {"precision": "never predicted", "recall": "no such label"}
    if name == "subset_accuracy":
        return "no row with all labels known"
    return reasons.get(name, "no such label or prediction")
