"""Static baselines read what the run read: its windows and genes, its halves, its pairs, as many of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.networks import Network
from genomecli.analysis.run_texts import RunTexts, Stream, run_texts, text_kind
from genomecli.analysis.runs import OpenRun
from genomecli.analysis.settings import BaselineSettings
from genomecli.analysis.yardsticks import amounts, static_pairs
from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.corpus.relations import relate
from genomecli.corpus.sampling import Sampler
from genomecli.corpus.store import CorpusReader
from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.codes import CODONS, genetic_code
from tests.unit.analysis.compare_toys import write_species_corpus
from tests.unit.corpus.made import make_corpus, write_fasta

SMALL = {"context": 64, "tokens_per_batch": 512, "tokens_per_step": 1024, "pool": 2}


@pytest.fixture(scope="module")
def genes(tmp_path_factory: pytest.TempPathFactory) -> CorpusReader:
    folder = tmp_path_factory.mktemp("genes") / "corpus"
    return CorpusReader.open(write_species_corpus(folder, {"alpha": 1, "beta": 12}, genes=40))


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> tuple[CorpusReader, str]:
    """A corpus of one genome and proteins that have nothing to do with it, and the genome as text."""
    folder = tmp_path_factory.mktemp("genome")
    random = np.random.default_rng(0)
    text = "".join(random.choice(list("ACGT"), 6000))
    proteins = {f"p{i}": "M" + "".join(random.choice(list(AMINO_LETTERS), 150)) for i in range(30)}
    sources = [
        {"kind": "genome", "path": str(write_fasta(folder / "g.fa", {"c": text}))},
        {"kind": "protein", "path": str(write_fasta(folder / "p.fa", proteins))},
    ]
    section = {"species": [{"name": "a", "sources": sources}], "split": {"valid": 0, "test": 0}}
    return make_corpus(folder, section), text


def same(loaded: Any) -> tuple[Network, Network]:
    """One network for codons and amino acids."""
    network = Network("run", loaded)
    return network, network


def open_texts(corpus: CorpusReader, steps: int, *, seed: int = 3, most: int = 10**9, **reading: Any) -> Any:
    """A run of so many steps, and what it read of the first species."""
    settings = ReadingSettings.model_validate({**SMALL, **reading})
    names = [info.name for info in corpus.species]
    lexicon = build_lexicon(names)
    sampler = Sampler(corpus, lexicon, settings, seed)
    tokens = sum(batch.real_tokens for step in range(steps) for batch in sampler.step(step))
    loaded: Any = SimpleNamespace(lexicon=lexicon, step=steps)
    frame = settings.frame if isinstance(settings.frame, int) else 0
    run = OpenRun("run", Path(), *same(loaded), corpus, frame, settings.relation, tokens, seed, settings)
    return run, run_texts(run, names[0], most)


def texts_of(stream: Stream, words: tuple[str, ...]) -> list[str]:
    """The texts as letters; what is no word as a blank."""
    letters = np.array([*words, " "])[stream.tokens]
    bounds = stream.offsets.tolist()
    return ["".join(letters[a:b]).strip() for a, b in pairwise(bounds)]


WORDS = (*CODONS, *AMINO_LETTERS)


def test_a_run_on_windows_gives_windows_of_both_strands_at_all_offsets(genome):
    corpus, text = genome
    run, found = open_texts(corpus, 12, molecules=["genome", "protein"], size_power=0)
    back = DNA.decode(DNA.reverse_complement(DNA.encode(text)))
    windows = texts_of(found.dna, WORDS)
    forward = [text.find(window) for window in windows]
    reverse = [back.find(window) for window in windows]
    assert all(a >= 0 or b >= 0 for a, b in zip(forward, reverse, strict=True))
    for places in (forward, reverse):
        assert {place % 3 for place in places if place >= 0} == {0, 1, 2}
    assert {len(window) for window in windows} == {3 * 62}
    assert found.tokens == run.tokens
    assert found.kind == "windows of the genome (both strands, all offsets)"
    # Special tokens apart, all that the run read is there, in both languages alike.
    specials = 2 * (len(found.dna.offsets) + len(found.protein.offsets) - 2)
    assert int(found.dna.counts.sum() + found.protein.counts.sum()) == run.tokens - specials
    assert 0.5 < found.dna.counts.sum() / found.protein.counts.sum() < 2


def test_one_strand_and_one_offset_where_the_reading_says_so(genome):
    corpus, text = genome
    reading = {"molecules": ["genome", "protein"], "strand": "+", "genome_frame": 2}
    _, found = open_texts(corpus, 4, **reading)
    assert {text.index(window) % 3 for window in texts_of(found.dna, WORDS)} == {2}
    assert found.kind == "windows of the genome (one strand, offset 2)"


@pytest.mark.parametrize("frame", [0, 1, 2])
def test_a_run_on_genes_gives_genes_in_its_frame(genes: CorpusReader, frame: int):
    _, found = open_texts(genes, 6, relation="comparable", frame=frame)
    rows = genes.records("alpha", "cds", "train").row.tolist()
    bodies = [DNA.decode(genes.symbols(row)) for row in rows]
    for text in texts_of(found.dna, WORDS):
        assert any((at := body.find(text)) >= 0 and at % 3 == frame for body in bodies)


def test_disjoint_runs_read_their_own_halves(genes: CorpusReader):
    run, found = open_texts(genes, 20, relation="disjoint", seed=5)
    tables = {
        (name, molecule): genes.records(name, molecule)
        for name in ("alpha", "beta")
        for molecule in ("cds", "protein")
    }
    halves = {
        source.molecule: source.split("train").records.row.tolist()
        for source in relate(tables, "disjoint", run.seed)
        if source.species == "alpha"
    }
    for molecule, stream, alphabet in (("cds", found.dna, DNA), ("protein", found.protein, PROTEIN)):
        own = [alphabet.decode(genes.symbols(row)) for row in halves[molecule]]
        every = genes.records("alpha", molecule, "train").row.tolist()
        others = [alphabet.decode(genes.symbols(row)) for row in every if row not in halves[molecule]]
        texts = texts_of(stream, WORDS)
        assert texts
        assert all(any(text in body for body in own) for text in texts)
        assert not any(text in body for body in others for text in texts)


def test_pairs_become_two_texts_that_translate_into_each_other(genes: CorpusReader):
    _, found = open_texts(genes, 6, relation="paired", context=63)
    dna, protein = texts_of(found.dna, WORDS), texts_of(found.protein, WORDS)
    assert len(dna) == len(protein) > 5
    code = genetic_code(1)
    for codons, residues in zip(dna, protein, strict=True):
        assert PROTEIN.decode(code.translate(DNA.encode(codons))) == residues
    assert not found.mixed


def test_code_switched_texts_hold_words_of_both_languages_and_are_learned_together(genes: CorpusReader):
    anchors = {"pairs": ["CTG:L", "GAA:E"], "probability": 0.5}
    run, found = open_texts(genes, 20, relation="anchored", anchors=anchors)
    assert found.mixed
    switched = np.flatnonzero(found.dna.counts[64:])
    assert {AMINO_LETTERS[word] for word in switched} == {"L", "E"}
    assert {CODONS[word] for word in np.flatnonzero(found.protein.counts[:64])} == {"CTG", "GAA"}
    settings = BaselineSettings(corpus_sizes=(), word2vec=False)
    (pair,) = static_pairs(run, "alpha", found, settings, 0)
    leucine = pair.amino[pair.gold.letters.index("L")]
    near = pair.codons @ leucine / np.linalg.norm(pair.codons, axis=1)
    assert pair.gold.texts[int(near.argmax())] == "CTG"  # they stand in the same texts


def test_amounts_keep_the_proportion_of_the_run_and_end_with_all_that_it_read(genes: CorpusReader):
    run, found = open_texts(genes, 8, molecule_weights={"cds": 3.0})
    settings = BaselineSettings(corpus_sizes=(100, 2000, 10**9), iterations=5)
    assert amounts(settings, found) == [2000, found.tokens]  # 100 tokens are too few words of a language
    share = 2000 / found.tokens
    for part, whole in zip(found.first(2000), (found.dna, found.protein), strict=True):
        assert len(part.tokens) == round(share * len(whole.tokens)) == part.offsets[-1]
    pairs = list(static_pairs(run, "alpha", found, settings, 0))
    assert [(p.place.vectors, p.place.tokens) for p in pairs] == [
        *(("ppmi", 2000), ("word2vec", 2000), ("ppmi", found.tokens), ("word2vec", found.tokens))
    ]
    assert pairs[-1].gold.n == len(genetic_code(1).sense)


def test_no_more_is_read_than_the_run_had_seen_or_the_limit_allows(genes: CorpusReader):
    run, found = open_texts(genes, 5)
    assert found.tokens == run.tokens
    _, cut = open_texts(genes, 5, most=run.tokens // 2)
    assert 0 < cut.tokens <= run.tokens // 2
    assert np.array_equal(cut.dna.tokens, found.dna.tokens[: len(cut.dna.tokens)])


def test_a_corpus_without_what_the_run_read_is_refused(genes: CorpusReader):
    with pytest.raises(InputError, match="no genome"):
        open_texts(genes, 1, molecules=["genome"])


def test_overlapping_triplets_give_every_third(genes: CorpusReader):
    settings = ReadingSettings.model_validate({**SMALL, "relation": "comparable"})
    lexicon = build_lexicon(["alpha", "beta"], dna="kmer", k=3, stride=1)
    loaded: Any = SimpleNamespace(lexicon=lexicon, step=2)
    run = OpenRun("run", Path(), *same(loaded), genes, 0, "comparable", 2000, 0, settings)
    found: RunTexts = run_texts(run, "alpha", 10**9)
    bodies = [DNA.decode(genes.symbols(row)) for row in genes.records("alpha", "cds").row.tolist()]
    for text in texts_of(found.dna, WORDS):
        assert any((at := body.find(text)) >= 0 and at % 3 == 0 for body in bodies)


def test_kinds_of_text_are_named():
    both = ReadingSettings(molecules=("genome", "cds", "protein"), frame="all")
    assert text_kind(both) == "windows of the genome (both strands, all offsets) and genes in all frames"
    assert text_kind(ReadingSettings(molecules=("protein",))) == "no DNA"
