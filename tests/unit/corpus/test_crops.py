from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genomecli.corpus.crops import NO_LABEL, Crops, make_crops
from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.corpus.relations import Source
from genomecli.errors import ConfigError
from tests.unit.corpus.toy_corpus import ToyCorpus, toy_corpus

CODONS = build_lexicon(["a"])


def crops_of(corpus: ToyCorpus, molecule: str, lexicon: Any = CODONS, **values: Any) -> Crops:
    settings = ReadingSettings(**{"context": 32, "min_tokens": 1, **values})
    records = corpus.records("a", "cds" if molecule == "pair" else molecule)  # type: ignore[arg-type]
    partners = corpus.records("a", "protein") if molecule == "pair" else None
    kind: Any = "cds" if molecule == "pair" else molecule
    return make_crops(0, Source("a", kind, records, partners), corpus, lexicon, settings)


def many(crops: Crops, epochs: int = 40, seed: int = 0) -> Any:
    return crops.cut(np.tile(np.arange(crops.units), epochs), np.random.default_rng(seed))


@pytest.mark.parametrize("molecule", ["genome", "cds", "protein"])
@pytest.mark.parametrize("frame", [0, 1, 2, "all"])
@pytest.mark.parametrize(("k", "stride"), [(3, 3), (6, 1), (1, 1), (4, 2), (5, 5)])
def test_texts_never_leave_their_record(molecule: str, frame: Any, k: int, stride: int) -> None:
    corpus = toy_corpus(species=("a",), genes=15)
    lexicon = build_lexicon(["a"], dna="kmer", k=k, stride=stride)
    crops = crops_of(corpus, molecule, lexicon, frame=frame, genome_frame=frame)
    texts = many(crops, 5)
    width = crops.side.symbols(texts.tokens)
    lengths = np.array([len(corpus.sequences[row]) for row in texts.rows])
    assert (texts.starts >= 0).all()
    assert (texts.starts + width <= lengths).all()
    assert (texts.lengths <= 32).all()
    assert texts.lengths.max() == 32
    if molecule == "protein":
        assert set(texts.frames) == {NO_LABEL}
    elif frame != "all":
        assert set(texts.frames) == {frame}
    else:
        assert set(texts.frames) == {0, 1, 2}


def test_genes_are_cut_at_codons_of_their_frame() -> None:
    corpus = toy_corpus(species=("a",))
    for frame in (0, 1, 2, "all"):
        for lexicon in (CODONS, build_lexicon(["a"], dna="kmer", k=6, stride=1)):
            texts = many(crops_of(corpus, "cds", lexicon, frame=frame))
            assert ((texts.starts - texts.frames) % 3 == 0).all()
            assert not texts.reverse.any()


def test_genome_windows_read_both_strands_in_all_offsets() -> None:
    corpus = toy_corpus(species=("a",))
    texts = many(crops_of(corpus, "genome"), 60)
    assert 0.45 < texts.reverse.mean() < 0.55
    for reverse in (False, True):
        offsets = np.bincount(texts.starts[texts.reverse == reverse] % 3, minlength=3)
        assert offsets.min() > 0.8 * offsets.mean()
    ends = np.array([len(corpus.sequences[row]) for row in texts.rows])
    on_strand = np.where(texts.reverse, ends - texts.starts - 3 * texts.tokens, texts.starts)
    assert (on_strand % 3 == texts.frames).all()
    fixed = many(crops_of(corpus, "genome", genome_frame=2, strand="+"))
    assert (fixed.starts % 3 == 2).all()
    assert not fixed.reverse.any()


def test_an_epoch_reads_all_of_a_long_record_evenly() -> None:
    corpus = ToyCorpus()
    corpus.add("a", "protein", np.zeros(1000, dtype=np.uint8))
    crops = crops_of(corpus, "protein")
    assert crops.units == 34  # 1000 residues in texts of 30
    one = many(crops, 1)
    assert np.diff(np.sort(one.starts)).max() < 2 * 30
    starts = many(crops, 400).starts
    counts, _ = np.histogram(starts, bins=10, range=(0, 971))
    assert counts.min() > 0.9 * counts.mean()
    assert starts.min() == 0
    assert starts.max() == 970


def test_start_and_stop_are_stripped_by_what_is_there() -> None:
    corpus = ToyCorpus()
    corpus.add("a", "cds", "ATGAAACCCTAA", has_start=True)
    corpus.add("a", "cds", "ATGAAACCCGGG", has_start=True, has_stop=True)
    corpus.add("a", "cds", "AAACCCTGAC", has_start=False)
    corpus.add("a", "cds", "AAACCCTGA", table=4)
    corpus.add("a", "cds", "AAACCNTAN", table=1)
    corpus.add("a", "protein", "MKP*", has_start=True)
    corpus.add("a", "protein", "KPG", has_start=False)
    genes = crops_of(corpus, "cds").side
    assert genes.first.tolist() == [3, 3, 0, 0, 0]
    assert genes.count().tolist() == [2, 3, 2, 3, 3]  # UGA stays under code 4; TAN is no certain stop
    proteins = crops_of(corpus, "protein").side
    assert proteins.first.tolist() == [1, 0]
    assert proteins.usable.tolist() == [2, 3]
    assert crops_of(corpus, "cds", strip=False).side.count().tolist() == [4, 4, 3, 3, 3]
    assert crops_of(corpus, "protein", strip=False).side.usable.tolist() == [4, 3]


def test_short_texts_are_left_out_and_counted() -> None:
    corpus = ToyCorpus()
    for length in (2, 9, 30):
        corpus.add("a", "protein", np.zeros(length, dtype=np.uint8))
    crops = crops_of(corpus, "protein", min_tokens=10)
    assert crops.side.rows.tolist() == [2]
    assert crops.left_out == 2


def test_aligned_pairs_see_the_same_codons_and_residues() -> None:
    corpus = toy_corpus(species=("a",))
    crops = crops_of(corpus, "pair")
    texts = many(crops)
    assert (texts.tokens == texts.partner_tokens).all()
    assert (texts.lengths <= 32).all()
    assert (texts.starts == 3 * texts.partner_starts).all()
    assert (texts.partner_starts >= 1).all()  # the start codon and its M are left out
    assert texts.partner_starts.max() > 20


def test_pairs_that_disagree_in_length_are_left_out_only_when_aligned() -> None:
    corpus = ToyCorpus()
    corpus.add("a", "cds", "ATG" + "AAA" * 20 + "TAA", has_start=True, gene="x")
    corpus.add("a", "cds", "ATG" + "AAA" * 20, has_start=True, gene="y")
    corpus.add("a", "protein", "M" + "K" * 20, has_start=True, gene="x")
    corpus.add("a", "protein", "M" + "K" * 25, has_start=True, gene="y")
    assert crops_of(corpus, "pair").side.rows.tolist() == [0]
    free = crops_of(corpus, "pair", pairs={"crop": "independent"})
    assert free.side.rows.tolist() == [0, 1]
    texts = many(free)
    assert (texts.partner_starts + texts.partner_tokens <= 26).all()


def test_pairs_need_codons() -> None:
    lexicon = build_lexicon(["a"], dna="kmer", k=6, stride=1)
    with pytest.raises(ConfigError, match="codon"):
        crops_of(toy_corpus(species=("a",)), "pair", lexicon)
