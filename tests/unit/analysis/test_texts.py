"""Texts that vectors come from: the right records, in the right frame, on both strands, within the limit."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.texts import (
    GENOME_WINDOW,
    LOCUS,
    Wanted,
    choose_records,
    codon_step,
    dna_molecule,
    items_of,
    locus_of,
)
from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.records_table import SPLITS
from genomecli.corpus.store import CorpusReader
from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA
from tests.unit.analysis.compare_toys import write_species_corpus
from tests.unit.corpus.made import make_corpus, one_species, write_fasta

EVERYTHING = ("train", "valid", "test")


@pytest.fixture(scope="module")
def genes(tmp_path_factory: pytest.TempPathFactory) -> CorpusReader:
    folder = tmp_path_factory.mktemp("texts") / "corpus"
    return CorpusReader.open(write_species_corpus(folder, {"alpha": 1, "beta": 12}, genes=40))


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> CorpusReader:
    """Two contigs, one of them much longer than a locus, in one record each."""
    folder = tmp_path_factory.mktemp("genome")
    random = np.random.default_rng(0)
    contigs = {name: "".join(random.choice(list("ACGT"), n)) for name, n in (("c", 20_000), ("d", 3_200))}
    return make_corpus(folder, one_species("genome", write_fasta(folder / "g.fa", contigs)))


WANTED = Wanted(("valid",), 0, 10**9, 0)


def test_only_held_out_records_are_read_and_both_languages_take_the_same_genes(genes):
    dna = choose_records(genes, "alpha", "cds", WANTED)
    protein = choose_records(genes, "alpha", "protein", WANTED)
    assert dna.genes.tolist() == protein.genes.tolist()
    assert len(dna.rows) == 13
    assert not dna.notes
    few = choose_records(genes, "alpha", "cds", Wanted(("valid",), 0, 400, 0))
    assert few.rows.tolist() == dna.rows[: len(few.rows)].tolist()


def test_every_split_is_drawn_from_where_the_wanted_ones_hold_too_little(genes):
    table = genes.records("alpha", "cds", "valid")
    held = int(table.length.sum())
    enough = choose_records(genes, "alpha", "cds", Wanted(("valid",), held, 10**9, 0))
    assert sorted(enough.rows.tolist()) == table.row.tolist()
    assert (enough.notes, enough.widened) == ((), "")
    assert enough.records == {"read": 13, "of other parts of the split": 27}
    chosen = choose_records(genes, "alpha", "cds", Wanted(("valid",), held + 1, 10**9, 0))
    assert len(chosen.rows) == 40
    assert chosen.records == {"read": 40}
    splits = {split for split in SPLITS if len(genes.records("alpha", "cds", split))}
    assert splits > {"valid"}
    said = f"only {held:,} bases of cds in valid; records were drawn from every split instead (train, valid"
    assert chosen.widened.startswith(said)
    assert set(chosen.widened.split("(")[1].rstrip(")").split(", ")) == splits
    assert chosen.notes == (f"alpha: {chosen.widened}",)


def test_frames_shift_and_terminals_do_not_count(genes):
    lexicon = build_lexicon(["alpha", "beta"])
    chosen = choose_records(genes, "alpha", "cds", WANTED)
    start = lexicon.block("alpha", "dna").start
    for frame in (0, 1, 2):
        for item, row in zip(items_of(genes, lexicon, chosen, frame=frame), chosen.rows, strict=True):
            symbols = genes.symbols(int(row))[frame:].astype(int)
            first = 16 * symbols[0] + 4 * symbols[1] + symbols[2]
            assert item.tokens[0] - start == first
            assert not item.counted()[0]
    free = next(items_of(genes, lexicon, chosen, strip=False))
    assert free.counted()[0]


def test_species_without_proteins_or_dna_are_refused(genes):
    assert dna_molecule(genes, "alpha") == "cds"
    with pytest.raises(InputError, match="no genome"):
        dna_molecule(genes, "alpha", "genome")
    with pytest.raises(InputError, match="no proteins"):
        dna_molecule(genes, "gamma")


@pytest.mark.parametrize(("kind", "k", "stride", "step"), [("codon", 3, 3, 1), ("kmer", 3, 1, 3)])
def test_codons_among_tokens(kind, k, stride, step):
    assert codon_step(build_lexicon(["a"], dna=kind, k=k, stride=stride), "a") == step


def test_tokens_that_are_no_codons_are_refused():
    with pytest.raises(InputError, match="codons have no vectors"):
        codon_step(build_lexicon(["a"], dna="kmer", k=6, stride=1), "a")


# genome


@pytest.mark.parametrize("frame", [0, 1, 2])
def test_loci_of_a_genome_cover_it_once_on_both_strands(genome: CorpusReader, frame: int):
    chosen = choose_records(genome, "a", "genome", Wanted(EVERYTHING, 0, 10**9, 0))
    lexicon = build_lexicon(["a"])
    tokenizer = lexicon.tokenizer("a", "genome")
    found = sorted(tuple(item.tokens.tolist()) for item in items_of(genome, lexicon, chosen, frame=frame))
    records = [genome.symbols(row) for row in genome.records("a", "genome").row.tolist()]
    windows = [r[start : start + GENOME_WINDOW] for r in records for start in range(0, len(r), GENOME_WINDOW)]
    texts = [*windows, *(DNA.reverse_complement(window) for window in windows)]
    assert found == sorted(tuple(tokenizer.encode(text, frame).tolist()) for text in texts)
    assert not chosen.notes


@pytest.mark.parametrize("most", [3, 2_000, 4_500, 10_001, 22_000])
def test_the_limit_holds_for_contigs_that_nothing_cut(genome: CorpusReader, most: int):
    chosen = choose_records(genome, "a", "genome", Wanted(EVERYTHING, 0, most, 0))
    sizes = chosen.stops - chosen.starts
    read = int(sizes.sum())
    assert most - 6 < read <= most
    assert sizes.max() <= LOCUS
    assert f"{read:,} of 23,200 bases of genome were read" in chosen.notes[0]
    lexicon = build_lexicon(["a"])
    items = list(items_of(genome, lexicon, chosen))
    assert 2 * (most // 3) - 12 <= sum(len(item.tokens) for item in items) <= 2 * (most // 3)
    whole = choose_records(genome, "a", "genome", Wanted(EVERYTHING, 0, 10**9, 0))
    assert chosen.starts.tolist() == whole.starts[: len(chosen.starts)].tolist()


def test_the_limit_holds_for_genes_within_one_text(genes: CorpusReader):
    every = choose_records(genes, "alpha", "cds", Wanted(("valid",), 0, 10**9, 0))
    sizes = every.stops - every.starts
    for most in (1, 1000, int(sizes[:5].sum()), int(sizes[:5].sum()) - 1):
        few = choose_records(genes, "alpha", "cds", Wanted(("valid",), 0, most, 0))
        read = int((few.stops - few.starts).sum())
        assert read <= most or len(few.rows) == 1
        assert len(few.rows) == max(1, int((np.cumsum(sizes) <= most).sum()))
        assert f"{read:,} of {int(sizes.sum()):,} bases of cds were read" in few.notes[0]


def test_both_strands_and_neighbours_are_one_locus(genome: CorpusReader):
    chosen = choose_records(genome, "a", "genome", Wanted(EVERYTHING, 0, 10**9, 0))
    lexicon = build_lexicon(["a"])
    loci: dict[str, int] = {}
    for item in items_of(genome, lexicon, chosen):
        loci[locus_of(item)] = loci.get(locus_of(item), 0) + 1
    lengths = genome.records("a", "genome").length.tolist()
    spans = [min(LOCUS, length - start) for length in lengths for start in range(0, length, LOCUS)]
    windows = [-(-span // GENOME_WINDOW) for span in spans]
    assert max(windows) == 3
    assert sorted(loci.values()) == sorted(2 * count for count in windows)
