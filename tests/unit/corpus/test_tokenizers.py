from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomecli.corpus import tokenizers
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.tokenizers import Tokenizer
from genomecli.corpus.vocabulary import UNK
from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA


@given(st.text(alphabet="ACGTACGTN", max_size=60), st.integers(1, 8), st.integers(1, 9), st.integers(0, 4))
def test_encode_agrees_with_slicing(text: str, k: int, stride: int, frame: int) -> None:
    tokenizer = Tokenizer("dna", k, stride, start=5)
    slow = []
    for begin in range(frame, len(text) - k + 1, stride):
        word = text[begin : begin + k]
        slow.append(UNK if "N" in word else 5 + int("".join(str("ACGT".index(c)) for c in word), 4))
    fast = tokenizer.encode(DNA.encode(text), frame)
    assert fast.tolist() == slow
    assert tokenizer.count(len(text), frame) == len(slow)


def test_blocks_join_without_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    bases = np.random.default_rng(0).integers(0, 5, 1000).astype(np.uint8)
    tokenizer = Tokenizer("dna", 6, 1, start=5)
    whole = tokenizer.encode(bases)
    monkeypatch.setattr(tokenizers, "BLOCK", 7)
    assert np.array_equal(whole, tokenizer.encode(bases))


def test_ids_become_words_again() -> None:
    tokenizer = Tokenizer("dna", 3, 3, start=5)
    assert tokenizer.decode(np.array([5, 6, 68, 1], dtype=np.int32)) == ["AAA", "AAC", "TTT", "?"]
    assert tokenizer.decode(tokenizer.encode(DNA.encode("ATGCCA"))) == ["ATG", "CCA"]


@pytest.mark.parametrize("scope", ["shared", "per_species"])
@pytest.mark.parametrize(("dna", "k"), [("codon", 3), ("base", 1), ("kmer", 6)])
def test_a_lexicon_survives_its_json(scope: str, dna: str, k: int) -> None:
    lexicon = build_lexicon(["a", "b"], dna=dna, k=k, stride=1, scope=scope)
    again = Lexicon.from_dict(lexicon.to_dict())
    assert again == lexicon
    assert again.fingerprint == lexicon.fingerprint
    assert lexicon.languages == ("a/dna", "a/protein", "b/dna", "b/protein")
    assert (lexicon.tokenizer("a", "cds") == lexicon.tokenizer("b", "genome")) == (scope == "shared")
    texts = [lexicon.vocabulary.text(i) for i in range(lexicon.vocabulary.size)]
    assert len(set(texts)) == len(texts)
    assert [lexicon.vocabulary.id(text) for text in texts] == list(range(len(texts)))


def test_what_a_lexicon_does_not_know_is_an_error_that_says_what_it_knows() -> None:
    lexicon = build_lexicon(["a"], molecules=["protein"])
    with pytest.raises(InputError, match="no tokens for cds of species 'a'; the vocabulary holds protein"):
        lexicon.tokenizer("a", "cds")
    with pytest.raises(InputError, match="species 'x' is unknown to this model; it knows a"):
        lexicon.language_id("x", "cds")


def test_a_changed_alphabet_is_refused() -> None:
    values = build_lexicon(["a"]).to_dict()
    values["alphabets"]["dna"] = "0" * 16
    with pytest.raises(InputError, match="alphabet dna is .* here and 0000000000000000 there"):
        Lexicon.from_dict(values)
