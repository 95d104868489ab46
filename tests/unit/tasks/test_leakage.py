from __future__ import annotations

import json
from typing import Any

import numpy as np

from genomecli.tasks.examples import Ints
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.leakage import Leakage, find_copies, leakage, over_folds
from genomecli.tasks.splits import Split
from tests.unit.tasks.made import classes, examples, random_dna, random_protein, reverse_complement

RNG = np.random.default_rng(17)
TEXTS = [random_dna(RNG, 100) for _ in range(10)]


def rows(*numbers: int) -> Ints:
    return np.array(numbers, dtype=np.int64)


def split(train: Ints, valid: Ints, test: Ints, groups: Ints | None = None) -> Split:
    n = len(train) + len(valid) + len(test)
    return Split(train, valid, test, np.arange(n) if groups is None else groups, "Made.")


def found(texts: list[str], names: str, one: Split, alphabet: str = "dna") -> Leakage:
    data = examples(texts, alphabet)
    return leakage(find_copies(data), data, {"y": classes(list(names))}, one)


def test_a_clean_split_has_nothing_to_warn_of() -> None:
    one = found(TEXTS, "ababababab", split(rows(0, 1, 2, 3, 4, 5), rows(6, 7), rows(8, 9)))
    assert one.warnings() == []
    assert [(o.side, o.other, o.rows, o.equal, o.similar) for o in one.overlaps] == [
        ("test", "train", 2, 0, 0),
        ("valid", "train", 2, 0, 0),
        ("test", "valid", 2, 0, 0),
    ]


def test_equal_reverse_and_similar_sequences_are_counted_apart() -> None:
    texts = [*TEXTS[:6], TEXTS[0], reverse_complement(TEXTS[1]), TEXTS[2][:60] + TEXTS[9][:40], TEXTS[8]]
    one = found(texts, "ababababab", split(rows(0, 1, 2, 3, 4), rows(5), rows(6, 7, 8, 9)))
    overlap = one.overlaps[0]
    assert (overlap.rows, overlap.equal, overlap.similar) == (4, 2, 1)
    assert overlap.example == ("made.tsv, line 8", "made.tsv, line 2")
    (warning,) = [sentence for sentence in one.warnings() if sentence.startswith("Of 4 test rows")]
    assert "2 equal a sequence and at least 1 more are similar (80 % identity or more) to one" in warning
    assert "training rows, such as made.tsv, line 8 and made.tsv, line 2" in warning
    assert one.repeated == 2


def test_similar_proteins() -> None:
    base = random_protein(RNG, 100)
    texts = [base, random_protein(RNG, 100), base[:50] + random_protein(RNG, 10) + base[60:]]
    one = found(texts, "aba", split(rows(0), rows(), rows(1, 2)), "protein")
    assert [(o.side, o.equal, o.similar) for o in one.overlaps] == [("test", 0, 1)]
    assert one.overlaps[0].example == ("made.tsv, line 4", "made.tsv, line 2")


def test_equal_sequences_with_other_classes_on_one_strand() -> None:
    texts = [TEXTS[0], TEXTS[0], TEXTS[1], reverse_complement(TEXTS[1]), TEXTS[2]]
    one = found(texts, "abaab", split(rows(0, 1, 2, 3), rows(), rows(4)))
    assert one.conflicts == 1
    assert one.conflict == ("made.tsv, line 2", "made.tsv, line 3")
    said = "Sequences that come with different classes: 1, such as made.tsv, line 2 and made.tsv, line 3."
    assert said in one.warnings()


def test_measured_values_may_differ_and_unknown_labels_do_not() -> None:
    data = examples([TEXTS[0], TEXTS[0], TEXTS[1]])
    values = RawLabels("regression", ("v",), ("v",), np.array([[1.0], [2.0], [3.0]]))
    unknown = RawLabels("class", ("y",), ("a",), np.array([0, -1, 0]))
    one = split(rows(0, 1), rows(), rows(2))
    assert leakage(find_copies(data), data, {"v": values, "y": unknown}, one).conflicts == 0


def test_labels_of_symbols_and_sets_that_differ() -> None:
    data = examples(["ACGTA", "ACGTA", "ACGTA", "TTTTT"])
    offsets = np.arange(0, 21, 5)
    symbols = np.array([0, 0, 1, 1, -1] * 2 + [0, 0, 1, 0, -1] + [0] * 5)
    one = split(rows(0, 1, 2), rows(), rows(3))
    raw = RawLabels("token", ("s",), ("a", "b"), symbols, offsets)
    assert leakage(find_copies(data), data, {"s": raw}, one).conflicts == 1
    sets = RawLabels("multilabel", ("m",), ("a", "b"), np.array([[1, 0], [1, np.nan], [1, 1], [0, 0]]))
    assert leakage(find_copies(data), data, {"m": sets}, one).conflict == ("", "")
    different = RawLabels("multilabel", ("m",), ("a", "b"), np.array([[1, 0], [1, 1], [1, 1], [0, 0]]))
    assert leakage(find_copies(data), data, {"m": different}, one).conflicts == 1


def test_groups_on_two_sides_are_counted() -> None:
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    one = found(TEXTS, "ababababab", split(rows(0, 1, 2, 4, 6), rows(3, 5), rows(7, 8, 9), groups))
    assert one.parted == 3
    assert "Groups with rows on two sides of the split: 3." in one.warnings()


def test_folds_are_summed() -> None:
    texts = [TEXTS[0], TEXTS[0], *TEXTS[1:5]]
    data = examples(texts)
    copies, raw = find_copies(data), {"y": classes(list("ababab"))}
    folds = [split(rows(2, 3, 1, 4), rows(), rows(0, 5)), split(rows(0, 3, 5, 4), rows(), rows(1, 2))]
    joined = over_folds([leakage(copies, data, raw, one) for one in folds])
    (overlap,) = joined.overlaps
    assert (overlap.side, overlap.rows, overlap.equal) == ("test", 4, 2)


def test_it_is_plain_values() -> None:
    one: Any = found(TEXTS, "ababababab", split(rows(0, 1, 2, 3, 4, 5), rows(6, 7), rows(8, 9)))
    assert json.loads(json.dumps(one.to_dict()))["overlaps"][0]["side"] == "test"


def test_it_says_what_is_asked_of_the_sequences_at_hand() -> None:
    dna = found(TEXTS, "ababababab", split(rows(0, 1, 2, 3, 4, 5), rows(6, 7), rows(8, 9))).levels()
    assert dna.endswith(
        "Of DNA half of the shorter sequence (or 100 letters) has to lie on the other, or 30 letters at the "
        "ends of both."
    )
    texts = [random_protein(RNG, 80) for _ in range(3)]
    protein = found(texts, "aba", split(rows(0), rows(), rows(1, 2)), "protein").levels()
    assert protein.endswith("at least so many. Of proteins a stretch in common, such as a domain, is enough.")
