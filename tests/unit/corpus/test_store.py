from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from genomecli.corpus.records_table import COLUMNS
from genomecli.corpus.store import CorpusReader
from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA, PROTEIN
from tests.unit.corpus.made import make_corpus, protein_of, random_gene, write_fasta


@pytest.fixture(scope="module")
def genes() -> list[str]:
    rng = np.random.default_rng(0)
    return [random_gene(rng, int(n)) for n in rng.integers(40, 400, 60)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, genes: list[str]) -> CorpusReader:
    folder = tmp_path_factory.mktemp("store")
    rng = np.random.default_rng(1)
    chromosome = "".join(rng.choice(list("ACGTacgt"), 20_000))
    write_fasta(folder / "g.fa", {"chr1 one": chromosome, "chr2": "ACGT" * 100})
    write_fasta(folder / "c.fa", {f"g{i} gene {i}": text for i, text in enumerate(genes)})
    write_fasta(folder / "p.fa", {f"g{i}": protein_of(text) for i, text in enumerate(genes)})
    sources = [{"kind": kind, "path": str(folder / f"{kind[0]}.fa")} for kind in ("protein", "genome", "cds")]
    section = {"species": [{"name": "a", "taxid": 7, "sources": sources}]}
    return make_corpus(folder, section)


def test_groups_and_species_are_in_order(corpus: CorpusReader) -> None:
    assert [group.name for group in corpus.groups] == ["a.genome", "a.cds", "a.protein"]
    assert [group.soft for group in corpus.groups] == [True, False, False]
    assert corpus.species[0].taxid == 7
    assert len(corpus) == sum(group.records for group in corpus.groups)
    with pytest.raises(InputError, match="holds no cds of 'b'"):
        corpus.group("b", "cds")


def test_records_hold_what_was_read(corpus: CorpusReader, genes: list[str]) -> None:
    table = corpus.records("a", "cds")
    assert table.id.tolist() == [f"g{i}" for i in range(len(genes))]
    assert table.description[3] == "gene 3"
    for row, text in zip(table.row.tolist(), genes, strict=True):
        assert DNA.decode(corpus.symbols(row)) == text[:-3]
    proteins = corpus.records("a", "protein")
    assert proteins.gene.tolist() == table.gene.tolist() == table.id.tolist()
    assert [PROTEIN.decode(corpus.symbols(row)) for row in proteins.row.tolist()] == [
        protein_of(text) for text in genes
    ]
    assert (proteins.split == table.split).all()
    assert (proteins.family == table.family).all()


def test_genome_pieces_are_the_chromosome_with_its_soft_mask(corpus: CorpusReader) -> None:
    table = corpus.records("a", "genome")
    one = table[table.contig == "chr1"]
    text = "".join(DNA.decode(corpus.symbols(row), corpus.soft(row)) for row in one.row.tolist())
    rng = np.random.default_rng(1)
    assert text == "".join(rng.choice(list("ACGTacgt"), 20_000))
    assert one.cds_start.tolist() == [0, *one.cds_end.tolist()[:-1]]
    assert one.id[0] == f"chr1:1-{one.cds_end[0]}"
    assert set(one.split) == {"train", "valid", "test"}
    assert corpus.soft(corpus.group("a", "cds").first_row) is None


def test_every_column_is_there_and_rows_can_be_chosen(corpus: CorpusReader) -> None:
    table = corpus.records()
    assert table.row.tolist() == list(range(len(corpus)))
    for name in COLUMNS:
        assert len(table.column(name)) == len(corpus)
    chosen = table[table.length > 500][:3]
    assert len(chosen) == 3
    assert (chosen.length > 500).all()
    assert len(corpus.records("nobody")) == 0
    with pytest.raises(AttributeError):
        table.nothing  # noqa: B018
    sides = [len(corpus.records("a", "cds", side)) for side in ("train", "valid", "test")]
    assert sum(sides) == corpus.group("a", "cds").records


@pytest.mark.parametrize("longest", [8, 300])
def test_gather_equals_reading_windows_one_by_one(corpus: CorpusReader, longest: int) -> None:
    rng = np.random.default_rng(2)
    table = corpus.records()
    rows = rng.integers(0, len(corpus), 300)
    lengths = np.minimum(rng.integers(0, longest, 300), table.length[rows])
    starts = rng.integers(0, table.length[rows] - lengths + 1)
    flat, cu = corpus.gather(rows, starts, lengths)
    mask, _ = corpus.gather(rows, starts, lengths, "soft")
    assert cu[-1] == len(flat) == lengths.sum()
    for i, (row, start, length) in enumerate(zip(rows, starts, lengths, strict=True)):
        stop = int(start + length)
        assert np.array_equal(flat[cu[i] : cu[i + 1]], corpus.symbols(int(row), int(start), stop))
        soft = corpus.soft(int(row), int(start), stop)
        assert np.array_equal(mask[cu[i] : cu[i + 1]], np.zeros(length) if soft is None else soft)


def test_windows_outside_of_a_record_are_refused(corpus: CorpusReader) -> None:
    length = int(corpus.records().length[0])
    for start, size in ((0, length + 1), (-1, 2), (length, 1), (2, -1)):
        with pytest.raises(IndexError):
            corpus.gather(np.array([0]), np.array([start]), np.array([size]))
    for start, stop in ((-1, 2), (0, length + 1), (3, 2)):
        with pytest.raises(IndexError):
            corpus.symbols(0, start, stop)


def test_a_reader_survives_pickling(corpus: CorpusReader) -> None:
    corpus.symbols(0, 0, 3)
    other = pickle.loads(pickle.dumps(corpus))
    assert np.array_equal(other.symbols(0), corpus.symbols(0))
    assert other.records("a", "cds").id.tolist() == corpus.records("a", "cds").id.tolist()


def test_symbols_are_views_that_cannot_be_written(corpus: CorpusReader) -> None:
    view = corpus.symbols(corpus.group("a", "cds").first_row)
    assert view.base is not None
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1


def test_a_damaged_corpus_is_refused(corpus: CorpusReader, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus.path, copy)
    shard = copy / corpus.info.shards[0]
    raw = bytearray(shard.read_bytes())
    raw[-1] ^= 1
    shard.write_bytes(raw)
    CorpusReader.open(copy, verify="size")
    with pytest.raises(InputError, match="sha256"):
        CorpusReader.open(copy, verify="sha256")
    shard.unlink()
    with pytest.raises(InputError, match="missing"):
        CorpusReader.open(copy)
    (copy / "manifest.json").unlink()
    with pytest.raises(InputError, match="unfinished"):
        CorpusReader.open(copy)


def test_the_reader_imports_no_torch() -> None:
    import subprocess
    import sys

    text = "import sys, genomecli.corpus.store, genomecli.commands.info; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == 0
