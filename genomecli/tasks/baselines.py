"""What a network must beat: the commonest class or the mean, and the composition of the sequence.

Composition is the frequency of short words, length and covariates with logistic or ridge regression; for
token targets the letters around each symbol with logistic regression. How strongly a regression is held back
(C, alpha) is chosen on the validation rows, or by cross-validation in the training rows where those are few.

Shapes: n examples, m rows, N symbols, C classes or values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genomecli.tasks.composition import Molecule
from genomecli.tasks.examples import MISSING, Examples, Floats, Ints
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.schema import Target


@dataclass(frozen=True)
class BaselineTask:
    """What a baseline is fitted to.

    Args:
        target: what is predicted.
        examples: all rows, with labels of the target.
        train: int64[m], training rows; those without a label do not count.
        valid: int64, rows that C or alpha is chosen on; may be empty.
        molecule: what the sequences are.
        pair: what the second sequences are; None without pairs.
        frame: bases before the first codon of coding sequences.
        k: length of the words; None for the usual ones.
        groups: int64[n], groups that stay together when the training rows are divided; None without.
        seed: of what is drawn.
    """

    target: Target
    examples: Examples
    train: Ints
    valid: Ints
    molecule: Molecule
    pair: Molecule | None = None
    frame: int = 0
    k: int | None = None
    groups: Ints | None = None
    seed: int = 0


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline.

    Args:
        name: ``majority`` or ``composition``.
        about: what it is, and what was chosen, in a sentence without a full stop.
        predict: rows int64[m] of the examples (or of others like them) to predictions.
    """

    name: str
    about: str
    predict: Callable[[Examples, Ints], Predictions]


def fit_baseline(name: Literal["majority", "composition"], task: BaselineTask) -> Baseline:
    """Fit a baseline to the training rows; deterministic for a seed.

    Args:
        name: which one.
        task: what it is fitted to.

    Raises:
        ValueError: if no training row has a label.
    """
    known = task.examples.labels[task.target.name].take(task.train).known
    if not known.any():
        raise ValueError(f"no training row has a label of {task.target.name!r}")
    if name == "majority":
        return _majority(task)
    if task.target.per_symbol:
        from genomecli.tasks.baseline_windows import fit_windows

        return fit_windows(task)
    from genomecli.tasks.baseline_composition import fit_composition

    return fit_composition(task)


def _majority(task: BaselineTask) -> Baseline:
    target = task.target
    row = training_shares(task)
    if target.form == "regression":
        about = "the mean of the training rows"
    elif target.form == "multilabel":
        about = "each label as often as in the training rows"
    else:
        about = f"always {target.classes[int(row.argmax())]}, the commonest class of the training rows"

    def predict(examples: Examples, rows: Ints) -> Predictions:
        if not target.per_symbol:
            return Predictions(target, np.tile(row, (len(rows), 1)))
        lengths = examples.sequences.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return Predictions(target, np.tile(row, (int(offsets[-1]), 1)), offsets)

    return Baseline("majority", about, predict)


def training_shares(task: BaselineTask) -> Floats:
    """float64[C]: share of each class in the training rows, or mean of each value."""
    from genomecli.tasks.bootstrap import mean_of_known

    values = task.examples.labels[task.target.name].take(task.train).values
    if values.dtype.kind == "f":
        return np.nan_to_num(mean_of_known(values, axis=0))
    counts = np.bincount(values[values != MISSING].astype(np.int64), minlength=task.target.outputs)
    found: Floats = counts / counts.sum()
    return found
