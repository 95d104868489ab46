"""Reading of a corpus folder that tokenize made from a real genome."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from genomecli.commands.tokenize import run_tokenize
from genomecli.config import load_config
from genomecli.corpus.reading_settings import AnchorSettings, ReadingSettings, Relation
from genomecli.corpus.sampling import Sampler, reading_lexicon
from genomecli.corpus.store import CorpusReader
from genomecli.corpus.vocabulary import UNK
from genomecli.errors import ConfigError
from genomecli.sequences.codes import CODONS, genetic_code


@pytest.fixture(scope="module")
def corpus(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> CorpusReader:
    folder = tmp_path_factory.mktemp("reading")
    config = folder / "tokenize.yaml"
    genome = real_data / "genomes" / "jcvi_syn3a_code4.gb.gz"
    config.write_text(
        "tokenize:\n  figures: false\n  workers: 1\n  species:\n    - name: syn3a\n      code: 4\n"
        f"      sources: [{{kind: annotated, path: {genome}}}]\n"
    )
    run_tokenize(load_config(config), folder / "corpus")
    return CorpusReader.open(folder / "corpus")


@pytest.mark.parametrize("relation", ["none", "disjoint", "comparable", "anchored", "paired"])
def test_steps_repeat_and_read_genes_of_their_split(corpus: CorpusReader, relation: Relation) -> None:
    settings = ReadingSettings(relation=relation, tokens_per_batch=4096, tokens_per_step=8192)
    lexicon = reading_lexicon(corpus.lexicon, settings)
    first, again = (Sampler(corpus, lexicon, settings, 7) for _ in range(2))
    split = corpus.records().split
    for step in (0, 40):
        for one, other in zip(first.step(step), again.step(step), strict=True):
            assert torch.equal(one.tokens, other.tokens)
            assert set(split[one.records.numpy()]) == {"train"}
            assert one.tokens.numel() <= 4096 * 1.03
    assert {name for batch in first.validation() for name in split[batch.records.numpy()]} == {"valid"}
    assert first.real_share() > 0.97


def test_deciphered_switches_codons_and_keeps_the_families_apart(corpus: CorpusReader) -> None:
    anchors = AnchorSettings(pairs=("AAA:K", "GAA:E"), probability=1.0)
    plain, switched = (
        Sampler(
            corpus,
            corpus.lexicon,
            ReadingSettings(relation=relation, anchors=anchors, tokens_per_step=8192),
            7,
        )
        for relation in ("disjoint", "deciphered")
    )
    assert [source.records.row.tolist() for source in plain.sources] == [
        source.records.row.tolist() for source in switched.sources
    ]
    families = [set(source.records.family.tolist()) for source in switched.sources]
    assert families[0].isdisjoint(families[1])
    codon = corpus.lexicon.vocabulary.id("AAA", corpus.lexicon.block("syn3a", "dna"))
    before, after = plain.step(0), switched.step(0)
    for one, other in zip(before, after, strict=True):
        genes = torch.tensor(
            [row in set(switched.sources[0].records.row.tolist()) for row in one.records.tolist()]
        )
        assert genes.any()
        assert int((one.tokens[genes] == codon).sum()) > 0
        assert int((other.tokens[genes] == codon).sum()) == 0
        assert int((other.tokens[~genes] == codon).sum()) > 0


def test_a_dictionary_is_refused_where_genes_of_several_species_are_read(tmp_path: Path) -> None:
    drawn = np.random.default_rng(1).choice(["AAA", "GAA", "GCT", "CTG", "ACC", "GGT"], (60, 80))
    genes = "".join(f">g{i}\nATG{''.join(codons)}TAA\n" for i, codons in enumerate(drawn))
    (tmp_path / "genes.fa").write_text(genes, encoding="utf-8")
    one = "{name: NAME, sources: [{kind: cds, path: genes.fa}]}"
    (tmp_path / "config.yaml").write_text(
        "tokenize:\n  figures: false\n  workers: 1\n  species:\n"
        + "".join(f"    - {one.replace('NAME', name)}\n" for name in "ab"),
        encoding="utf-8",
    )
    run_tokenize(load_config(tmp_path / "config.yaml"), tmp_path / "corpus")
    several = CorpusReader.open(tmp_path / "corpus")
    anchors = AnchorSettings(pairs=("AAA:K",))
    with pytest.raises(ConfigError, match="the code of one species"):
        Sampler(several, several.lexicon, ReadingSettings(relation="deciphered", anchors=anchors), 7)


def test_pairs_translate_under_the_code_of_the_cell(corpus: CorpusReader) -> None:
    settings = ReadingSettings(relation="paired", tokens_per_step=65_536)
    sampler = Sampler(corpus, corpus.lexicon, settings, 0)
    blocks = corpus.lexicon.block("syn3a", "dna"), corpus.lexicon.block("syn3a", "protein")
    code = genetic_code(4)
    right = total = tryptophan = 0
    for batch in sampler.step(0):
        for text, length in zip(batch.tokens.tolist(), batch.lengths.tolist(), strict=True):
            half = (length - 3) // 2
            pairs = zip(text[1 : half + 1], text[half + 2 : -1], strict=False)
            known = [(a, b) for a, b in pairs if UNK not in (a, b)]
            read = [(CODONS[a - blocks[0].start], blocks[1].tokens[b - blocks[1].start]) for a, b in known]
            right += sum(code.amino[CODONS.index(codon)] == residue for codon, residue in read)
            tryptophan += read.count(("TGA", "W"))
            total += len(read)
    assert sampler.crops[0].left_out <= 5
    assert right == total > 10_000
    assert tryptophan > 50


def test_genome_windows_are_of_the_genome(corpus: CorpusReader) -> None:
    settings = ReadingSettings(
        molecules=("genome",), context=128, tokens_per_batch=2048, tokens_per_step=2048
    )
    sampler = Sampler(corpus, corpus.lexicon, settings, 0)
    tokenizer = corpus.lexicon.tokenizer("syn3a", "genome")
    (batch,) = sampler.step(3)
    for place in range(len(batch.lengths)):
        start = int(batch.extras["start"][place])
        symbols = corpus.symbols(int(batch.records[place]), start, start + 126 * 3)
        if int(batch.extras["strand"][place]):
            symbols = tokenizer.alphabet.reverse_complement(symbols)
        assert batch.tokens[place, 1:127].tolist() == tokenizer.encode(symbols).tolist()
