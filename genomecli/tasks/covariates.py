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
        scales: likewise, never 0.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]

    def apply(self, values: Floats) -> Floats:
        """Standardised float64[n, K]; 0 where unknown."""
        standard: Floats = (values - np.array(self.means)) / np.array(self.scales)
        standard[np.isnan(standard)] = 0.0
        return standard

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CovariateScale:
        """The inverse of :meth:`to_dict`."""
        return cls(tuple(values["names"]), tuple(values["means"]), tuple(values["scales"]))


def fit_covariates(examples: Examples, train: Ints) -> CovariateScale | None:
    """The scale of the covariates over the training rows; None without covariates.

    Raises:
        InputError: for a covariate that has one value only, or none, in the training rows.
    """
    if examples.covariates is None:
        return None
    values = examples.covariates[train]
    for name, column in zip(examples.covariate_names, values.T, strict=True):
        known = column[~np.isnan(column)]
        if not len(known) or known.min() == known.max():
            said = "no value" if not len(known) else f"one value only, {known[0]:g},"
            raise InputError(f"covariate {name!r} has {said} in the training rows", fix="leave it out")
    means, scales = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    return CovariateScale(examples.covariate_names, tuple(means.tolist()), tuple(scales.tolist()))
