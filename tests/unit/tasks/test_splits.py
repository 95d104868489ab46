from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genomecli.errors import ConfigError, InputError
from genomecli.tasks.examples import Examples
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.splits import Split, split_examples
from genomecli.tasks.strata import strata
from tests.unit.tasks.made import classes, examples, random_dna

RNG = np.random.default_rng(13)
TEXTS = [random_dna(RNG, 60) for _ in range(120)]
NAMES = [("a", "b", "b", "c")[i % 4] for i in range(120)]


def splits(
    one: Examples, run_seed: int = 1, raw: dict[str, RawLabels] | None = None, **settings: Any
) -> list[Split]:
    labels = {"y": classes(NAMES[: len(one)])} if raw is None else raw
    return split_examples(one, labels, SplitSettings(**settings), run_seed)


def check(one: Split, n: int) -> None:
    """Every row is on one side, and no group on two."""
    joined = np.concatenate([one.train, one.valid, one.test])
    assert sorted(joined.tolist()) == list(range(n))
    side = np.array(one.names())
    for group in range(one.group_of.max() + 1):
        assert len(set(side[one.group_of == group].tolist())) == 1


@pytest.mark.parametrize("by", ["random", "stratified", "cluster", "group"])
def test_shares_groups_and_seeds(by: str) -> None:
    data = examples(TEXTS, group=[f"g{i // 3}" for i in range(120)])
    (one,) = splits(data, by=by, method="kmer")
    check(one, 120)
    assert [len(rows) for rows in one.sides.values()] == [84, 12, 24]
    (again,) = splits(data, by=by, method="kmer")
    (other,) = splits(data, 2, by=by, method="kmer")
    assert again.names() == one.names()
    assert other.names() != one.names()
    (own,) = splits(data, 2, by=by, method="kmer", seed=1)
    assert own.names() == one.names()


def test_strata_are_kept_but_not_by_random() -> None:
    data = examples(TEXTS)
    names = np.array(NAMES)
    (one,) = splits(data, by="stratified")
    assert [int((names[one.test] == name).sum()) for name in "abc"] == [6, 12, 6]
    drawn = [int((names[splits(data, seed, by="random")[0].test] == "a").sum()) for seed in range(8)]
    assert len(set(drawn)) > 2


@pytest.mark.parametrize("by", ["stratified", "cluster", "group"])
def test_folds_test_every_row_once(by: str) -> None:
    data = examples(TEXTS, group=[f"g{i // 3}" for i in range(120)])
    found = splits(data, by=by, folds=5, valid=0.1, method="kmer")
    assert len(found) == 5
    for one in found:
        check(one, 120)
        assert abs(len(one.valid) - 12) <= 3
        assert abs(len(one.test) - 24) <= 3
    assert sorted(np.concatenate([one.test for one in found]).tolist()) == list(range(120))
    assert found[2].how.endswith("Fold 3 of 5.")


def test_no_validation_if_none_is_asked_for() -> None:
    (one,) = splits(examples(TEXTS), by="random", valid=0)
    assert len(one.valid) == 0
    (fold, *_) = splits(examples(TEXTS), by="random", valid=0, folds=4)
    assert len(fold.valid) == 0
    assert len(fold.train) == 90


class TestColumn:
    def test_as_the_data_says(self) -> None:
        words = ["train", "valid", "test", "train"] * 3
        (one,) = splits(examples(TEXTS[:12], split=words))
        assert one.names() == words
        assert one.how == "As the data says."

    def test_a_validation_that_is_not_given_is_cut_from_the_training_rows(self) -> None:
        words = ["train"] * 80 + ["test"] * 40
        data = examples(TEXTS, split=words, group=[f"g{i // 4}" for i in range(120)])
        (one,) = splits(data, valid=0.1)
        check(one, 120)
        assert one.test.tolist() == list(range(80, 120))
        assert len(one.valid) == 8
        (bare,) = splits(data, valid=0)
        assert len(bare.valid) == 0

    @pytest.mark.parametrize(
        ("word", "said"), [("fold3", "made.tsv, line 4; its split is 'fold3'"), ("", "line 4; has no split")]
    )
    def test_other_words_are_refused(self, word: str, said: str) -> None:
        with pytest.raises(InputError, match=said):
            splits(examples(TEXTS[:4], split=["train", "test", word, "train"]))

    def test_no_training_row(self) -> None:
        with pytest.raises(InputError, match="the data gives no training row"):
            splits(examples(TEXTS[:2], split=["test", "test"]))

    def test_no_column(self) -> None:
        with pytest.raises(ConfigError, match="split.by is column, and the data gives no split"):
            splits(examples(TEXTS), by="column")


def test_auto_takes_the_column_then_the_group_then_clusters() -> None:
    words, groups = ["train", "valid", "test"] * 4, ["a", "b", "c"] * 4
    assert splits(examples(TEXTS[:12], split=words, group=groups))[0].how == "As the data says."
    assert splits(examples(TEXTS[:12], group=groups))[0].how == "By 3 groups of the data."
    assert "clusters" in splits(examples(TEXTS[:12]), method="kmer")[0].how
    assert "groups" in splits(examples(TEXTS[:12], split=words, group=groups), folds=3)[0].how


def test_too_few_groups() -> None:
    grouped = examples(TEXTS[:12], group=["a", "b"] * 6)
    said = "12 rows are 2 groups, too few for 3 sides: named by the column of groups; name another column in "
    with pytest.raises(InputError, match=f"{said}data.group, .* another way, or set split.valid to 0$"):
        splits(grouped, by="group")
    with pytest.raises(InputError, match="another way, or lower split.folds to 2 at most$"):
        splits(grouped, by="group", folds=5)
    with pytest.raises(ConfigError, match="split.by is group, and the data gives no group"):
        splits(examples(TEXTS[:12]), by="group")


@pytest.mark.parametrize("by", ["auto", "cluster", "random"])
def test_one_contig_is_one_row_and_windows_are_the_way_out(by: str) -> None:
    contig = examples([TEXTS[0]])
    with pytest.raises(InputError) as caught:
        splits(contig, by=by)
    assert str(caught.value) == (
        "1 row is 1 group, too few for 3 sides: there are no more rows; give more rows"
    )
    values = np.zeros(len(TEXTS[0]), dtype=np.int64)
    labels = RawLabels("token", (), ("a", "b"), values, np.array([0, len(values)]), declared=True)
    with pytest.raises(InputError) as caught:
        split_examples(contig, {"y": labels}, SplitSettings(by=by), 1, genome=True)
    assert str(caught.value).endswith("; set data.window, so that a contig is cut into windows")
    assert "equal" not in str(caught.value)


def test_why_sequences_are_too_few_groups() -> None:
    equal = examples([TEXTS[0]] * 12)
    with pytest.raises(
        InputError, match="1 group, .*: all sequences are equal; give data with different seq"
    ):
        splits(equal, by="cluster", method="kmer")
    alike = examples([TEXTS[0][:at] + "A" + TEXTS[0][at + 1 :] for at in range(12)])
    said = "joined by similarity, at identity 0.8; raise split.identity$"
    with pytest.raises(InputError, match=said):
        splits(alike, by="cluster", method="kmer")


def test_rows_without_a_group_are_their_own() -> None:
    data = examples(TEXTS[:40], group=["", "", "x", "x"] * 10)
    (one,) = splits(data, by="group")
    assert one.group_of.max() + 1 == 21
    assert len(set(one.group_of[2::4].tolist())) == 1


class TestStrata:
    def values(self, numbers: list[float]) -> RawLabels:
        return RawLabels("regression", ("v",), ("v",), np.array(numbers)[:, None])

    def test_fifths_of_a_measured_value(self) -> None:
        found = strata({"v": self.values([float(i * i) for i in range(50)])}, 50)
        assert np.bincount(found).tolist() == [10] * 5
        missing = strata({"v": self.values([1.0, float("nan")] * 20)}, 40)
        assert len(set(missing[1::2].tolist())) == 1

    def test_targets_are_combined_until_strata_are_too_small(self) -> None:
        y, z = classes(["a", "b"] * 30), classes([str(i % 3) for i in range(60)])
        assert len(set(strata({"y": y, "z": z}, 60).tolist())) == 6
        many = classes([str(i) for i in range(60)])
        assert len(set(strata({"y": y, "many": many}, 60).tolist())) == 2

    def test_a_measured_value_is_alike_on_all_sides(self) -> None:
        raw = {"v": self.values(RNG.normal(size=120).tolist())}
        (one,) = splits(examples(TEXTS), raw=raw, by="stratified")
        own = strata(raw, 120)
        assert np.bincount(own[one.test], minlength=5).max() <= 6
