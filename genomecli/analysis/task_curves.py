"""The data of a target's drawings on the part that is judged: confusion, curves, calibration, scatter.

Of several seeds the first is drawn; folds are put together, so that every row is there once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.figures.scatter import log_scale
from genomecli.analysis.task_results import Curve, Matrix, Scatter, TargetResults
from genomecli.tasks.examples import Floats
from genomecli.tasks.metric_rows import ClassRows, ValueRows, class_rows, value_rows
from genomecli.tasks.metrics_classes import BINS, calibration_bins, confusion
from genomecli.tasks.metrics_symbols import symbol_curves
from genomecli.tasks.metrics_values import constant
from genomecli.tasks.schema import Target

if TYPE_CHECKING:
    from genomecli.analysis.task_judging import Trial

POINTS = 200
"""Points of a curve that are kept."""

SCATTERED = 2000
"""Rows that are drawn one by one; more become a grid of counts."""

GRID = 40
"""Cells a side of that grid."""

Question = tuple[str, NDArray[np.bool_], Floats]
"""A class or label, whether each row has it, and its probability."""


def draw_data(results: TargetResults, trials: Sequence[Trial], *, folds: bool) -> TargetResults:
    """The same results with the data of their drawings."""
    # Test rows of folds are all rows, once each; validation rows of several folds would be there repeatedly.
    shown = trials if folds and results.judged == "test" else trials[:1]
    if results.judged not in shown[0].labels:
        return results
    target = results.target
    found = results
    for model in shown[0].predictions:
        found = _with_model(found, target, model, shown)
    return _few_curves(found, next(iter(shown[0].predictions)))


def _few_curves(results: TargetResults, network: str) -> TargetResults:
    """Of many classes the curves of the network and the best baseline alone: no drawing holds more."""
    if len({curve.of for curve in results.roc}) < 2:
        return results
    kept = {network} | (set() if results.difference is None else {results.difference.other})
    roc, precision = (
        tuple(curve for curve in curves if curve.model in kept)
        for curves in (results.roc, results.precision_recall)
    )
    return replace(results, roc=roc, precision_recall=precision)


def _with_model(results: TargetResults, target: Target, model: str, trials: Sequence[Trial]) -> TargetResults:
    if target.form == "regression":
        scatter = [
            item
            for item in _scatters(model, _joined_values(model, trials, results.judged), log=target.log)
            if item is not None
        ]
        return replace(results, scatter=(*results.scatter, *scatter))
    if target.form == "multilabel":
        values = _joined_values(model, trials, results.judged)
        questions = list(_label_questions(values))
        bins = [_bins(model, of, score, there.astype(np.float64)) for of, there, score in questions]
        matrix: Matrix | None = None
    else:
        rows = _joined_classes(model, trials, results.judged)
        questions = list(_class_questions(rows))
        right = (rows.chosen == rows.truth).astype(np.float64)
        bins = [_bins(model, "", rows.scores.max(axis=1), right)] if len(right) else []
        matrix = _matrix(rows)
    drawn = _symbol_curves if target.form == "token" else _curves
    curves = [curve for question in questions if (curve := drawn(model, *question)) is not None]
    return replace(
        results,
        confusion=results.confusion if matrix is None else {**results.confusion, model: matrix},
        roc=(*results.roc, *(roc for roc, _ in curves)),
        precision_recall=(*results.precision_recall, *(precision for _, precision in curves)),
        calibration=(*results.calibration, *bins),
    )


def _joined_classes(model: str, trials: Sequence[Trial], part: str) -> ClassRows:
    found = [class_rows(trial.predictions[model][part], trial.labels[part], None) for trial in trials]
    return ClassRows(
        found[0].classes,
        np.concatenate([rows.truth for rows in found]),
        np.concatenate([rows.chosen for rows in found]),
        np.concatenate([rows.scores for rows in found]),
        np.concatenate([rows.units for rows in found]),
    )


def _joined_values(model: str, trials: Sequence[Trial], part: str) -> ValueRows:
    found = [value_rows(trial.predictions[model][part], trial.labels[part], None) for trial in trials]
    return ValueRows(
        found[0].names,
        np.concatenate([rows.truth for rows in found]),
        np.concatenate([rows.scores for rows in found]),
        np.concatenate([rows.known for rows in found]),
        np.concatenate([rows.units for rows in found]),
    )


def _matrix(rows: ClassRows) -> Matrix:
    table = confusion(rows.truth, rows.chosen, len(rows.classes))
    return tuple(tuple(float(cell) for cell in line) for line in table)


def _class_questions(rows: ClassRows) -> Iterator[Question]:
    """The positive class of two; of more each against the rest."""
    for c in [1] if len(rows.classes) == 2 else range(len(rows.classes)):
        yield rows.classes[c], rows.truth == c, rows.scores[:, c]


def _label_questions(rows: ValueRows) -> Iterator[Question]:
    for c, name in enumerate(rows.names):
        known = rows.known[:, c]
        yield name, rows.truth[known, c] > 0.5, rows.scores[known, c]


def _curves(model: str, of: str, truth: NDArray[np.bool_], scores: Floats) -> tuple[Curve, Curve] | None:
    """ROC, and precision against recall; None where there is one class only."""
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    if len(truth) == 0 or truth.all() or not truth.any():
        return None
    false, right, _ = roc_curve(truth, scores)
    precision, recall, _ = precision_recall_curve(truth, scores)
    roc = _thinned(model, of, false, right, float(roc_auc_score(truth, scores)))
    area = float(average_precision_score(truth, scores))
    # scikit-learn begins the line at a precision of 1 that no threshold has.
    precision[-1] = precision[-2]
    return roc, _thinned(model, of, recall[::-1], precision[::-1], area)


def _symbol_curves(
    model: str, of: str, truth: NDArray[np.bool_], scores: Floats
) -> tuple[Curve, Curve] | None:
    """The same of very many symbols, which are sorted once."""
    found = symbol_curves(truth, scores)
    if found is None:
        return None
    roc = _thinned(model, of, found.false, found.right, found.areas[0])
    return roc, _thinned(model, of, found.right, found.precision, found.areas[1])


def _thinned(model: str, of: str, x: Floats, y: Floats, area: float) -> Curve:
    """At most ``POINTS`` points, ends kept."""
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).round().astype(np.int64))
    return Curve(model, of, _rounded(x[kept]), _rounded(y[kept]), (), area)


def _bins(model: str, of: str, confidence: Floats, right: Floats) -> Curve:
    """Mean probability, share of right answers and rows of each bin that has any."""
    place = calibration_bins(confidence)
    size = np.bincount(place, minlength=BINS)
    kept = size > 0
    x = np.bincount(place, confidence, BINS)[kept] / size[kept]
    y = np.bincount(place, right, BINS)[kept] / size[kept]
    return Curve(model, of, _rounded(x), _rounded(y), tuple(int(count) for count in size[kept]))


def _scatters(model: str, rows: ValueRows, *, log: bool) -> Iterator[Scatter | None]:
    for c, name in enumerate(rows.names):
        known = rows.known[:, c]
        measured, predicted = rows.truth[known, c], rows.scores[known, c]
        if len(measured) == 0:
            yield None
            continue
        r = _correlation(measured, predicted)
        if len(measured) <= SCATTERED:
            yield Scatter(model, name, _rounded(measured), _rounded(predicted), log=log, r=r)
        else:
            yield replace(_grid(model, name, measured, predicted, log=log), r=r)


def _correlation(measured: Floats, predicted: Floats) -> float | None:
    """Of the rows that are drawn: of folds all together, which the mean over folds is not."""
    if len(measured) < 2 or constant(measured) or constant(predicted):
        return None
    return float(np.corrcoef(measured, predicted)[0, 1])


def _grid(model: str, name: str, measured: Floats, predicted: Floats, *, log: bool) -> Scatter:
    """Counts on a grid; predictions far beyond the measured values go to its rim."""
    if log:
        measured, predicted = log_scale(measured), log_scale(predicted)
    low, high = float(measured.min()), float(measured.max())
    span = (high - low) or 1.0
    low = min(low, max(float(predicted.min()), low - 0.3 * span))
    high = max(high, min(float(predicted.max()), high + 0.3 * span))
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, GRID + 1)
    counts, _, _ = np.histogram2d(np.clip(predicted, low, high), measured, bins=[edges, edges])
    table = tuple(tuple(float(cell) for cell in line) for line in counts)
    ends = (float(np.expm1(low)), float(np.expm1(high))) if log else (low, high)
    return Scatter(model, name, counts=table, edges=ends, log=log)


def _rounded(values: Floats) -> tuple[float, ...]:
    """Six digits are more than a drawing shows, and the results stay small."""
    return tuple(float(f"{value:.6g}") for value in values)
