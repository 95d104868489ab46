from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genomecli.errors import InputError
from genomecli.tasks.defects import Defects
from genomecli.tasks.labels import CellReader, RawLabels, as_number
from genomecli.tasks.settings import DataSettings, TargetSettings

MISSING = DataSettings(path="x").missing


def parse(*cells: list[str], defects: Defects | None = None, **settings: Any) -> RawLabels:
    columns = tuple(f"c{i}" for i in range(len(cells)))
    reader = CellReader("t", TargetSettings(**settings), MISSING, defects or Defects("drop"))
    return reader.read(columns, cells)


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["a", "b", "a"], "class"),
        (["0", "1", "1"], "class"),
        (["0.0", "1.0"], "class"),
        ([str(i) for i in range(20)], "class"),
        ([str(i) for i in range(21)], "regression"),
        (["0.5", "1", "2"], "regression"),
        (["1e-4", "2"], "regression"),
        (["1e-4", "NO"], "class"),
        (["-1", "", "NA", "3"], "class"),
        (["1.5", "", "NA"], "regression"),
        (["Nucleus", "Nucleus;Cytoplasm"], "multilabel"),
        (["1", "nan"], "class"),
        (["1.5", "nan"], "regression"),
        (["1.5", "inf"], "regression"),
    ],
)
def test_the_kind_of_one_column_by_its_cells(cells: list[str], form: str) -> None:
    assert parse(cells).form == form


def test_several_columns_are_flags_or_values() -> None:
    assert parse(["0", "1"], ["1", ""]).form == "multilabel"
    assert parse(["0", "1"], ["2", "0"]).form == "regression"
    with pytest.raises(InputError, match="columns c0, c1 hold names and not numbers"):
        parse(["0", "1"], ["a", "b"])


def test_names_stay_names_where_classes_are_wanted() -> None:
    found = parse(["1", "NO", "1e-4", "1.50", "", "NA", "1"], kind="multiclass")
    assert found.names == ("1", "NO", "1e-4", "1.50")
    assert found.values.tolist() == [0, 1, 2, 3, -1, -1, 0]


@pytest.mark.parametrize(
    ("columns", "settings"),
    [
        ([["a", "b", "NaN", "a"]], {}),
        ([["0", "1", "nan", "1"]], {}),
        ([["0", "1", "nan", "1"]], {"kind": "binary"}),
        ([["1.5", "2", "nan", "1"]], {}),
        ([["a;b", "b", "a;NAN", ";"]], {}),
        ([["1", "0", "nan", "1"], ["0", "0", "1", "1"]], {}),
    ],
)
def test_nan_is_no_label_of_any_kind_unless_it_is_named(
    columns: list[list[str]], settings: dict[str, Any]
) -> None:
    defects = Defects("error")
    found = parse(*columns, defects=defects, **settings)
    assert [defect.row for defect in defects.found] == [2]
    assert not {"nan", "NaN", "NAN"} & set(found.names)
    with pytest.raises(InputError, match="^line 4; its c0 is .*; leave the cell empty .* data.missing"):
        defects.settle([f"line {row + 2}" for row in range(4)], ["a"] * 4)
    reader = CellReader("t", TargetSettings(**settings), (*MISSING, "nan", "NaN"), named := Defects("error"))
    if "a;b" not in columns[0]:
        assert not reader.read(tuple(f"c{i}" for i in range(len(columns))), columns).known[2] or columns[1:]
        assert not named.found


def test_a_class_that_is_called_nan_has_to_be_named() -> None:
    found = parse(["nan", "tikka", "nan"], defects=(defects := Defects("error")), classes=["nan", "tikka"])
    assert (found.names, defects.found) == (("nan", "tikka"), [])


def test_a_class_that_is_called_as_if_it_were_missing() -> None:
    found = parse(["NA", "EU", ""], classes=["NA", "EU"])
    assert found.names == ("NA", "EU")
    assert found.values.tolist() == [0, 1, -1]


def test_sets_of_classes_in_one_cell() -> None:
    found = parse(["a; b", "b", ";", "", "c"])
    assert found.names == ("a", "b", "c")
    assert found.values[[0, 1, 2, 4]].tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert np.isnan(found.values[3]).all()
    assert found.known.tolist() == [True, True, True, False, True]
    assert parse(["a|b", "b"], separator="|").names == ("a", "b")


def test_sets_without_a_class_are_known_only_where_the_cell_says_so() -> None:
    found = parse(["", ";", "NA"], kind="multilabel")
    assert found.names == ()
    assert found.known.tolist() == [False, True, False]
    assert found.take(np.array([1, 2])).known.tolist() == [True, False]
    assert not parse(["", "NA"], kind="multilabel").known.any()


def test_flags_in_several_columns() -> None:
    defects = Defects("drop")
    found = parse(["0", "TRUE", "1.0", "2"], ["", "0", "NA", "1"], defects=defects, kind="multilabel")
    assert found.names == ("c0", "c1")
    np.testing.assert_array_equal(found.values, [[0, np.nan], [1, 0], [1, np.nan], [np.nan, 1]])
    assert [defect.row for defect in defects.found] == [3]


def test_values_of_several_columns() -> None:
    found = parse(["1.5", "NA"], ["-2e3", "7"])
    np.testing.assert_array_equal(found.values, [[1.5, -2000], [np.nan, 7]])
    assert found.names == ("c0", "c1")


def test_a_logarithm_needs_more_than_minus_one() -> None:
    defects = Defects("drop")
    found = parse(["0", "-1", "2.5"], defects=defects, log=True)
    assert [defect.row for defect in defects.found] == [1]
    assert found.values[2, 0] == 2.5


def test_the_group_of_a_pattern_is_the_label() -> None:
    found = parse(["x SIGMA24 y", "none", "SIGMA70STRONG"], pattern=r"(SIGMA\d+)")
    assert found.names == ("SIGMA24", "SIGMA70")
    assert found.values.tolist() == [0, -1, 1]
    assert parse(["dose=1.5mg", "dose=2mg"], pattern=r"dose=([\d.]+)mg").values.tolist() == [[1.5], [2.0]]


def test_classes_of_two_columns_are_refused() -> None:
    with pytest.raises(InputError, match="binary has one column, not 2"):
        parse(["a", "b"], ["a", "b"], kind="binary")


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1e-4", 1e-4), ("-3", -3.0), ("1_000", None), ("one", None), ("", None), ("0x10", None)],
)
def test_numbers(cell: str, value: float | None) -> None:
    assert as_number(cell) == value
