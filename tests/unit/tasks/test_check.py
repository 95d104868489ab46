from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from genomecli.tasks.check import check_lines, length_histogram, rare_classes, shown_label, table, told
from genomecli.tasks.examples import Labels
from genomecli.tasks.leakage import find_copies, leakage
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.splits import Split, split_examples
from genomecli.tasks.targets import fit_targets
from tests.unit.tasks.made import random_dna, read, targets, write

RNG = np.random.default_rng(19)
TEXTS = [random_dna(RNG, 40 + i) for i in range(30)]


def made(folder: Path) -> list[str]:
    rows = []
    for i, text in enumerate([*TEXTS[:-1], TEXTS[-1][:5]]):
        side, both = "train" if i > 9 else "test", "x;y" if i % 2 else "x"
        rows.append(f"{text}\t{('a', 'b', '')[i % 3]}\t{i}.5\t{both}\t{i % 7}\t{side}\tf{i // 3}")
    rows.append(rows[3])
    path = write(folder / "t.tsv", "sequence\ty\tv\tm\tage\tsplit\tgroup\n" + "\n".join(rows) + "\n")
    settings = {"y": {}, "v": {}, "m": {}}
    reading = read({"path": path, "covariates": "age", "min_length": 10}, "dna", **settings)
    splits = split_examples(reading.examples, reading.raw, SplitSettings(valid=0.2), 1)
    fitted = fit_targets(reading, targets(**settings), splits[0].train)
    copies = find_copies(reading.examples)
    return check_lines(
        reading, fitted, splits, [leakage(copies, reading.examples, reading.raw, one) for one in splits]
    )


def test_everything_is_said(tmp_path: Path) -> None:
    lines = made(tmp_path)
    text = "\n".join(lines)
    assert f"  {tmp_path / 't.tsv'}, " in text
    assert "  30 rows of DNA, " in text
    assert "covariate age: 0 to 6, 0 missing" in text
    assert "split: train 19, test 11" in text
    assert "group: f1 4, f0 3, f2 3, f3 3, f4 3, f5 3, ... (10 in all)" in text
    counts = next(line.split() for line in lines if line.startswith("  a "))
    assert counts[0] == "a"
    assert sum(map(int, counts[1:4])) == int(counts[4]) == 11
    assert any(line.startswith("  rows without a label") for line in lines)
    assert "Target v: regression" in text
    assert "v mean" in text
    assert "Target m: multilabel" in text
    assert "1 row left out: too short, the first at t.tsv, line 31" in text
    assert "Split: Test as the data says; validation cut from its training rows." in text
    assert "1 rows repeat the sequence of an earlier row" in text
    first = next(line.split() for line in lines if line.startswith("  row_1 "))
    assert first[1:4] == ["test", "40", "a"]
    assert first[-1] == TEXTS[0]


def test_a_target_says_its_positive_class_and_what_judges_it(tmp_path: Path) -> None:
    lines = made(tmp_path)
    assert (
        "Target y: binary, positive class b (the last by name; targets.y.positive sets it), judged by MCC"
        in lines
    )
    assert "Target v: regression, judged by Pearson r" in lines
    assert "Target m: multilabel, judged by macro F1" in lines
    one = Target("lab", "binary", (), ("unbound", "bound"), judged_by="auprc")
    why = "the last of its classes; targets.lab.positive sets it"
    assert told(one) == f"binary, positive class bound ({why}), judged by AUPRC"
    assert "targets.lab.classes sets it" in told(Target("lab", "token", (), ("E", "H")))


def test_classes_that_a_side_lacks_are_named(tmp_path: Path) -> None:
    classes = ["maybe", "yes"] + ["yes", "no"] * 14
    rows = [
        f"{text}\t{name}\t{('train', 'valid', 'test')[i // 10]}"
        for i, (text, name) in enumerate(zip(TEXTS, classes, strict=True))
    ]
    path = write(tmp_path / "t.tsv", "sequence\ty\tsplit\n" + "\n".join(rows) + "\n")
    reading = read({"path": path}, "dna", y={})
    splits = split_examples(reading.examples, reading.raw, SplitSettings(), 1)
    fitted = fit_targets(reading, targets(y={}), splits[0].train)
    said = "Target y: too rare to be learned or judged on every side: maybe (1 row, none in valid and test)."
    assert rare_classes(fitted.targets["y"], fitted.examples.labels["y"], splits) == [said]
    assert f"  {said}" in check_lines(reading, fitted, splits, [])
    even = Target("y", "multiclass", ("y",), ("a", "b"))
    halves = Labels(np.arange(30) % 2)
    assert rare_classes(even, halves, splits) == []
    many = Target("y", "multiclass", ("y",), tuple("abcdefgh"))
    (line,) = rare_classes(many, halves, splits)
    assert line.endswith("g (0 rows, none in train, valid and test) and 1 more.")


def test_a_common_class_that_the_split_keeps_on_one_side_is_not_called_rare() -> None:
    """As where a motif that all rows of a class share makes one cluster of them."""
    labels = Labels(np.repeat([0, 1], 20))
    split = Split(np.arange(5, 40), np.arange(2, 5), np.arange(2), np.arange(40), "By 21 clusters.")
    (line,) = rare_classes(Target("y", "binary", ("y",), ("no", "yes")), labels, [split])
    assert line == (
        "Target y: a side of this split has none of yes (20 rows, none in valid and test); another split.by "
        "may part them."
    )


def test_columns_stand_below_each_other() -> None:
    assert table([["name", "n"], ["a", 10], ["bcdef", 2.5]]) == [
        "  name     n",
        "  a       10",
        "  bcdef  2.5",
    ]


def test_the_histogram_holds_all_lengths() -> None:
    lengths = RNG.integers(20, 500, 300).astype(np.int64)
    lines = length_histogram(lengths)
    assert sum(int(line.split()[3]) for line in lines[:-1]) == 300
    assert lines[0].split()[0] == str(lengths.min())
    assert lines[-1].split()[1].rstrip(",") == f"{np.median(lengths):g}"
    assert length_histogram(np.array([81, 81])) == ["  all 81"]
    assert sum(int(line.split()[3]) for line in length_histogram(np.array([5, 6, 6]))[:-1]) == 3


def test_labels_in_words(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", "sequence\ty\tv\tm\ts\nACGTACGTAC\ta\t1.5\tx;z\tHHHHHEEEEE\n"
                 "ACGTACGTAG\tb\t2.5\t;\tCCCCCEEEEE\nACGTACGTAA\t\t\t\tEEEEEEEEEE\n")  # fmt: skip
    settings = {"y": {}, "v": {}, "m": {}, "s": {"kind": "token"}}
    reading = read({"path": path}, "dna", **settings)
    fitted = fit_targets(reading, targets(**settings), np.arange(3))
    shown = [
        [shown_label(fitted.examples.labels[name], target, row) for name, target in fitted.targets.items()]
        for row in range(3)
    ]
    assert shown == [
        ["a", "1.5", "x;z", "HHHHHEEEEE"],
        ["b", "2.5", ";", "CCCCCEEEEE"],
        ["NA", "NA", "NA", "EEEEEEEEEE"],
    ]


def test_reading_and_checking_need_no_torch() -> None:
    code = "import sys, genomecli.tasks.check, genomecli.tasks.reading, genomecli.tasks.splits\n"
    done = subprocess.run([sys.executable, "-c", code + "sys.exit('torch' in sys.modules)"], check=False)
    assert done.returncode == 0
