"""``tokenizer.json`` as Hugging Face's own library reads it, against our tokenizers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.tokenizers import TOKENIZERS, Tokenizer, TokenizerKind, register_tokenizer
from genomecli.corpus.vocabulary import CLS, SEP, SPECIALS, UNK
from genomecli.errors import ConfigError, UsageError
from genomecli.exchange.hugging_face_tokenizer import choose_block, tokenizer_json, words
from genomecli.inference.items import Reading

tokenizers = pytest.importorskip("tokenizers")

DNA = "ACGTacgtUuNnRrYywsKmBdhvV-.*QxZ7é"
PROTEIN = "ACDEFGHIKLMNPQRSTVWYacdefghiklmnpqrstvwyUuOoBbJjZzXx*-.7é"
PLAIN = ["base", "codon", *((k, stride) for k in (1, 2, 3, 6) for stride in (k, k + 1, k + 4))]


def lexicon_of(kind: Any, **options: Any) -> Lexicon:
    if isinstance(kind, tuple):
        return build_lexicon(["a", "b"], dna="kmer", k=kind[0], stride=kind[1], **options)
    return build_lexicon(["a", "b"], dna=kind, **options)


def theirs(lexicon: Lexicon, block: Any) -> Any:
    return tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json(lexicon, block)))


def texts(letters: str, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    common = letters[:4] if letters == DNA else letters[:20]
    pools = [common, letters]
    sizes = [*range(8), 40, 300, 301]
    return ["".join(random.choice(list(pools[n % 2]), size=n)) for n in sizes]


def ours(tokenizer: Tokenizer, text: str) -> list[int]:
    return [CLS, *tokenizer.encode(tokenizer.alphabet.encode(text)).tolist(), SEP]


@pytest.mark.parametrize("kind", PLAIN, ids=str)
def test_dna_has_the_same_ids(kind: Any) -> None:
    lexicon = lexicon_of(kind)
    block = lexicon.block("a", "dna")
    read, tokenizer = theirs(lexicon, block), lexicon.tokenizer("a", "dna")
    for text in texts(DNA, 1):
        assert read.encode(text).ids == ours(tokenizer, text), text


def test_proteins_have_the_ids_that_our_commands_read() -> None:
    lexicon = lexicon_of("codon")
    read, reading = theirs(lexicon, lexicon.block("a", "protein")), Reading.of(lexicon, "a", "protein")
    for text in [*texts(PROTEIN, 2), "MKV*", "MKV**", "mkvUx*", "M*V"]:
        whole = text.removesuffix("*")
        assert read.encode(text).ids == ours(reading.tokenizer, whole), text
    item = reading.item("r", reading.tokenizer.alphabet.encode("mkvlUx*"))
    assert not isinstance(item, str)
    assert read.encode("mkvlUx*").ids[1:-1] == item.tokens.tolist()


def test_white_space_and_special_tokens_within_a_text() -> None:
    lexicon = lexicon_of("codon")
    read, block = theirs(lexicon, lexicon.block("a", "dna")), lexicon.block("a", "dna")
    start = block.start + block.tokens.index("ATG")
    assert read.encode("AT G\nATG").ids == [CLS, start, start, SEP]
    assert read.encode("ATG[MASK]ATG").ids == [CLS, start, 4, start, SEP]
    assert read.encode("ATG", "ATGATG").ids == [CLS, start, SEP, start, start, SEP]
    assert read.encode("ATG", "ATGATG").type_ids == [0, 0, 0, 1, 1, 1]
    assert read.decode([start, start]) == "ATGATG"
    assert [read.token_to_id(text) for text in SPECIALS] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("shape", [(3, 1), (6, 1), (4, 2)])
def test_overlapping_words_are_read_from_split_text(shape: tuple[int, int]) -> None:
    lexicon = lexicon_of(shape)
    read, tokenizer = theirs(lexicon, lexicon.block("a", "dna")), lexicon.tokenizer("a", "dna")
    k, stride = shape
    for text in texts("ACGTacgtUuNn", 3):
        split = " ".join(text[at : at + k] for at in range(0, len(text) - k + 1, stride))
        assert read.encode(split).ids == ours(tokenizer, text)
    assert read.encode("ACGTACG").ids == [CLS, UNK, SEP]


def test_real_sequences_have_the_same_ids(real_data: Path) -> None:
    lexicon = lexicon_of("codon")
    for name, molecule in (("cds/ecoli_k12.cds.fa.gz", "cds"), ("proteins/ecoli_k12.faa.gz", "protein")):
        if not (real_data / name).is_file():
            pytest.skip(f"no {name}")
        read, tokenizer = theirs(lexicon, lexicon.block("a", molecule)), lexicon.tokenizer("a", molecule)
        with gzip.open(real_data / name, "rt") as handle:
            records = handle.read(400_000).split(">")[1:-1]
        for record in records:
            text = "".join(record.split("\n")[1:])
            assert read.encode(text).ids == ours(tokenizer, text.removesuffix("*"))
        assert len(records) > 100


def test_every_id_has_one_word_and_own_blocks_differ() -> None:
    lexicon = lexicon_of("codon", scope="per_species")
    found = {}
    for block in lexicon.vocabulary.blocks:
        table = words(lexicon, block)
        assert sorted(table.values()) == list(range(lexicon.vocabulary.size))
        found[block.name] = theirs(lexicon, block).encode("ACGTAC").ids
    assert found["a/dna"] != found["b/dna"] != found["a/protein"]
    assert theirs(lexicon, lexicon.vocabulary.blocks[0]).get_vocab_size() == lexicon.vocabulary.size


def test_the_choice_of_a_language() -> None:
    shared, own = lexicon_of("codon"), lexicon_of("codon", scope="per_species")
    dna_only = {"dna": True, "protein": False}
    assert choose_block(shared, None, "auto", dna_only).name == "dna"
    assert choose_block(shared, "b", "protein", dna_only).name == "protein"
    assert choose_block(own, "b", "auto", dna_only).name == "b/dna"
    with pytest.raises(UsageError, match="dna, protein; set export.molecule"):
        choose_block(shared, None, "auto", {})
    with pytest.raises(UsageError, match="a/dna, b/dna; set export.species$"):
        choose_block(own, None, "dna", {})
    with pytest.raises(UsageError, match=r"set export\.species and export\.molecule"):
        choose_block(own, None, "auto", {})
    with pytest.raises(UsageError, match="'c'; it knows a, b"):
        choose_block(own, "c", "auto", {})


def test_a_tokenizer_of_another_package_is_refused() -> None:
    class Odd(Tokenizer):
        """Reads in its own way."""

    register_tokenizer("odd", TokenizerKind(Odd, 1, 1))
    try:
        lexicon = lexicon_of("odd")
        with pytest.raises(ConfigError, match="Odd cannot be written"):
            tokenizer_json(lexicon, lexicon.block("a", "dna"))
    finally:
        TOKENIZERS.pop("odd")
