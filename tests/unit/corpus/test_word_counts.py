from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.tokenizers import Tokenizer
from genomecli.corpus.word_counts import BLOCK, UNITS, count_units, unit_of, word_counts
from genomecli.sequences.alphabets import DNA

KMERS = [(k, unit) for unit in UNITS for k in range(1, unit + 1) if unit % k == 0]


@pytest.mark.parametrize(("k", "unit"), KMERS)
@given(st.integers(0, 60), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_counts_equal_those_of_slices(k: int, unit: int, units: int, skipped: int, seed: int) -> None:
    codes = np.random.default_rng(seed).integers(0, 4, skipped + unit * units, dtype=np.uint8)[skipped:]
    text = DNA.decode(codes)
    for size in (k, 1):
        slow = Counter(text[at : at + size] for at in range(0, len(text), size))
        fast = word_counts(count_units(codes, unit), unit, size)
        assert fast.tolist() == [slow["".join(word)] for word in product("ACGT", repeat=size)]


def test_letters_of_words() -> None:
    codes = DNA.encode("ACCTTTGATTGA")
    words = word_counts(count_units(codes, 6), 6, 3)
    assert word_counts(words, 3, 1).tolist() == [3, 2, 2, 5]


class Registered(Tokenizer):
    """Reads symbols in another way, perhaps."""


def test_other_tokenizers_are_left_alone() -> None:
    assert [unit_of(Tokenizer("dna", k, k, start=5)) for k in range(1, 9)] == [6, 6, 6, 8, None, 6, None, 8]
    assert unit_of(Registered("dna", 3, 3, start=5)) is None
    assert unit_of(Tokenizer("dna", 3, 1, start=5)) is None
    assert unit_of(build_lexicon(["a"], dna="greedy", k=6, stride=6).tokenizer("a", "genome")) is None
    assert unit_of(build_lexicon(["a"]).tokenizer("a", "protein")) is None


def test_blocks_hold_whole_units() -> None:
    assert all(BLOCK % unit == 0 for unit in UNITS)
