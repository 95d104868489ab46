"""Vectors of held-out texts: the right records, in the right frame, counted once, on a known model."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genomecli.analysis.gather import Gatherer
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.places import STATIC_LAYER
from genomecli.analysis.probe import LEFT_OUT, SYNONYMS, make_probe
from genomecli.analysis.resampling import gene_rows
from genomecli.analysis.runs import earlier_checkpoints, expand_runs, find_setting, open_run, read_probes
from genomecli.analysis.settings import CompareSettings, RunEntry
from genomecli.analysis.texts import GENOME_WINDOW, LOCUS
from genomecli.analysis.vectors import all_layers, static_rows, untrained
from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.store import CorpusReader
from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.codes import genetic_code
from tests.unit.analysis.compare_toys import write_run, write_species_corpus
from tests.unit.corpus.made import make_corpus, write_fasta

SETTINGS = CompareSettings(min_codons=10, min_count=1, max_tokens=3000, gene_buckets=4, gene_bootstrap=2)


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("toys")
    corpus = write_species_corpus(folder / "corpus", {"alpha": 1, "beta": 12}, genes=40)
    run = write_run(folder / "run", ["alpha", "beta"], corpus, code=12, steps=(5, 10))
    return corpus, run


@pytest.fixture(scope="module")
def opened(toys):
    return open_run(RunEntry(path=str(toys[1])), "run", None, "cpu")


def test_every_view_of_a_run_is_gathered(opened):
    found = dict(Gatherer(SETTINGS, 0).everything(opened))
    assert sorted(found) == ["alpha", "beta"]
    places = set(found["alpha"].pairs)
    kinds = {(place.vectors, place.frame, place.layer) for place in places}
    layers = (0, 1, 2)
    assert kinds == (
        {("static", 0, STATIC_LAYER)}
        | {("contextual", frame, layer) for frame in (0, 1, 2) for layer in layers}
        | {("untrained", 0, layer) for layer in layers}
    )
    with_genes = {place for place in places if found["alpha"].pairs[place].genes is not None}
    assert {(place.vectors, place.frame) for place in with_genes} == {("contextual", 0)}
    assert found["alpha"].genes["alpha"][0].keys == found["alpha"].genes["alpha"][1].keys
    assert {place.tokens for place in places if place.vectors == "untrained"} == {0}


def test_groups_of_a_genome_hold_both_strands_and_neighbours(opened, tmp_path: Path):
    """Locus by locus by hand: its windows, either strand of each, all in one group."""
    random = np.random.default_rng(0)
    text = "".join(random.choice(list("ACGT"), 6 * LOCUS))
    proteins = {f"p{i}": "M" + "".join(random.choice(list(AMINO_LETTERS), 100)) for i in range(9)}
    sources = [
        {"kind": "genome", "path": str(write_fasta(tmp_path / "g.fa", {"c": text}))},
        {"kind": "protein", "path": str(write_fasta(tmp_path / "p.fa", proteins))},
    ]
    corpus = make_corpus(tmp_path, {"species": [{"name": "alpha", "sources": sources}]})
    settings = SETTINGS.model_copy(update={"splits": ("train", "valid", "test"), "max_tokens": 10**6})
    gatherer, run = Gatherer(settings, 0), replace(opened, corpus=corpus)
    found = dict(gatherer.everything(run))["alpha"].pairs
    pair = next(pair for pair in found.values() if pair.genes is not None)
    chosen, _ = gatherer.texts(run, "alpha")
    expected = np.zeros((4, 64), dtype=int)
    places = zip(chosen.rows.tolist(), chosen.starts.tolist(), chosen.stops.tolist(), strict=True)
    for number, (row, start, stop) in enumerate(places):
        assert stop - start <= LOCUS
        for first in range(start, stop, GENOME_WINDOW):
            window = corpus.symbols(row, first, min(first + GENOME_WINDOW, stop))
            for strand in (window, DNA.reverse_complement(window)):
                codons = strand[: len(strand) // 3 * 3].reshape(-1, 3).astype(int) @ [16, 4, 1]
                expected[number % 4] += np.bincount(codons, minlength=64)
    assert number > 4
    assert np.array_equal(pair.genes.codon_counts, expected[:, pair.gold.codons])
    assert {row.note for row in gene_rows(pair, 5, 8, random)} == {
        "4 groups of stretches of 4,500 bases of the genome"
    }


def test_rows_of_words_that_never_occur_are_left_out(opened):
    """A row that was never trained lies anywhere: TGA once passed for cysteine."""
    found = dict(Gatherer(SETTINGS, 0).everything(opened))["alpha"].pairs
    static = next(pair for place, pair in found.items() if place.vectors == "static")
    own = next(p for place, p in found.items() if (place.vectors, place.frame) == ("contextual", 0))
    assert static.seen.tolist() == own.seen.tolist()
    assert static.codon_counts.tolist() == own.codon_counts.tolist()
    assert static.amino_counts.tolist() == own.amino_counts.tolist()
    assert not set(genetic_code(1).stops) & set(static.seen.tolist())


def test_untrained_weights_are_fresh_and_repeat(opened):
    first, second = (untrained(opened.loaded, 7) for _ in range(2))
    a, b = (static_rows(model, "alpha", "dna") for model in (first, second))
    assert np.array_equal(a, b)
    assert not np.allclose(a, static_rows(opened.loaded, "alpha", "dna"))


def test_layers_are_counted_from_both_ends(opened):
    assert all_layers(opened.loaded, "all") == (0, 1, 2)
    assert all_layers(opened.loaded, (-1, 0, 9)) == (0, 2)


# probe


def test_probe_sees_what_was_planted_and_repeats(toys, opened):
    corpus = CorpusReader.open(toys[0])
    lexicon = opened.loaded.lexicon
    probe = make_probe(corpus, lexicon, tokens=1500)
    assert probe is not None
    figures = probe(opened.loaded.model, 10)
    assert figures == probe(opened.loaded.model, 10)
    assert set(figures) == {
        f"{species}/layer{layer}/{name}"
        for species in ("alpha", "beta")
        for layer in (0, 1, 2)
        for name in (LEFT_OUT, SYNONYMS)
    }
    fresh = probe(untrained(opened.loaded, 1).model, 0)
    assert figures[f"beta/layer0/{LEFT_OUT}"] > 0.8
    assert fresh[f"beta/layer0/{LEFT_OUT}"] < 0.5


def test_probe_of_nothing_is_none(toys):
    assert make_probe(CorpusReader.open(toys[0]), build_lexicon(["gamma"])) is None


def test_probe_warns_where_its_splits_hold_too_little(toys, opened, monkeypatch):
    warned: list[str] = []
    monkeypatch.setattr("genomecli.runtime.log.warning", lambda text, *values: warned.append(text % values))
    corpus, lexicon = CorpusReader.open(toys[0]), opened.loaded.lexicon
    assert make_probe(corpus, lexicon, tokens=300) is not None
    assert not warned
    assert make_probe(corpus, lexicon, species=["alpha"], tokens=10**6) is not None
    dna, protein = warned
    assert re.fullmatch(r"MRR of alpha: only [\d,]+ bases of cds in valid; records .* every split .*", dna)
    assert re.fullmatch(r"MRR of alpha: only [\d,]+ residues of protein in valid; records .*", protein)


def test_probe_leaves_a_model_in_training_mode(toys, opened):
    probe = make_probe(CorpusReader.open(toys[0]), opened.loaded.lexicon, tokens=300)
    model = untrained(opened.loaded, 1).model.train()
    assert probe is not None
    probe(model, 0)
    assert model.training


# runs


def test_run_knows_corpus_frame_relation_and_tokens(toys, opened):
    assert opened.corpus.path == toys[0]
    assert (opened.frame, opened.relation, opened.tokens, opened.seed) == (0, "comparable", 10_000, 1)
    assert [path.name for path in earlier_checkpoints(opened, 5)] == ["step-0000005"]
    assert earlier_checkpoints(opened, 0 + 1) == earlier_checkpoints(opened, 5)


def test_replicates_become_one_run_a_seed(toys, tmp_path: Path):
    for seed in (0, 1):
        write_run(tmp_path / "many" / f"seed-{seed}", ["alpha"], toys[0], seed=seed)
    found = expand_runs([RunEntry(path=str(tmp_path / "many"))])
    assert [(name, group) for _, name, group in found] == [("many.seed-0", "many"), ("many.seed-1", "many")]


def test_two_runs_of_one_name_are_refused(toys):
    with pytest.raises(InputError, match="two runs are named run"):
        expand_runs([RunEntry(path=str(toys[1]))] * 2)


def test_a_run_whose_corpus_is_gone_says_so(toys, tmp_path: Path):
    run = write_run(tmp_path / "lost", ["alpha"], tmp_path / "nowhere")
    with pytest.raises(InputError, match="is gone.*--corpus"):
        open_run(RunEntry(path=str(run)), "lost", None, "cpu")
    assert open_run(RunEntry(path=str(run)), "lost", str(toys[0]), "cpu").corpus.path == toys[0]


def test_settings_are_found_wherever_they_are_nested():
    config = {"a": {"frame": "all"}, "b": {"c": {"frame": 2}}}
    assert find_setting(config, "frame", int) == 2
    assert find_setting(config, "frame", str) == "all"
    assert find_setting(config, "other", int) is None


def test_probes_are_read_back_from_metrics(tmp_path: Path):
    line = '{"kind": "probe", "step": 5, "mrr/a.b/layer2/synonym_mrr": 0.5, "note": 1}\n'
    (tmp_path / "metrics.jsonl").write_text('{"kind": "train", "step": 1}\n' + line)
    (point,) = read_probes(tmp_path)
    assert (point.step, point.species, point.layer, point.endpoint, point.value) == (
        5,
        "a.b",
        2,
        "synonym_mrr",
        0.5,
    )
    assert read_probes(tmp_path / "absent") == ()
