from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genomecli.errors import InputError
from genomecli.tasks.examples import Examples
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.leakage import Leakage, find_copies, leakage, over_folds
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.splits import Split, split_examples
from genomecli.tasks.windows import cut_windows
from tests.unit.tasks.made import classes, examples, random_dna, random_protein

RNG = np.random.default_rng(29)
PROTEINS = [random_protein(RNG, 200) for _ in range(40)]


def cut(texts: list[str], alphabet: str = "protein", **more: Any) -> tuple[Examples, dict[str, RawLabels]]:
    """Windows of 50 letters, of which each has the label of its sequence."""
    raw = {"y": classes([("a", "b")[row % 2] for row in range(len(texts))])}
    windows, labels, _ = cut_windows(examples(texts, alphabet, **more), raw, 50, 1)
    return windows, labels


def splits(data: tuple[Examples, dict[str, RawLabels]], **settings: Any) -> list[Split]:
    return split_examples(*data, SplitSettings(method="kmer", **settings), 1)


def sides_of(windows: Examples, split: Split) -> dict[str, set[str]]:
    """The sides of each sequence, by its id."""
    found: dict[str, set[str]] = {}
    for name, side in zip(windows.ids, split.names(), strict=True):
        found.setdefault(name.rpartition(":")[0], set()).add(side)
    return found


@pytest.mark.parametrize("by", ["auto", "random", "stratified", "group", "cluster"])
@pytest.mark.parametrize("folds", [0, 4])
def test_windows_of_one_sequence_are_on_one_side_and_one_unit_of_the_bootstrap(by: str, folds: int) -> None:
    names = ["", "", "x", "y"] * 10 if by == "group" else None
    data = cut(PROTEINS, group=names)
    assert len(data[0]) == 160
    for one in splits(data, by=by, folds=folds):
        assert all(len(sides) == 1 for sides in sides_of(data[0], one).values())
        assert one.group_of.max() + 1 == (22 if by == "group" else 40)
        assert (one.group_of.reshape(40, 4) == one.group_of.reshape(40, 4)[:, :1]).all()
    if by not in ("group", "auto"):
        assert "windows of one sequence together" in splits(data, by=by)[0].how


def test_a_validation_cut_from_given_training_rows_keeps_them_together() -> None:
    data = cut(PROTEINS, split=["train"] * 30 + ["test"] * 10)
    (one,) = splits(data, valid=0.2)
    assert all(len(sides) == 1 for sides in sides_of(data[0], one).values())
    assert len(one.valid) == 24
    assert one.group_of.max() + 1 == 40


def test_windows_of_short_contigs_of_an_annotated_genome() -> None:
    texts = [random_dna(RNG, 400) for _ in range(12)]
    data = cut(texts, "dna")
    (one,) = split_examples(*data, SplitSettings(method="kmer", block=1000), 1, genome=True)
    assert all(len(sides) == 1 for sides in sides_of(data[0], one).values())
    (long,) = split_examples(*data, SplitSettings(method="kmer", block=100), 1, genome=True)
    assert "blocks of about 100 bases" in long.how
    assert any(len(sides) > 1 for sides in sides_of(data[0], long).values())


def test_sequences_of_one_id_are_told_apart() -> None:
    whole, raw = examples(PROTEINS[:20], "protein"), {"y": classes(["a", "b"] * 10)}
    windows, labels, _ = cut_windows(Examples(["p"] * 20, whole.sequences), raw, 50, 1)
    (one,) = splits((windows, labels))
    assert one.group_of.max() + 1 == 20


def test_too_few_sequences_are_named() -> None:
    said = (
        "8 rows are 2 groups, too few for 3 sides: windows of one sequence stay together, and they are of 2 "
    )
    with pytest.raises(InputError, match=f"{said}sequences; give more sequences"):
        splits(cut(PROTEINS[:2]))
    with pytest.raises(InputError, match="stay together, .*; set split.by to locus"):
        splits(cut([random_dna(RNG, 400), random_dna(RNG, 400)], "dna"), by="random")


def found(data: tuple[Examples, dict[str, RawLabels]], split: Split) -> Leakage:
    return leakage(find_copies(data[0]), *data, split)


def test_leakage_counts_sequences_with_windows_on_two_sides() -> None:
    data = cut(PROTEINS)
    rows = np.arange(160)
    parted = Split(rows[:118], rows[118:121], rows[121:], rows, "Made.")
    one = found(data, parted)
    assert (one.cut, one.sequences) == (2, 40)
    assert "Sequences with windows on two sides of the split: 2 of 40." in one.warnings()
    assert over_folds([one, one]).cut == 2
    whole = found(data, splits(data)[0])
    assert (whole.cut, whole.warnings()) == (0, [])
    assert (
        found(
            (examples(PROTEINS, "protein"), {}), Split(rows[:30], rows[30:35], rows[35:40], rows[:40], "")
        ).sequences
        == 0
    )


def test_a_split_by_place_parts_long_contigs_and_is_not_warned_of() -> None:
    data = cut([random_dna(RNG, 5000)], "dna")
    one = found(data, splits(data, by="locus", block=500)[0])
    assert (one.cut, one.sequences, one.warnings()) == (1, 1, [])


def test_a_warning_names_the_windows_and_not_their_record() -> None:
    windows, labels = cut([PROTEINS[0][:50] * 2])
    one = Split(np.array([0]), np.array([], dtype=np.int64), np.array([1]), np.arange(2), "Made.")
    found = leakage(find_copies(windows), windows, labels, one)
    assert found.overlaps[0].example == ("r0:51-100", "r0:1-50")
