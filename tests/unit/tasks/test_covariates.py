from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genomecli.errors import InputError
from genomecli.tasks.covariates import CovariateScale, check_covariates, fit_covariates, read_covariates
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
    with pytest.raises(InputError, match="covariate 'dose' has one value only, 10, in the training rows;"):
        check_covariates(made(), [np.array([0, 1])])
    with pytest.raises(InputError, match="covariate 'dose' has no value in the training rows"):
        check_covariates(made(np.array([[1.0, np.nan], [2.0, np.nan]])), [np.array([0, 1])])
    alone = made(np.array([[1.0, 7.0], [2.0, 7.0], [3.0, 7.0]]))
    with pytest.raises(InputError, match="'dose' has one value only, 7, in the training rows of every fold"):
        check_covariates(alone, [np.array([0, 1]), np.array([1, 2])])


def test_a_covariate_without_spread_in_one_fold_counts_for_nothing_there() -> None:
    folds = [np.array([0, 1, 2]), np.array([0, 1]), np.array([2, 3])]
    (note,) = check_covariates(made(), folds)
    assert note == (
        "Covariate dose has one value or none in the training rows of 1 of 3 folds (2): there it counts for "
        "nothing."
    )
    assert check_covariates(made(), folds[:1]) == []
    scale = fit_covariates(made(), folds[1])
    assert scale is not None
    assert CovariateScale.from_dict(scale.to_dict()) == scale
    applied = scale.apply(VALUES)
    assert applied[:, 1].tolist() == [0.0] * 4  # also of rows with another value, which no weight has learned
    assert applied[:2, 0].tolist() == [-1.0, 1.0]
    assert scale.apply(VALUES[3])[1] == 0.0
    tenths = fit_covariates(examples(["A"] * 3, covariates=np.full((3, 1), 0.1)), np.arange(3))
    assert tenths is not None
    assert tenths.scales == (0.0,)  # not what rounding leaves
    empty = fit_covariates(made(), np.array([1]))
    assert empty is not None
    assert empty.apply(VALUES)[:, 1].tolist() == [0.0] * 4


def test_no_covariates() -> None:
    assert fit_covariates(examples(["ACGT"]), np.array([0])) is None
    assert check_covariates(examples(["ACGT"]), [np.array([0])]) == []
