from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from genomecli.errors import ConfigError, InputError
from genomecli.sequences.alphabets import get_alphabet
from genomecli.tasks.examples import Examples, join_sequences
from genomecli.tasks.leakage import Leakage, find_copies, leakage, over_folds
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.splits import Split, split_examples
from tests.unit.tasks.made import classes, examples, random_dna, random_protein, reverse_complement

RNG = np.random.default_rng(31)
PROTEINS = [random_protein(RNG, 120) for _ in range(40)]


def pairs(texts: list[tuple[str, str]], alphabets: tuple[str, str] = ("protein", "protein")) -> Examples:
    second = get_alphabet(alphabets[1])
    column = join_sequences(alphabets[1], [second.encode(text) for _, text in texts])
    return replace(examples([text for text, _ in texts], alphabets[0]), pair=column)


def split(data: Examples, **settings: Any) -> Split:
    raw = {"y": classes([("a", "b")[row % 2] for row in range(len(data))])}
    return split_examples(data, raw, SplitSettings(method="kmer", **settings), 1)[0]


def found(data: Examples, one: Split) -> Leakage:
    return leakage(find_copies(data), data, {}, one)


def hand(train: list[int], test: list[int]) -> Split:
    n = len(train) + len(test)
    return Split(np.array(train), np.zeros(0, np.int64), np.array(test), np.arange(n), "Made.")


def test_pairs_of_known_sequences_are_counted_although_no_pair_is_a_copy() -> None:
    data = pairs(list(combinations(PROTEINS[:16], 2)))
    one = split(data, by="cluster")
    assert one.how.startswith("By 120 clusters")
    leak = found(data, one)
    test, valid, _ = leak.overlaps
    assert (test.equal, test.similar, test.one_member, test.both_members) == (0, 0, 0, 24)
    assert (valid.one_member, valid.both_members) == (0, 12)
    said = leak.warnings()
    assert "Of 24 test pairs, both sequences of 24 and one sequence of 0 are equal or similar to" in said[0]
    assert len(said) == 2


def test_one_and_both_equal_and_similar_in_either_column() -> None:
    near = PROTEINS[0][:50] + random_protein(RNG, 8) + PROTEINS[0][58:]
    texts = [
        (PROTEINS[0], PROTEINS[1]),
        (PROTEINS[2], PROTEINS[3]),
        (PROTEINS[3], PROTEINS[4]),  # the first was a second one
        (near, PROTEINS[5]),
        (PROTEINS[1], PROTEINS[2]),
        (near, PROTEINS[0]),
        (PROTEINS[6], PROTEINS[7]),
        (PROTEINS[0], PROTEINS[1]),
    ]
    data = pairs(texts)
    leak = found(data, hand([0, 1], [2, 3, 4, 5, 6, 7]))
    (overlap,) = leak.overlaps
    assert (overlap.rows, overlap.one_member, overlap.both_members, overlap.equal) == (6, 2, 3, 1)
    joined = over_folds([leak, leak]).overlaps[0]
    assert (joined.one_member, joined.both_members) == (4, 6)
    plain = examples([text for text, _ in texts], "protein")
    assert not found(plain, hand([0, 1], [2, 3, 4, 5, 6, 7])).paired


def test_a_split_by_member_leaves_no_known_sequence_on_another_side() -> None:
    texts = []
    for family in range(20):
        first, second = PROTEINS[2 * family : 2 * family + 2]
        near = first[:60] + random_protein(RNG, 6) + first[66:]
        texts += [(first, second), (random_protein(RNG, 90), second), (random_protein(RNG, 90), near)]
    data = pairs(texts)
    one = split(data, by="member")
    assert one.how.startswith("By 20 groups of pairs that share a sequence or a similar one")
    assert one.group_of.tolist() == np.repeat(np.arange(20), 3).tolist()
    leak = found(data, one)
    assert [(o.one_member, o.both_members) for o in leak.overlaps] == [(0, 0)] * 3
    assert leak.warnings() == []
    assert any(o.one_member for o in found(data, split(data, by="cluster")).overlaps)


def test_of_two_alphabets_and_on_both_strands() -> None:
    genes = [random_dna(RNG, 100) for _ in range(6)]
    texts = [
        (genes[0], PROTEINS[0]),
        (reverse_complement(genes[0]), PROTEINS[1]),
        (genes[1], PROTEINS[1]),
        (genes[2], PROTEINS[2]),
        (genes[3], PROTEINS[3]),
    ]
    data = pairs(texts, ("dna", "protein"))
    assert split(data, by="member").group_of.tolist() == [0, 0, 0, 1, 2]
    (overlap,) = found(data, hand([0, 3], [1, 2, 4])).overlaps
    assert (overlap.one_member, overlap.both_members) == (1, 0)


def test_what_cannot_be_split_by_member_is_said() -> None:
    every = pairs(list(combinations(PROTEINS[:16], 2)))
    said = "120 rows are 1 group, too few for 3 sides: joined by the sequences that pairs share; leave out "
    with pytest.raises(InputError, match=f"{said}pairs until .*, or set split.by to cluster"):
        split(every, by="member")
    with pytest.raises(ConfigError, match="split.by is member, and the data are no pairs; name the second"):
        split(examples(PROTEINS, "protein"), by="member")
    with pytest.raises(ConfigError, match="split.method is mmseqs, which knows no pairs"):
        split_examples(every, {}, SplitSettings(by="member", method="mmseqs"), 1)
