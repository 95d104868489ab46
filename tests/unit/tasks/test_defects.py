"""Every defect of a label file: one clear line with file and row, and exit code 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.errors import InputError
from genomecli.tasks.defects import Defects
from genomecli.tasks.targets import apply_targets, fit_targets, settings_of
from tests.unit.tasks.made import random_dna, read, targets, write

RNG = np.random.default_rng(7)
GOOD = [(random_dna(RNG, 80), "ab"[i % 2], f"{i}.5") for i in range(6)]
Row = tuple[str, str, str]


def table(rows: list[Row], header: str = "sequence\tlabel\tvalue") -> str:
    return header + "\n" + "".join("\t".join(row) + "\n" for row in rows)


def message(path: str, data: dict[str, Any] | None = None, **settings: Any) -> str:
    with pytest.raises(InputError) as caught:
        reading = read({"path": path, **(data or {})}, "dna", **settings)
        fit_targets(reading, targets(**settings), np.arange(len(reading.examples)))
    assert caught.value.exit_code == 3
    text = str(caught.value)
    assert "\n" not in text
    return text


def with_row(row: Row, *more: Row) -> list[Row]:
    return [*GOOD[:2], row, *more, *GOOD[2:]]


def test_missing_column(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", table(GOOD, "sequence\tLabel\tvalue"))
    said = message(path, label={})
    assert "t.tsv; has no column 'label'; did you mean 'Label'? It has sequence, Label, value" in said


def test_missing_sequence_column(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", table(GOOD, "seq\tlabel\tvalue"))
    said = message(path, label={})
    assert "has no column 'sequence'; did you mean 'seq'?" in said
    assert "--set finetune.data.sequence=COLUMN" in said


def test_unknown_class_when_a_tuned_model_meets_a_new_table(tmp_path: Path) -> None:
    first = read({"path": write(tmp_path / "t.tsv", table(GOOD))}, "dna", label={})
    fitted = fit_targets(first, targets(label={}), np.arange(6))
    new = [(GOOD[0][0], "a", "1"), (GOOD[1][0], "c", "1"), (GOOD[2][0], "c", "1")]
    settings = {"label": settings_of(fitted.targets["label"])}
    reading = read(
        {"path": write(tmp_path / "new.tsv", table(new))}, "dna", label=settings["label"].model_dump()
    )
    with pytest.raises(InputError) as caught:
        apply_targets(reading, fitted.targets)
    assert caught.value.exit_code == 3
    assert "new.tsv, line 3; target 'label' does not know the class 'c' (2 such rows)" in str(caught.value)


def test_unknown_class_outside_the_training_rows(tmp_path: Path) -> None:
    rows = [*GOOD, (GOOD[0][0][::-1], "rare", "1")]
    reading = read({"path": write(tmp_path / "t.tsv", table(rows))}, "dna", label={})
    with pytest.raises(InputError, match="t.tsv, line 8; target 'label' does not know the class 'rare'"):
        fit_targets(reading, targets(label={}), np.arange(6))


@pytest.mark.parametrize("cell", ["NaN", "nan", "inf", "-inf"])
def test_nan_and_infinity(tmp_path: Path, cell: str) -> None:
    path = write(tmp_path / "t.tsv", table(with_row((GOOD[0][0], "a", cell))))
    said = "may be a lost value or a name" if "nan" in cell.lower() else "is no measured value"
    assert f"t.tsv, line 4; its value is {cell!r}, which {said}" in message(path, value={})


def test_nan_of_parquet_is_no_class(tmp_path: Path) -> None:
    """A column of classes with a lost value becomes one of floats in some libraries."""
    from pyarrow import parquet, table

    cells = {"sequence": [sequence for sequence, _, _ in GOOD[:3]], "label": [0.0, 1.0, float("nan")]}
    parquet.write_table(table(cells), tmp_path / "t.parquet")
    said = message(str(tmp_path / "t.parquet"), label={})
    assert "t.parquet, row 3; its label is 'nan', which may be a lost value or a name" in said


def test_nan_is_missing_where_the_settings_say_so(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", table(with_row((GOOD[0][0], "a", "NaN"))))
    reading = read({"path": path, "missing": ["", "NaN"]}, "dna", label={}, value={})
    assert np.isnan(reading.raw["value"].values[:, 0]).tolist() == [False, False, True, *[False] * 4]


def test_a_word_among_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", table(with_row((GOOD[0][0], "a", "high"), (GOOD[0][0], "a", "1_000"))))
    said = message(path, value={"kind": "regression"})
    assert "line 4; 6 of 8 cells of value are numbers; 'high' is not (2 such rows)" in said
    guessed = message(path, value={})
    assert "line 4; 6 of 8 cells of value are numbers; 'high' is not (2 such rows)" in guessed
    assert "set targets.value.kind to multiclass" in guessed
    assert "kind" not in said
    kept = read({"path": path, "invalid": "drop"}, "dna", value={})
    assert (kept.raw["value"].form, len(kept.examples), len(kept.dropped)) == ("regression", 6, 2)
    asked = read({"path": path}, "dna", value={"kind": "multiclass"}).raw["value"]
    assert asked.form == "class"


def test_few_numbers_among_names_are_names(tmp_path: Path) -> None:
    rows = [(GOOD[0][0], "a", value) for value in ("1.1", "1.2", "wild", "mutant", "1", "2")]
    assert read({"path": write(tmp_path / "t.tsv", table(rows[:4]))}, "dna", value={}).raw["value"].names == (
        *("1.1", "1.2", "wild", "mutant"),
    )
    whole = [rows[2], *rows[4:] * 3]
    assert (
        read({"path": write(tmp_path / "u.tsv", table(whole))}, "dna", value={}).raw["value"].form == "class"
    )


def test_an_empty_column_of_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", table([(text, "", value) for text, _, value in GOOD]))
    said = message(path, label={})
    assert "its column 'label' is empty in every row; fill it, or name the column" in said
    assert "header" not in said


def test_ids_that_repeat_and_classes_that_differ_by_case_are_noted(tmp_path: Path) -> None:
    names = ("No ", "no", "yes", "NO", "no", "yes")
    lines = [
        f"g{i % 5}\t{text}\t{name}" for i, ((text, _, _), name) in enumerate(zip(GOOD, names, strict=True))
    ]
    path = write(tmp_path / "t.tsv", "id\tsequence\tlabel\n" + "\n".join(lines) + "\n")
    notes = read({"path": path}, "dna", label={}).notes
    assert notes == (
        "1 id occurs more than once: 'g0' at t.tsv, line 2 and at t.tsv, line 7.",
        "Target label: 'No' and 'no' and 'NO' differ in case or blanks only, and are 3 classes.",
    )
    meant = read({"path": path}, "dna", label={"classes": ["No", "no", "NO", "yes"]}).notes
    assert len(meant) == 1


def test_empty_sequence(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", table(with_row(("", "a", "1"), (" ", "b", "2"))))
    said = message(path, label={})
    assert "t.tsv, line 4; has an empty sequence (2 such rows)" in said


def test_empty_record(tmp_path: Path) -> None:
    path = write(tmp_path / "t.fa", f">a TARGET=x\n{GOOD[0][0]}\n>b TARGET=y\n>c TARGET=y\n{GOOD[1][0]}\n")
    assert "t.fa, record 'b'; has an empty sequence" in message(path, label={})


def test_wrong_alphabet(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", table(with_row(("MKVLEEFPQ", "a", "1"))))
    said = message(path, label={})
    assert (
        "t.tsv, line 4; its sequence has 6 letters that are not DNA, first 'L' at 4; it looks like prot"
        in said
    )


def test_dna_among_proteins(tmp_path: Path) -> None:
    proteins = ["".join(RNG.choice(list("ACDEFGHIKLMNPQRSTVWY"), 80)) for _ in range(5)]
    rows: list[Row] = [(text, "ab"[i % 2], "1") for i, text in enumerate(proteins)]
    path = write(tmp_path / "t.tsv", table([*rows, (GOOD[0][0], "a", "1")]))
    with pytest.raises(InputError, match="line 7; looks like DNA in a column of proteins"):
        read({"path": path}, "protein", label={})


def test_one_class_only(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", table([(text, "a", value) for text, _, value in GOOD]))
    said = message(path, label={})
    assert "target 'label' has one class only, 'a', in the training rows; give data with two classes" in said


def test_one_value_only(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", table([(text, label, "2.5") for text, label, _ in GOOD]))
    said = message(path, value={})
    assert "target 'value': value has one value only in the training rows; give data with two values" in said


def test_labels_of_another_length(tmp_path: Path) -> None:
    sequences = write(tmp_path / "s.fa", "".join(f">r{i}\n{row[0]}\n" for i, row in enumerate(GOOD)))
    strings = ["H" * 80, "E" * 79, "C" * 81, *["HE" * 40] * 3]
    labels = write(tmp_path / "l.fa", "".join(f">r{i}\n{text}\n" for i, text in enumerate(strings)))
    said = message(sequences, {"labels": labels}, ss={})
    assert "s.fa, record 'r1'; its label string has 79 letters, and its sequence 80 (2 such rows)" in said


def test_a_mask_of_another_length_and_of_other_letters(tmp_path: Path) -> None:
    sequences = write(tmp_path / "s.fa", "".join(f">r{i}\n{row[0]}\n" for i, row in enumerate(GOOD)))
    labels = write(tmp_path / "l.fa", "".join(f">r{i}\n{'HE' * 40}\n" for i in range(6)))
    short = write(tmp_path / "m.fa", "".join(f">r{i}\n{'1' * (80 - (i == 4))}\n" for i in range(6)))
    odd = write(
        tmp_path / "n.fa", "".join(f">r{i}\n{'01' * 39}{'x1' if i == 2 else '11'}\n" for i in range(6))
    )
    assert "'r4'; its mask has 79 letters, and its sequence 80" in message(
        sequences, {"labels": labels, "mask": short}, ss={}
    )
    assert "'r2'; its mask has the letter 'x'; a mask is of 0 and 1" in message(
        sequences, {"labels": labels, "mask": odd}, ss={}
    )


def test_a_covariate_that_is_no_number(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", table(with_row((GOOD[0][0], "a", "young"))))
    said = message(path, {"covariates": "value"}, label={})
    assert "t.tsv, line 4; its covariate value is 'young', which is no measured value" in said


def test_the_first_row_is_named_whatever_is_wrong_with_it_and_all_are_counted(tmp_path: Path) -> None:
    rows = with_row((GOOD[0][0], "a", "no"), ("", "b", "1"), ("ACGT-ACGT", "b", "no"))
    said = message(write(tmp_path / "t.tsv", table(rows)), value={"kind": "regression"})
    assert "t.tsv, line 4; 7 of 9 cells of value are numbers; 'no' is not (3 rows cannot be used; " in said
    assert "label not a number: 2" in said
    assert "empty sequence: 1" in said
    assert "wrong alphabet: 1" in said


def test_collected_defects_and_rows_left_out() -> None:
    defects = Defects("drop")
    defects.add(3, "bad", "is bad", "mend it")
    defects.leave_out(1, "too short")
    assert 3 in defects
    assert 0 not in defects
    rows, dropped = defects.settle([f"line {i}" for i in range(5)], list("abcde"))
    assert rows.tolist() == [0, 2, 4]
    assert [tuple(row) for row in dropped] == [("line 1", "b", "too short"), ("line 3", "d", "bad")]
