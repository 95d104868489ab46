"""The simple baseline of token targets: logistic regression on the letters around each base or residue.

Shapes: n examples, N symbols, C classes.
"""

from __future__ import annotations

import numpy as np

from genomecli.tasks.baseline_fit import Rows, fit_logistic
from genomecli.tasks.baselines import Baseline, BaselineTask, training_shares
from genomecli.tasks.examples import MISSING, Examples, Floats, Ints
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.window_features import HALF, one_hot, window_sums

MOST_SYMBOLS = 50_000
"""Training symbols that are used, drawn evenly; a third as many to choose C on."""

STRENGTHS = (1e-2, 1e-1, 1.0)

_BLOCK = 100_000


def fit_windows(task: BaselineTask) -> Baseline:
    """Fit the baseline; symbols without a label do not count, class weights do."""
    rng = np.random.default_rng(task.seed)
    places, total = _drawn(task, task.train, MOST_SYMBOLS, rng)
    few, _ = _drawn(task, task.valid, MOST_SYMBOLS // 3, rng)
    fit = fit_logistic(_rows(task, places), _rows(task, few), strengths=STRENGTHS)
    target, shares = task.target, training_shares(task)
    width = 2 * HALF[task.examples.sequences.alphabet] + 1

    def predict(examples: Examples, rows: Ints) -> Predictions:
        column = examples.sequences.take(rows)
        found = np.tile(shares, (len(column.symbols), 1))
        if fit is not None:
            for start in range(0, len(found), _BLOCK):
                here = np.arange(start, min(start + _BLOCK, len(found)), dtype=np.int64)
                linear = window_sums(column, here, fit.model.coef_) + fit.model.intercept_
                found[here] = _probabilities(linear, fit.model.classes_, target.outputs)
        return Predictions(target, found, column.offsets)

    about = f"letters in a window of {width} around each symbol; "
    if fit is None:
        return Baseline("composition", about + "one class only in training, so its share", predict)
    about += f"logistic regression, C {fit.strength:g} {fit.how}"
    if total > len(places):
        about += f"; fitted to {len(places):,} of {total:,} training symbols, drawn at random"
    return Baseline("composition", about, predict)


def _drawn(task: BaselineTask, rows: Ints, most: int, rng: np.random.Generator) -> tuple[Ints, int]:
    """Places of labelled symbols of some rows, at most so many, in order; and how many there are."""
    labels = task.examples.labels[task.target.name]
    offsets = task.examples.sequences.offsets
    places = [np.arange(offsets[row], offsets[row + 1]) for row in rows]
    every = np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
    every = every[labels.values[every] != MISSING]
    if len(every) <= most:
        return every, len(every)
    return np.sort(rng.choice(every, most, replace=False)), len(every)


def _rows(task: BaselineTask, places: Ints) -> Rows:
    column = task.examples.sequences
    y = task.examples.labels[task.target.name].values[places].astype(np.int64)
    factors = np.array(task.target.class_weights or (1.0,) * task.target.outputs)
    sequence = np.searchsorted(column.offsets, places, side="right") - 1
    groups = sequence if task.groups is None else task.groups[sequence]
    return Rows(one_hot(column, places), y, factors[y], groups)


def _probabilities(linear: Floats, classes: Ints, outputs: int) -> Floats:
    """Softmax of all classes; a single column is the log odds of the second of two."""
    found = np.zeros((len(linear), outputs))
    if linear.shape[1] == 1:
        second = 1.0 / (1.0 + np.exp(-np.clip(linear[:, 0], -700, 700)))
        found[:, classes[0]], found[:, classes[1]] = 1.0 - second, second
        return found
    powers = np.exp(linear - linear.max(axis=1, keepdims=True))
    found[:, classes] = powers / powers.sum(axis=1, keepdims=True)
    return found
