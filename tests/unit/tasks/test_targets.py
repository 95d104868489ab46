from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from genomecli.errors import ConfigError, InputError, UsageError
from genomecli.tasks.defects import Defects
from genomecli.tasks.labels import CellReader
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import DataSettings
from genomecli.tasks.targets import (
    Fitted,
    apply_targets,
    as_labels,
    check_splits,
    fit_targets,
    restored,
    settings_of,
    standardised,
)
from tests.unit.tasks.made import random_dna, read, targets, write

RNG = np.random.default_rng(3)
SEQUENCES = [random_dna(RNG, 40) for _ in range(8)]


def fit(
    folder: Path, columns: dict[str, list[str]], train: list[int] | None = None, **settings: Any
) -> Fitted:
    count = len(next(iter(columns.values())))
    lines = ["sequence\t" + "\t".join(columns)]
    lines += [SEQUENCES[i] + "\t" + "\t".join(cells[i] for cells in columns.values()) for i in range(count)]
    reading = read({"path": write(folder / "t.tsv", "\n".join(lines) + "\n")}, "dna", **settings)
    rows = np.array(train if train is not None else range(count), dtype=np.int64)
    return fit_targets(reading, targets(**settings), rows)


def test_binary_is_negative_then_positive(tmp_path: Path) -> None:
    cells = ["yes", "no", "yes", "no"]
    found = fit(tmp_path, {"y": cells}, y={})
    assert found.targets["y"].classes == ("no", "yes")
    assert found.targets["y"].kind == "binary"
    assert found.examples.labels["y"].values.tolist() == [1, 0, 1, 0]
    other = fit(tmp_path, {"y": cells}, y={"positive": "no"})
    assert other.targets["y"].classes == ("yes", "no")
    assert other.examples.labels["y"].values.tolist() == [0, 1, 0, 1]


def test_a_positive_class_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="positive 'maybe' is none of its two classes; they are a, b"):
        fit(tmp_path, {"y": ["a", "b"]}, y={"positive": "maybe"})


def test_the_deciding_figure_is_that_of_the_settings_or_of_the_kind(tmp_path: Path) -> None:
    cells = {"y": ["a", "b", "c", "a"]}
    plain = fit(tmp_path, cells, y={}).targets["y"]
    named = fit(tmp_path, cells, y={"primary": "mcc"}).targets["y"]
    assert (plain.primary, named.primary) == ("accuracy", "mcc")
    assert named.fingerprint == plain.fingerprint
    assert Target.from_dict(json.loads(json.dumps(named.to_dict()))).primary == "mcc"
    older = {key: value for key, value in named.to_dict().items() if key != "judged_by"}
    assert Target.from_dict(older).primary == "accuracy"
    with pytest.raises(
        ConfigError, match="targets.y.primary: 'spearman' cannot decide .* kind multiclass; "
    ) as it:
        fit(tmp_path, cells, y={"primary": "spearman"})
    assert str(it.value).endswith("choose one of accuracy, balanced_accuracy, mcc, macro_f1, auroc, auprc")


def test_classes_are_sorted_as_numbers_or_as_text_or_as_the_settings_say(tmp_path: Path) -> None:
    cells = {"y": ["10", "9", "2", "10"]}
    assert fit(tmp_path, cells, y={}).targets["y"].classes == ("2", "9", "10")
    given = fit(tmp_path, cells, y={"classes": ["9", "10", "2", "77"]})
    assert given.targets["y"].classes == ("9", "10", "2", "77")
    assert given.examples.labels["y"].values.tolist() == [1, 0, 2, 1]
    assert fit(tmp_path, {"y": ["b", "a10", "a9"]}, y={}).targets["y"].classes == ("a10", "a9", "b")


def test_classes_come_from_the_training_rows_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="t.tsv, line 5; target 'y' does not know the class 'c'"):
        fit(tmp_path, {"y": ["a", "b", "a", "c"]}, train=[0, 1, 2], y={})
    found = fit(tmp_path, {"y": ["a", "b", "a", "c"]}, train=[0, 1, 2], y={"classes": ["a", "b", "c"]})
    assert found.examples.labels["y"].values.tolist() == [0, 1, 0, 2]


def test_a_class_that_one_fold_does_not_train_on_is_told_before_any_training(tmp_path: Path) -> None:
    text = "\n".join(f"{s}\t{c}" for s, c in zip(SEQUENCES, "abababac", strict=True))
    reading = read({"path": write(tmp_path / "t.tsv", f"sequence\ty\n{text}\n")}, "dna", y={})
    folds = [np.arange(8), np.array([0, 2, 4])]
    with pytest.raises(
        InputError, match="line 9; fold 2 of 2: target 'y' .* class 'c'; name all .*y.classes"
    ):
        check_splits(reading, targets(y={}), [np.arange(8), np.arange(6)])
    check_splits(reading, targets(y={"classes": ["a", "b", "c"]}), [np.arange(8), np.arange(6)])
    with pytest.raises(
        InputError, match="fold 2 of 2: target 'y' has one class only, 'a', .*lower split.folds"
    ):
        check_splits(reading, targets(y={}), folds)


def test_a_column_whose_labels_occur_once_is_no_column_of_classes(tmp_path: Path) -> None:
    for cells, said in (("12,63 3,5 0,25 8,0", "numbers with a decimal comma"), ("g1 g2 g3 g4", "like ids")):
        with pytest.raises(InputError, match=f"does not know the class .*occur once, so .*{said}"):
            fit(tmp_path, {"v": cells.split()}, train=[0, 1, 2], v={})
    with pytest.raises(InputError, match="does not know the class 'c'; its classes are those"):
        fit(tmp_path, {"v": ["a", "b", "a", "b", "c"]}, train=[0, 1, 2, 3], v={})


def test_binary_that_has_three_classes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is binary and has 3 classes: a, b, c; set its kind to multiclass"):
        fit(tmp_path, {"y": ["a", "b", "c"]}, y={"kind": "binary"})
    with pytest.raises(InputError, match=r"has 7 classes: c0, c1, c2, c3, c4 and 2 more; set its kind"):
        fit(tmp_path, {"y": [f"c{i}" for i in range(7)]}, y={"kind": "binary"})
    assert fit(tmp_path, {"y": ["a", "b"]}, y={"kind": "multiclass"}).targets["y"].kind == "multiclass"


def test_means_and_scales_are_those_of_the_training_rows(tmp_path: Path) -> None:
    values = [1.5, 2.5, 6.0, 1000.0]
    found = fit(tmp_path, {"v": [str(v) for v in values]}, train=[0, 1, 2], v={})
    target = found.targets["v"]
    assert target.means == pytest.approx([np.mean(values[:3])])
    assert target.scales == pytest.approx([np.std(values[:3])])
    assert found.examples.labels["v"].values[:, 0].tolist() == values
    learned = standardised(target, found.examples.labels["v"].values)
    assert learned[:3].mean() == pytest.approx(0)
    assert learned[:3].std() == pytest.approx(1)
    np.testing.assert_allclose(restored(target, learned)[:, 0], values)


def test_values_through_a_logarithm_come_back(tmp_path: Path) -> None:
    values = [0.0, 5.0, 82534.0, 12.5]
    found = fit(tmp_path, {"v": [str(v) for v in values]}, v={"log": True})
    target = found.targets["v"]
    assert target.log
    assert target.means == pytest.approx([np.log1p(values).mean()])
    np.testing.assert_allclose(restored(target, standardised(target, np.array([values]).T))[:, 0], values)


def test_several_values_and_missing_ones(tmp_path: Path) -> None:
    found = fit(tmp_path, {"a": ["1.5", "", "3.5"], "b": ["1", "2", ""]}, v={"columns": ["a", "b"]})
    target = found.targets["v"]
    assert target.classes == ("a", "b")
    assert target.means == pytest.approx([2.5, 1.5])
    assert np.isnan(found.examples.labels["v"].values[1, 0])


def test_missing_labels_are_per_target_and_counted(tmp_path: Path) -> None:
    columns = {"y": ["a", "b", "", "a"], "v": ["1.5", "", "3.5", "NA"]}
    found = fit(tmp_path, columns, y={}, v={"weight": 0.5})
    assert found.examples.labels["y"].known.tolist() == [True, True, False, True]
    assert found.examples.labels["v"].known.tolist() == [True, False, True, False]
    assert found.notes[0] == "Target y: 1 of 4 rows have no label; they do not count in its loss."
    assert found.targets["v"].weight == 0.5


def test_multilabel_in_one_column(tmp_path: Path) -> None:
    found = fit(tmp_path, {"y": ["b;a", "c", ";", "", "a"], "z": list("xyxyx")}, y={}, z={})
    assert found.targets["y"].classes == ("a", "b", "c")
    np.testing.assert_array_equal(
        found.examples.labels["y"].values, [[1, 1, 0], [0, 0, 1], [0, 0, 0], [np.nan] * 3, [1, 0, 0]]
    )
    with pytest.raises(InputError, match="line 3; target 'y' does not know the class 'c'"):
        fit(tmp_path, {"y": ["b;a", "c", "a"]}, train=[0, 2], y={"kind": "multilabel"})


@pytest.mark.parametrize(
    ("cells", "none"), [(["", "NA", ""], [0, 0, 0]), (["", ";", "NA"], [0, 1, 0]), ([";", ";"], [1, 1])]
)
def test_a_batch_without_a_class_keeps_what_is_missing(cells: list[str], none: list[int]) -> None:
    """Figures are read from batches; one of missing labels alone says nothing of the classes."""
    target = Target("y", "multilabel", ("y",), ("a", "b"))
    missing = DataSettings(path="x").missing
    raw = CellReader("y", settings_of(target), missing, Defects("error")).read(("y",), [cells])
    found = as_labels(raw, target, ())
    np.testing.assert_array_equal(found.values, [[0, 0] if one else [np.nan] * 2 for one in none])
    assert found.known.tolist() == [bool(one) for one in none]


def test_multilabel_in_one_column_a_class(tmp_path: Path) -> None:
    found = fit(tmp_path, {"p": ["1", "0", "1"], "q": ["0", "", "0"]}, y={"columns": ["p", "q"]})
    assert found.targets["y"].classes == ("p", "q")
    np.testing.assert_array_equal(found.examples.labels["y"].values, [[1, 0], [0, np.nan], [1, 0]])


def test_balanced_weights_are_those_of_scikit_learn(tmp_path: Path) -> None:
    names = ["a", "b", "b", "b", "c", "c"]
    found = fit(tmp_path, {"y": names}, y={"class_weights": "balanced"}).targets["y"]
    expected = compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=names)
    assert found.class_weights == pytest.approx(expected.tolist())


def test_weights_by_class_and_of_positive_rows(tmp_path: Path) -> None:
    found = fit(tmp_path, {"y": ["a", "b", "c"]}, y={"class_weights": {"b": 3}}).targets["y"]
    assert found.class_weights == (1.0, 3.0, 1.0)
    with pytest.raises(UsageError, match="class_weights names 'd', which is no class of it"):
        fit(tmp_path, {"y": ["a", "b", "c"]}, y={"class_weights": {"d": 3}})


def test_balanced_multilabel_weights_are_negatives_over_positives(tmp_path: Path) -> None:
    balanced = {"class_weights": "balanced"}
    # Class a is in every row: there is nothing to balance.
    sets = fit(tmp_path, {"y": ["a;b", "a", "a", "a;c", "a"]}, y=balanced).targets["y"]
    assert dict(zip(sets.classes, sets.class_weights, strict=True)) == {"a": 1.0, "b": 4.0, "c": 4.0}
    cells = {"p": ["1", "0", "0", "0", ""], "q": ["1", "0", "", "", "1"], "r": ["0"] * 5}
    flags = fit(tmp_path, cells, y={**balanced, "columns": ["p", "q", "r"]}).targets["y"]
    assert flags.class_weights == (3.0, 0.5, 1.0)


def test_a_target_of_files_and_one_of_strings_are_read_again_alike(tmp_path: Path) -> None:
    files = {
        name: write(tmp_path / f"{name}.fa", f">{name}1\n{SEQUENCES[i]}\n") for i, name in enumerate("ab")
    }
    strings = write(tmp_path / "s.fa", f">a1\n{'HE' * 20}\n>b1\n{'CE' * 20}\n")
    data = {"classes": files, "labels": strings}
    settings = {"y": {}, "ss": {"kind": "token"}}
    fitted = fit_targets(read(data, "dna", **settings), targets(**settings), np.arange(2))
    again = {name: settings_of(target).model_dump() for name, target in fitted.targets.items()}
    labels = apply_targets(read(data, "dna", **again), fitted.targets).labels
    for name in settings:
        np.testing.assert_array_equal(labels[name].values, fitted.examples.labels[name].values)


def test_a_target_comes_back_from_json_and_reads_a_new_table_alike(tmp_path: Path) -> None:
    columns = {"y": ["a", "b", "c", "a"], "p": ["1", "0", "1", "0"], "q": ["0", "1", "0", "0"]}
    settings = {"y": {}, "set": {"columns": ["p", "q"]}}
    found = fit(tmp_path, columns, **settings)
    kept = {
        name: Target.from_dict(json.loads(json.dumps(target.to_dict())))
        for name, target in found.targets.items()
    }
    assert kept == dict(found.targets)
    again = {name: settings_of(target).model_dump() for name, target in kept.items()}
    reading = read({"path": str(tmp_path / "t.tsv")}, "dna", **again)
    labels = apply_targets(reading, kept).labels
    for name in settings:
        np.testing.assert_array_equal(labels[name].values, found.examples.labels[name].values)
