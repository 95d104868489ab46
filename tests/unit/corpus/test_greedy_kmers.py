"""k-mers with single letters where none fits, against reading letter by letter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomecli.config import load_config
from genomecli.corpus.greedy_kmers import GreedyKmers
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.vocabulary import UNK
from genomecli.errors import ConfigError
from genomecli.sequences.alphabets import DNA


def slow(text: str, k: int) -> list[str]:
    words, place = [], 0
    while place < len(text):
        word = text[place : place + k]
        step = k if len(word) == k and set(word) <= set("ACGT") else 1
        words.append(text[place : place + step])
        place += step
    return words


@given(st.text(alphabet="ACGTACGTACGTN", max_size=60), st.integers(2, 6), st.integers(0, 4))
def test_encode_agrees_with_reading_from_left_to_right(text: str, k: int, frame: int) -> None:
    tokenizer = GreedyKmers("dna", k, k, start=5)
    numbers = {word: 5 + i for i, word in enumerate(tokenizer.all_words())} | {"N": UNK}
    words = slow(text[frame:], k)
    ids = tokenizer.encode(DNA.encode(text), frame)
    assert ids.dtype == np.int32
    assert ids.tolist() == [numbers[word] for word in words]
    assert tokenizer.decode(ids) == [word if word != "N" else "?" for word in words]
    begins, ends = tokenizer.places(ids, frame)
    assert [text[begin:end] for begin, end in zip(begins, ends, strict=True)] == words


def test_the_words_are_all_kmers_and_the_letters() -> None:
    tokenizer = GreedyKmers("dna", 6, 6, start=5)
    words = tokenizer.all_words()
    assert tokenizer.words == len(words) == len(set(words)) == 4**6 + 4
    assert [tokenizer.word(i) for i in (0, 4095, 4096, 4099, 4100)] == ["A" * 6, "T" * 6, "A", "T", "?"]


def test_a_lexicon_of_such_words_comes_back() -> None:
    lexicon = build_lexicon(["any"], dna="greedy", k=4, stride=4, molecules=("dna",))
    again = Lexicon.from_dict(lexicon.to_dict())
    assert again == lexicon
    assert type(again.tokenizers[0]) is GreedyKmers


def test_what_counts_tokens_from_letters_is_refused() -> None:
    tokenizer = GreedyKmers("dna", 6, 6, start=5)
    assert not tokenizer.uniform
    for refused in (
        lambda: tokenizer.count(12),
        lambda: tokenizer.symbols(2),
        lambda: tokenizer.encode_rows(np.zeros((2, 12), dtype=np.uint8)),
        lambda: tokenizer.check_uniform("score"),
    ):
        with pytest.raises(ConfigError, match="needs tokens of one length, and the model's are of 6 letters"):
            refused()
    with pytest.raises(ConfigError, match="tokens greedy are for models of others"):
        load_config(None, ["tokenize.tokens.dna=greedy"], needs=[])
