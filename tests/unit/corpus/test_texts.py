"""Batches against the slow, obvious reading of each text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from genomecli.corpus.batch import Batch
from genomecli.corpus.crops import Texts
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.manifest import MOLECULES
from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.corpus.relations import Source
from genomecli.corpus.sampling import Sampler
from genomecli.corpus.texts import Parts, TextMaker, _runs
from genomecli.corpus.tokenizers import Tokenizer
from genomecli.corpus.vocabulary import CLS, PAD, SEP
from genomecli.sequences.alphabets import DNA
from tests.unit.corpus.toy_corpus import ToyCorpus, toy_corpus

SMALL = {"context": 48, "tokens_per_batch": 768, "tokens_per_step": 3072, "pool": 3}


def slow_text(corpus: ToyCorpus, lexicon: Lexicon, batch: Batch, row: int, tokens: int) -> list[int]:
    """Ids of the first part of a text, one text at a time."""
    record, start = int(batch.records[row]), int(batch.extras["start"][row])
    species = lexicon.species[int(batch.extras["species"][row])]
    molecule = MOLECULES[int(batch.extras["molecule"][row])]
    tokenizer = lexicon.tokenizer(species, molecule)
    symbols = corpus.sequences[record][start : start + tokenizer.symbols(tokens)]
    if int(batch.extras["strand"][row]):
        symbols = DNA.reverse_complement(symbols)
    assert corpus.rows[record]["species"] == species
    assert corpus.rows[record]["molecule"] == molecule
    assert int(batch.languages[row, 0]) == lexicon.language_id(species, molecule)
    return tokenizer.encode(symbols).tolist()


@pytest.mark.parametrize("scope", ["shared", "per_species"])
@pytest.mark.parametrize(
    ("dna", "k", "stride"), [("codon", 3, 3), ("kmer", 6, 1), ("kmer", 4, 5), ("base", 1, 1)]
)
def test_texts_agree_with_slow_reading(scope: Any, dna: Any, k: int, stride: int) -> None:
    corpus = toy_corpus(genes=25)
    corpus.sequences[0][::50] = 6  # ambiguity letters
    lexicon = build_lexicon(["a", "b"], dna=dna, k=k, stride=stride, scope=scope)
    settings = ReadingSettings(molecules=("genome", "cds", "protein"), frame="all", **SMALL)
    sampler = Sampler(corpus, lexicon, settings, 1)
    seen = set()
    for step in range(3):
        for batch in sampler.step(step):
            for row in range(len(batch.lengths)):
                length = int(batch.lengths[row])
                text = batch.tokens[row].tolist()
                assert text[0] == CLS
                assert text[length - 1] == SEP
                assert text[length:] == [PAD] * (batch.tokens.shape[1] - length)
                assert text[1 : length - 1] == slow_text(corpus, lexicon, batch, row, length - 2)
                seen.add((int(batch.extras["molecule"][row]), int(batch.extras["strand"][row])))
    assert seen == {(0, 0), (0, 1), (1, 0), (2, 0)}


def pieces(
    tokenizer: Tokenizer, *, reverse: bool, seed: int = 3
) -> tuple[ToyCorpus, Parts, list[np.ndarray]]:
    """Pieces of 1 to 20 tokens from records with ambiguity letters, and the ids of each by itself."""
    rng, corpus = np.random.default_rng(seed), ToyCorpus()
    tokens = np.array([7, 20, 1, 7, 13, 2])
    starts = rng.integers(0, 9, len(tokens))
    turned = rng.permutation(len(tokens)) % 2 == 0 if reverse else np.zeros(len(tokens), dtype=np.bool_)
    slow = []
    for count, start, back in zip(tokens.tolist(), starts.tolist(), turned.tolist(), strict=True):
        corpus.add("a", "genome", rng.integers(0, 6, 150).astype(np.uint8))
        piece = corpus.sequences[-1][start : start + tokenizer.symbols(count)]
        slow.append(tokenizer.encode(DNA.reverse_complement(piece) if back else piece))
    return corpus, Parts(tokenizer, np.arange(len(tokens)), starts, tokens, turned), slow


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("k", "stride"), [(3, 3), (1, 1), (6, 1), (4, 5)])
def test_pieces_end_to_end_are_those_of_rows_and_of_each_by_itself(
    k: int, stride: int, reverse: bool
) -> None:
    corpus, parts, slow = pieces(Tokenizer("dna", k, stride, start=5), reverse=reverse)
    assert parts.in_line == (k == stride and not reverse)
    line, rows = parts.encode_line(corpus), parts.encode(corpus)
    assert line.dtype == rows.dtype == np.int32
    assert line.tolist() == np.concatenate(slow).tolist()
    for row, ids in zip(rows, slow, strict=True):
        assert row[: len(ids)].tolist() == ids.tolist()


@pytest.mark.parametrize(("k", "stride"), [(3, 3), (6, 1)])
def test_texts_of_two_readers_and_of_several_lengths_stand_in_one_batch(k: int, stride: int) -> None:
    corpus, rng = ToyCorpus(), np.random.default_rng(4)
    kinds: Any = ("genome", "protein")
    tokens, source = np.array([9, 4, 12, 12, 1, 6, 30]), np.array([0, 1, 1, 0, 0, 1, 1])
    for number in source.tolist():
        corpus.add("a", kinds[number], rng.integers(0, 22 if number else 5, 120).astype(np.uint8))
    lexicon = build_lexicon(["a"], dna="kmer", k=k, stride=stride)
    sources = [Source("a", kind, corpus.records(molecule=kind)) for kind in kinds]
    zeros = np.zeros(len(tokens), dtype=np.int64)
    texts = Texts(
        *(source, np.arange(len(tokens)), zeros, tokens, zeros > 0, zeros, zeros - 1, zeros, zeros),
    )
    batch = TextMaker(corpus, lexicon, sources).make(texts)
    for row, count in enumerate(tokens.tolist()):
        ids = slow_text(corpus, lexicon, batch, row, count)
        assert batch.tokens[row].tolist() == [CLS, *ids, SEP, *[PAD] * (30 - count)]


def test_labels_say_what_a_text_is() -> None:
    settings = ReadingSettings(molecules=("genome", "cds", "protein"), frame="all", **SMALL)
    sampler = Sampler(toy_corpus(), build_lexicon(["a", "b"]), settings, 1)
    for batch in sampler.step(0):
        molecule, frame, coding = (batch.extras[name] for name in ("molecule", "frame", "coding"))
        assert all(value.dtype == torch.int64 for value in batch.extras.values())
        assert (frame[molecule == 2] == -100).all()
        assert (coding[molecule == 2] == -100).all()
        assert (coding[molecule == 0] == 0).all()
        assert torch.equal(coding[molecule == 1], (frame[molecule == 1] == 0).long())
        assert batch.segments is None
        assert torch.equal(batch.positions[0], torch.arange(batch.tokens.shape[1]))


def test_pairs_restart_positions_and_align_codons_with_residues() -> None:
    corpus, lexicon = toy_corpus(genes=30), build_lexicon(["a", "b"])
    sampler = Sampler(corpus, lexicon, ReadingSettings(relation="paired", **SMALL), 1)
    code = dict(_translation(lexicon))
    for batch in sampler.step(2):
        assert batch.segments is not None
        for row in range(len(batch.lengths)):
            length = int(batch.lengths[row])
            half = (length - 3) // 2
            text, second = batch.tokens[row, :length].tolist(), slice(half + 2, 2 * half + 2)
            assert text[0] == CLS
            assert text[half + 1] == text[-1] == SEP
            assert [code[token] for token in text[1 : half + 1]] == text[second]
            assert text[1 : half + 1] == slow_text(corpus, lexicon, batch, row, half)
            positions = batch.positions[row, :length].tolist()
            assert positions == [*range(half + 1), *range(half + 2)]
            assert batch.segments[row, :length].tolist() == [0] * (half + 2) + [1] * (half + 1)
            language = batch.languages[row, :length].tolist()
            assert len(set(language[: half + 2])) == len(set(language[half + 2 :])) == 1
            assert language[-1] == language[0] + 1
            partner = int(batch.extras["partner"][row])
            assert corpus.rows[partner]["gene"] == corpus.rows[int(batch.records[row])]["gene"]


def _translation(lexicon: Lexicon) -> list[tuple[int, int]]:
    from genomecli.sequences.codes import CODONS, genetic_code

    dna, protein = lexicon.block("a", "dna"), lexicon.block("a", "protein")
    pairs = zip(CODONS, genetic_code(1).amino, strict=True)
    return [(lexicon.vocabulary.id(c, dna), lexicon.vocabulary.id(a, protein)) for c, a in pairs if a != "*"]


def test_soft_mask_lowers_the_weight_of_its_share() -> None:
    corpus = ToyCorpus()
    corpus.add("a", "genome", "ACGacgAcgACg" * 4)
    lexicon = build_lexicon(["a"])
    settings = ReadingSettings(
        molecules=("genome",), genome_frame=0, soft_weight=0.1, context=18, tokens_per_batch=18 * 8, pool=1
    )
    batch = Sampler(corpus, lexicon, settings, 0).step(0)[0]
    assert batch.weights is not None
    expected = {0: [1, 0.1, 0.4, 0.7] * 4}
    expected[1] = expected[0][::-1]
    for row in range(len(batch.lengths)):
        inner = batch.weights[row, 1:17].tolist()
        assert inner == pytest.approx(expected[int(batch.extras["strand"][row])])
    assert (batch.weights[:, [0, -1]] == 1).all()


def test_soft_mask_of_pairs() -> None:
    corpus = ToyCorpus()
    corpus.add("a", "cds", "AAAcccAAAcccAAA", gene="x")
    corpus.add("a", "protein", "KpKPk", gene="x")
    settings = ReadingSettings(
        relation="paired", soft_weight=0.5, context=16, min_tokens=2, tokens_per_batch=16, pool=1
    )
    batch = Sampler(corpus, build_lexicon(["a"]), settings, 0).step(0)[0]
    assert batch.weights is not None
    assert batch.weights[0].tolist() == [1, 1, 0.5, 1, 0.5, 1, 1, 1, 0.5, 1, 1, 0.5, 1]


def test_without_soft_weight_there_are_no_weights() -> None:
    sampler = Sampler(toy_corpus(), build_lexicon(["a", "b"]), ReadingSettings(**SMALL), 0)
    assert all(batch.weights is None for batch in sampler.step(0))


def test_frames_of_genes_are_the_same_words_shifted() -> None:
    corpus, lexicon = toy_corpus(genes=12, species=("a",)), build_lexicon(["a"])
    for frame in (0, 1, 2):
        settings = ReadingSettings(molecules=("cds",), frame=frame, **{**SMALL, "context": 256})
        for batch in Sampler(corpus, lexicon, settings, 0).step(0):
            for row in range(len(batch.lengths)):
                symbols = corpus.sequences[int(batch.records[row])][3:]
                whole = lexicon.tokenizer("a", "cds").encode(symbols, frame)
                assert batch.tokens[row, 1 : int(batch.lengths[row]) - 1].tolist() == whole.tolist()
    assert np.all(symbols < 4)


@pytest.mark.parametrize("relation", ["paired", "disjoint"])
def test_wide_and_narrow_numbers_place_texts_alike(relation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = toy_corpus(genes=25)
    lexicon = build_lexicon(["a", "b"])
    sampler = Sampler(corpus, lexicon, ReadingSettings(relation=relation, **SMALL), 1)
    narrow = sampler.step(0)
    monkeypatch.setattr("genomecli.corpus.texts._narrow", lambda largest: np.dtype(np.int64))
    for one, other in zip(narrow, sampler.step(0), strict=True):
        for name in ("tokens", "positions", "languages", "segments"):
            values = getattr(one, name), getattr(other, name)
            assert (values[0] is None and values[1] is None) or torch.equal(*values)
            assert values[0] is None or values[0].dtype == torch.int64


@pytest.mark.parametrize("width", [32_767, 32_768, 70_000])
def test_runs_end_in_wide_texts(width: int) -> None:
    begin, lengths = np.array([[2], [width - 3], [width // 2]]), np.array([width - 2, 3, 0])
    inside = _runs(begin, lengths, width)
    assert [np.flatnonzero(row).tolist() for row in inside] == [
        list(range(first, first + length))
        for [first], length in zip(begin.tolist(), lengths.tolist(), strict=True)
    ]
