"""Numeric columns that are joined to the pooled vector: read as text, standardised by the training rows.

n rows, K covariates. Missing values are read as the mean of the training rows, which is 0 after
standardisation, and are counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from genomecli.errors import InputError
from genomecli.tasks.defects import Defects
from genomecli.tasks.examples import Examples, Floats, Ints
from genomecli.tasks.labels import as_number

_FIX = "correct the cell, leave it empty where nothing is known, or set data.invalid to drop"


def read_covariates(
    names: Sequence[str], cells: Sequence[Sequence[str]], missing: Sequence[str], defects: Defects
) -> Floats:
    """float64[n, K], NaN where a cell is missing; rows with cells that are no finite numbers are defects."""
    columns = []
    for name, column in zip(names, cells, strict=True):
        values = [math.nan if cell in missing else as_number(cell) for cell in column]
        for row, (value, cell) in enumerate(zip(values, column, strict=True)):
            if cell not in missing and (value is None or not math.isfinite(value)):
                what = f"its covariate {name} is {cell!r}, which is no measured value"
                defects.add(row, "covariate not a number", what, _FIX)
                values[row] = math.nan
        columns.append(values)
    return np.array(columns, dtype=np.float64).T


@dataclass(frozen=True)
class CovariateScale:
    """Means and standard deviations of covariates over the training rows; travels with a tuned model.

    Args:
        names: of the K covariates, in order.
        means: in the table's units.
        scales: likewise; 0 for a covariate without spread there, of which nothing can be learned.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]

    def apply(self, values: Floats) -> Floats:
        """Standard deviations from the mean, float64[..., K]; 0 where unknown or without spread.

        Args:
            values: float64[..., K] in the table's units, NaN where unknown.
        """
        scales = np.array(self.scales)
        standard: Floats = (values - np.array(self.means)) / np.where(scales > 0, scales, 1.0)
        standard[np.isnan(standard)] = 0.0
        standard[..., scales == 0] = 0.0
        return standard

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CovariateScale:
        """The inverse of :meth:`to_dict`."""
        return cls(tuple(values["names"]), tuple(values["means"]), tuple(values["scales"]))


def fit_covariates(examples: Examples, train: Ints) -> CovariateScale | None:
    """The scale of the covariates over the training rows, int64[m]; None without covariates.

    One without spread there has the scale 0; :func:`check_covariates` says where that may be.
    """
    if examples.covariates is None:
        return None
    means, scales = [], []
    for column in examples.covariates[train].T:
        known = column[~np.isnan(column)]
        alone = bool(_without_spread(column))
        means.append(float(known[0] if alone else known.mean()) if len(known) else 0.0)
        scales.append(0.0 if alone else float(known.std()))
    return CovariateScale(examples.covariate_names, tuple(means), tuple(scales))


def check_covariates(examples: Examples, splits: Sequence[Ints]) -> list[str]:
    """Look at the covariates in the training rows of every split, before anything is trained.

    Args:
        examples: with or without covariates.
        splits: int64[m] training rows, of one split or one a fold.

    Returns:
        Sentences on covariates that some folds cannot learn from.

    Raises:
        InputError: for a covariate that has one value only, or none, in the training rows of every split.
    """
    if examples.covariates is None:
        return []
    notes = []
    for name, column in zip(examples.covariate_names, examples.covariates.T, strict=True):
        found = {
            fold: said for fold, train in enumerate(splits, 1) if (said := _without_spread(column[train]))
        }
        if not found:
            continue
        if len(found) == len(splits):
            where = "" if len(splits) == 1 else " of every fold"
            what = f"covariate {name!r} has {found[1]} in the training rows{where}"
            raise InputError(what, fix="leave it out")
        folds = ", ".join(str(fold) for fold in found)
        notes.append(
            f"Covariate {name} has one value or none in the training rows of {len(found)} of {len(splits)} "
            f"folds ({folds}): there it counts for nothing."
        )
    return notes


def _without_spread(column: Floats) -> str:
    """What a covariate has in some rows, float64[m], if nothing can be learned of it; empty otherwise."""
    known = column[~np.isnan(column)]
    if not len(known):
        return "no value"
    return f"one value only, {known[0]:g}," if known.min() == known.max() else ""
