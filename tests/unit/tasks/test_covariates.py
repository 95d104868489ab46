from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genomecli.errors import InputError
from genomecli.tasks.covariates import CovariateScale, fit_covariates, read_covariates
from genomecli.tasks.defects import Defects
from tests.unit.tasks.made import examples

VALUES = np.array([[1.0, 10.0], [2.0, np.nan], [3.0, 30.0], [100.0, -5.0]])


def made(values: Any = VALUES) -> Any:
    return examples(["ACGT"] * len(values), covariates=values, covariate_names=("age", "dose"))


def test_cells_become_numbers_and_missing_ones_nan() -> None:
    defects = Defects("drop")
    found = read_covariates(["a", "b"], [["1e3", "", "x"], ["-1", "NA", "inf"]], ("", "NA"), defects)
    np.testing.assert_array_equal(found, [[1000, -1], [np.nan, np.nan], [np.nan, np.nan]])
    assert {defect.row for defect in defects.found} == {2}


def test_scales_are_those_of_the_training_rows() -> None:
    scale = fit_covariates(made(), np.array([0, 1, 2]))
    assert scale is not None
    assert scale.means == pytest.approx([2.0, 20.0])
    assert scale.scales == pytest.approx([np.std([1, 2, 3]), 10.0])
    applied = scale.apply(VALUES)
    assert applied[:3, 0].mean() == pytest.approx(0)
    assert applied[1, 1] == 0.0
    assert applied[3].tolist() == pytest.approx([98 / np.std([1, 2, 3]), -2.5])
    assert np.isnan(VALUES[1, 1])
    assert CovariateScale.from_dict(scale.to_dict()) == scale


def test_a_covariate_without_spread() -> None:
    with pytest.raises(InputError, match="covariate 'dose' has one value only, 10, in the training rows"):
        fit_covariates(made(), np.array([0, 1]))
    with pytest.raises(InputError, match="covariate 'dose' has no value in the training rows"):
        fit_covariates(made(np.array([[1.0, np.nan], [2.0, np.nan]])), np.array([0, 1]))


def test_no_covariates() -> None:
    assert fit_covariates(examples(["ACGT"]), np.array([0])) is None
