"""A figure that judges predictions: its value, its interval, what it rests on, and why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genomecli.tasks.bootstrap import LEAST_UNITS, percentile_interval
from genomecli.tasks.examples import Floats
from genomecli.tasks.plain_values import as_plain, built
from genomecli.tasks.schema import Form

METRICS: dict[str, str] = {
    "mcc": "Matthews correlation (MCC)",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "subset_accuracy": "all labels right",
    "sequence_accuracy": "accuracy, mean over sequences",
    "ece": "calibration error (ECE)",
    "pearson": "Pearson r",
    "spearman": "Spearman rho",
    "r2": "R2",
    "rmse": "RMSE",
    "mae": "MAE",
    "precision": "precision",
    "recall": "recall",
    "support": "rows",
}
"""Names of all figures, as keys and in words, in the order of tables."""

DECIDING: dict[Form, tuple[str, ...]] = {
    "class": ("accuracy", "balanced_accuracy", "mcc", "macro_f1", "auroc", "auprc"),
    "multilabel": ("macro_f1", "micro_f1", "subset_accuracy", "auroc", "auprc"),
    "regression": ("pearson", "spearman", "r2"),
    "token": ("accuracy", "balanced_accuracy", "mcc", "macro_f1", "auroc", "auprc", "sequence_accuracy"),
}
"""Figures that can decide between two models, by form of the labels: they speak of all classes or values, and
more is better. F1 too, where there are two classes."""

_ENDS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("mcc", "pearson", "spearman"), (-1.0, 1.0)),
    "r2": (-math.inf, 1.0),
    **dict.fromkeys(("rmse", "mae", "support"), (0.0, math.inf)),
}


def short_name(name: str) -> str:
    """A figure of merit in running text."""
    return {"mcc": "MCC", "pearson": "Pearson r"}.get(name, METRICS[name])


def ends(name: str) -> tuple[float, float]:
    """The least and the largest value that a figure can have."""
    return _ENDS.get(name, (0.0, 1.0))


LOWER_IS_BETTER = frozenset({"ece", "rmse", "mae"})


@dataclass(frozen=True)
class Figure:
    """One figure of one model on one part of the data.

    Args:
        name: a key of :data:`METRICS`.
        value: NaN where it is not defined.
        low: lower end of its interval; NaN without one.
        high: upper end.
        n: rows (symbols, for token targets) that it rests on.
        part: ``train``, ``valid`` or ``test``; may be empty.
        of: class, label or measured value that it speaks of; empty for all of them.
        note: why there is no value or no interval, or what else must be said; may be empty.
        units: rows, sequences or groups that its resamples are drawn of; 0 where that is not known.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    part: str = ""
    of: str = ""
    note: str = ""
    units: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: None where there is no number."""
        found: dict[str, Any] = as_plain(self)
        return found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Figure:
        """The inverse of :meth:`to_dict`."""
        found: Figure = built(cls, values)
        return found


@dataclass(frozen=True)
class Quantity:
    """A figure before its interval: its value on all rows and on each resample.

    Args:
        name: as of :class:`Figure`.
        value: likewise.
        n: likewise.
        draws: float64[B], its value on each resample; NaN where it is not defined there.
        of: as of :class:`Figure`.
        note: likewise.
        corrected: its resamples lie above it, so the lower end of its interval is bias-corrected.
        units: as of :class:`Figure`.
    """

    name: str
    value: float
    n: int
    draws: Floats = field(default_factory=lambda: np.zeros(0))
    of: str = ""
    note: str = ""
    corrected: bool = False
    units: int = 0

    def figure(self, level: float, part: str = "") -> Figure:
        """The figure with its percentile interval; without one where its resamples are of too few units.

        Args:
            level: coverage.
            part: of the data, written into the figure.
        """
        value = float(self.value)
        low = high = float("nan")
        if len(self.draws) and not math.isnan(value) and not too_few(self.units):
            low, high = percentile_interval(self.draws, level, value=value if self.corrected else None)
        return Figure(self.name, value, low, high, int(self.n), part, self.of, self.note, self.units)


def too_few(units: int) -> bool:
    """Whether resamples of so many units give no interval; 0 units are not known."""
    return 0 < units < LEAST_UNITS


def no_interval(units: int, what: str) -> str:
    """Why resamples of ``units`` units, of which ``what`` says what they are, give no interval."""
    named = what.removesuffix("s") if units == 1 else what
    return f"only {units} {named}, and fewer than {LEAST_UNITS} give none"


def undefined(name: str, n: int, note: str, of: str = "") -> Quantity:
    """A figure without a value, and why."""
    return Quantity(name, float("nan"), n, of=of, note=note)
