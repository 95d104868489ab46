"""Rows that count: those with a known label and a prediction, and the bootstrap unit of each.

Shapes: n examples, m rows that count, N symbols, C classes or values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from genomecli.tasks.examples import MISSING, Floats, Ints, Labels
from genomecli.tasks.predictions import Predictions


@dataclass(frozen=True)
class ClassRows:
    """Rows, or symbols, of one class each.

    Args:
        classes: C names.
        truth: int64[m].
        chosen: int64[m], the most probable class.
        scores: float64[m, C], probabilities.
        units: int64[m], names of bootstrap units.
        sequence: int64[m], the example of each symbol; None where an example is a row.
        note: what was left out; may be empty.
    """

    classes: tuple[str, ...]
    truth: Ints
    chosen: Ints
    scores: Floats
    units: Ints
    sequence: Ints | None = None
    note: str = ""


@dataclass(frozen=True)
class ValueRows:
    """Examples with several labels or measured values.

    Args:
        names: C names.
        truth: float64[m, C], NaN where unknown.
        scores: float64[m, C], NaN where there is no prediction.
        known: bool[m, C], cells that count.
        units: int64[m], names of bootstrap units.
        note: what was left out; may be empty.
    """

    names: tuple[str, ...]
    truth: Floats
    scores: Floats
    known: NDArray[np.bool_]
    units: Ints
    note: str = ""


def class_rows(predictions: Predictions, labels: Labels, groups: Ints | None) -> ClassRows:
    """Rows of a binary, multiclass or token target.

    Args:
        predictions: of n examples.
        labels: of the same examples.
        groups: int64[n], groups of the split; None where each example stands alone.

    Raises:
        ValueError: if predictions and labels are not of the same examples.
    """
    _check(predictions, labels, groups)
    truth = labels.values.astype(np.int64)
    known = truth != MISSING
    counted = known & np.isfinite(predictions.scores).all(axis=1)
    units = np.arange(len(labels), dtype=np.int64) if groups is None else groups
    sequence = None
    if predictions.offsets is not None:
        sequence = np.repeat(np.arange(len(labels), dtype=np.int64), np.diff(predictions.offsets))
        units, sequence = units[sequence][counted], sequence[counted]
    else:
        units = units[counted]
    what = "rows" if predictions.offsets is None else "symbols"
    return ClassRows(
        predictions.target.classes,
        truth[counted],
        predictions.chosen[counted],
        predictions.scores[counted],
        units,
        sequence,
        _left_out(int(known.sum()), int(counted.sum()), what),
    )


def value_rows(predictions: Predictions, labels: Labels, groups: Ints | None) -> ValueRows:
    """Rows of a regression or multilabel target; arguments and errors are those of :func:`class_rows`."""
    _check(predictions, labels, groups)
    truth = labels.values.astype(np.float64)
    known = np.isfinite(truth)
    counted = known & np.isfinite(predictions.scores)
    kept = counted.any(axis=1)
    units = np.arange(len(labels), dtype=np.int64) if groups is None else groups
    note = _left_out(int(known.any(axis=1).sum()), int(kept.sum()), "rows")
    names = predictions.target.classes
    return ValueRows(names, truth[kept], predictions.scores[kept], counted[kept], units[kept], note)


def shared(*predictions: Predictions) -> tuple[Predictions, ...]:
    """The same predictions, without the rows (or symbols) that any of them lacks.

    So models are compared on the same rows, whatever their tokens cover.
    """
    absent = np.any([~np.isfinite(found.scores) for found in predictions], axis=0)
    return tuple(replace(found, scores=np.where(absent, np.nan, found.scores)) for found in predictions)


def _check(predictions: Predictions, labels: Labels, groups: Ints | None) -> None:
    if len(predictions.scores) != len(labels.values) or len(predictions) != len(labels):
        raise ValueError(f"{len(predictions)} predictions for {len(labels)} labels")
    if groups is not None and len(groups) != len(labels):
        raise ValueError(f"{len(groups)} groups for {len(labels)} labels")


def _left_out(known: int, counted: int, what: str) -> str:
    gone = known - counted
    return f"{gone} of {known} labelled {what} have no prediction and do not count" if gone else ""
