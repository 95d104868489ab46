"""Logistic and ridge regression, the penalty chosen on validation rows, or by cross-validation in training.

Shapes: m rows, F numbers of each, C classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from genomecli.tasks.examples import Floats, Ints

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Values of C that are tried; of ridge regression alpha = 1 / C."""

LEAST_VALID = 30
"""With fewer labelled validation rows the training rows are cross-validated."""

FOLDS = 5
STEPS = 500


@dataclass(frozen=True)
class Rows:
    """Rows to fit or to choose on.

    Args:
        x: float64[m, F] or scipy CSR.
        y: int64[m] classes, or float64[m] values.
        weight: float64[m].
        groups: int64[m], rows that stay together in cross-validation.
    """

    x: Any
    y: Ints | Floats
    weight: Floats
    groups: Ints

    def take(self, rows: Ints) -> Rows:
        """Some rows, int64[k], in that order."""
        return Rows(self.x[rows], self.y[rows], self.weight[rows], self.groups[rows])


@dataclass(frozen=True)
class Fit:
    """A fitted model, the strength chosen, on how many validation rows (0: by cross-validation), and the loss
    there, which is compared with that of other fits to the same rows."""

    model: Any
    strength: float
    rows: int
    loss: float = 0.0

    @property
    def how(self) -> str:
        """How the strength was chosen."""
        where = "the validation rows" if self.rows else f"{FOLDS} folds of the training rows"
        return f"chosen on {where}"


def fit_logistic(train: Rows, valid: Rows, *, strengths: tuple[float, ...] = STRENGTHS) -> Fit | None:
    """Logistic regression over classes, chosen by log loss; None where training has one class only."""
    if len(np.unique(train.y)) < 2:
        return None
    return _chosen(train, valid, strengths, _logistic, _log_loss)


def fit_ridge(train: Rows, valid: Rows) -> Fit:
    """Ridge regression, chosen by squared error."""
    return _chosen(train, valid, STRENGTHS, _ridge, _squared_error)


Maker = Callable[[Rows, float], Any]
Judge = Callable[[Any, Rows], float]


def _chosen(train: Rows, valid: Rows, strengths: tuple[float, ...], make: Maker, loss: Judge) -> Fit:
    if len(valid.y) >= LEAST_VALID:
        models = [make(train, strength) for strength in strengths]
        found = [loss(model, valid) for model in models]
        best = int(np.argmin(found))
        return Fit(models[best], strengths[best], len(valid.y), found[best])
    folds = list(_folds(train))
    if not folds:
        return Fit(make(train, 0.1), 0.1, 0)
    losses = [
        sum(loss(make(train.take(inside), strength), train.take(outside)) for inside, outside in folds)
        for strength in strengths
    ]
    best = int(np.argmin(losses))
    return Fit(make(train, strengths[best]), strengths[best], 0, losses[best])


def _folds(train: Rows) -> Iterator[tuple[Ints, Ints]]:
    """Rows inside and outside of each fold; groups stay together, and every fold trains on all classes."""
    units, unit_of = np.unique(train.groups, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(units))
    fold_of = (order % FOLDS)[unit_of]
    classes = train.y.dtype.kind != "f"
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        if len(outside) and len(inside) > 1 and not (classes and len(np.unique(train.y[inside])) < 2):
            yield inside, outside


def _logistic(rows: Rows, strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=STEPS, tol=1e-3)
    with warnings.catch_warnings():
        # A fit that stops at its last step is judged by its loss like any other.
        warnings.simplefilter("ignore")
        return model.fit(rows.x, rows.y, sample_weight=rows.weight)


def _ridge(rows: Rows, strength: float) -> Any:
    from sklearn.linear_model import Ridge

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Ridge(alpha=1.0 / strength).fit(rows.x, rows.y, sample_weight=rows.weight)


def _log_loss(model: Any, rows: Rows) -> float:
    """Weighted mean; a class that the model never saw counts as a probability of 1e-6."""
    probability = model.predict_proba(rows.x)
    at = np.searchsorted(model.classes_, rows.y)
    seen = (at < len(model.classes_)) & (model.classes_[np.minimum(at, len(model.classes_) - 1)] == rows.y)
    mine = np.where(seen, probability[np.arange(len(at)), np.minimum(at, len(model.classes_) - 1)], 0.0)
    return float(np.average(-np.log(np.maximum(mine, 1e-6)), weights=rows.weight))


def _squared_error(model: Any, rows: Rows) -> float:
    return float(np.average((model.predict(rows.x) - rows.y) ** 2, weights=rows.weight))
