"""The composition baseline of whole sequences: word frequencies, or the letter at each place where all
sequences have one length, with logistic or ridge regression.

Shapes: n examples, m rows, C classes, labels or values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genomecli.tasks.baseline_fit import Fit, Rows, fit_logistic, fit_ridge
from genomecli.tasks.baselines import Baseline, BaselineTask, training_shares
from genomecli.tasks.composition import SequenceFeatures, View, fit_features, words_of
from genomecli.tasks.examples import Examples, Floats, Ints
from genomecli.tasks.place_features import common_length
from genomecli.tasks.predictions import Predictions


def fit_composition(task: BaselineTask) -> Baseline:
    """Fit the baseline of a target that has one label, or several, a sequence.

    Classes: one softmax over all. Labels: a logistic regression each. Values: a ridge regression each, of
    log(1 + value) where the target says so. Class weights are sample weights; of labels, weights of their
    positive rows. Where all sequences have one length, words, letters by place, or both are looked at, as
    the validation rows (or cross-validation in the training rows) choose.
    """
    views: tuple[View, ...] = ("words", "places", "both") if common_length(task.examples) else ("words",)
    found = [_fitted(task, view) for view in views]
    features, fits = min(found, key=lambda one: sum(fit.loss for fit in one[1] if fit is not None))
    shares = training_shares(task)
    target = task.target
    scores_of = {"regression": _values, "multilabel": _labels}.get(target.form, _classes)

    def predict(examples: Examples, rows: Ints) -> Predictions:
        if not len(rows):
            return Predictions(target, np.zeros((0, target.outputs)))
        table = features.of(examples, rows)
        return Predictions(target, scores_of(table, fits, shares, log=target.log))

    of = " (chosen likewise, of words, letters by place and both)" if len(views) > 1 and any(fits) else ""
    return Baseline("composition", f"{features.title}; {_method(task, fits)}{of}", predict)


def _fitted(task: BaselineTask, view: View) -> tuple[SequenceFeatures, list[Fit | None]]:
    """What is seen of the sequences, and the fits to it."""
    words = words_of(task.molecule, task.k, task.frame)
    pair = None if task.pair is None else words_of(task.pair, task.k, task.frame)
    features = fit_features(task.examples, task.train, words, pair, view)
    x = [features.of(task.examples, rows) for rows in (task.train, task.valid)]
    return features, _fits(task, x[0], x[1])


def _fits(task: BaselineTask, train: Any, valid: Any) -> list[Fit | None]:
    """One fit for classes; one for each label or value."""
    if task.target.form not in ("multilabel", "regression"):
        return [fit_logistic(_rows(task, task.train, train, 0), _rows(task, task.valid, valid, 0))]
    found: list[Fit | None] = []
    for column in range(task.target.outputs):
        both = _rows(task, task.train, train, column), _rows(task, task.valid, valid, column)
        if len(both[0].y) == 0:
            found.append(None)
        elif task.target.form == "regression":
            found.append(fit_ridge(*both))
        else:
            found.append(fit_logistic(*both))
    return found


def _rows(task: BaselineTask, rows: Ints, x: Any, column: int) -> Rows:
    """The rows with a known label, their weights and groups."""
    target = task.target
    values = task.examples.labels[target.name].values[rows]
    groups = rows if task.groups is None else task.groups[rows]
    if target.form in ("multilabel", "regression"):
        values = values[:, column].astype(np.float64)
        known = np.flatnonzero(~np.isnan(values))
    else:
        known = np.flatnonzero(values >= 0)
    y: Any = values[known]
    weight = np.ones(len(known))
    if target.form == "regression":
        y = np.log1p(y) if target.log else y
    else:
        y = y.astype(np.int64)
        if target.class_weights:
            factors = np.array(target.class_weights)
            weight = np.where(y == 1, factors[column], 1.0) if target.form == "multilabel" else factors[y]
    return Rows(x[known], y, weight, groups[known])


def _classes(table: Any, fits: Sequence[Fit | None], shares: Floats, *, log: bool) -> Floats:
    fit = fits[0]
    if fit is None:
        return np.tile(shares, (table.shape[0], 1))
    found = np.zeros((table.shape[0], len(shares)))
    found[:, fit.model.classes_] = fit.model.predict_proba(table)
    return found


def _labels(table: Any, fits: Sequence[Fit | None], shares: Floats, *, log: bool) -> Floats:
    found = np.tile(shares, (table.shape[0], 1))
    for column, fit in enumerate(fits):
        if fit is not None:
            found[:, column] = fit.model.predict_proba(table)[:, 1]
    return found


def _values(table: Any, fits: Sequence[Fit | None], shares: Floats, *, log: bool) -> Floats:
    found = np.tile(shares, (table.shape[0], 1))
    for column, fit in enumerate(fits):
        if fit is not None:
            plain = fit.model.predict(table)
            found[:, column] = np.expm1(plain) if log else plain
    return found


def _method(task: BaselineTask, fits: Sequence[Fit | None]) -> str:
    some = [fit for fit in fits if fit is not None]
    if not some:
        return "one class only in training, so its share"
    strengths = sorted({fit.strength for fit in some})
    if task.target.form == "regression":
        return f"ridge regression, alpha {_listed([1 / value for value in strengths])} {some[0].how}"
    each = " for each label" if task.target.form == "multilabel" else ""
    return f"logistic regression{each}, C {_listed(strengths)} {some[0].how}"


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values))
