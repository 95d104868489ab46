from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.corpus.store import CorpusReader
from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA
from tests.unit.corpus.made import make_corpus, protein_of, random_gene, write_fasta


def species(folder: Path, rng: np.random.Generator, copies: int = 6) -> dict[str, Any]:
    """Two chromosomes with genes by place, each with a protein; some genes have near-identical copies."""
    genes, headers, chromosome = [], [], {"chr1": "", "chr2": ""}
    for i in range(80):
        text = genes[i % copies] if i >= 80 - copies else random_gene(rng, int(rng.integers(60, 200)))
        if i >= 80 - copies:
            text = text[:30] + random_gene(rng, 3)[3:6] + text[33:]
        contig = "chr1" if i < 50 else "chr2"
        chromosome[contig] += "".join(rng.choice(list("ACGT"), 50))
        start = len(chromosome[contig])
        chromosome[contig] += text
        genes.append(text)
        headers.append(f"g{i} cds chromosome:X:{contig}:{start + 1}:{start + len(text)}:1 gene:g{i}")
    write_fasta(folder / "g.fa", chromosome)
    write_fasta(folder / "c.fa", list(zip(headers, genes, strict=True)))
    write_fasta(folder / "p.fa", [(f"q{i}", protein_of(text)) for i, text in enumerate(genes)])
    sources = [{"kind": k, "path": str(folder / f"{k[0]}.fa")} for k in ("genome", "cds", "protein")]
    return {"name": "a", "sources": sources}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("holdout")


@pytest.fixture(scope="module")
def one(folder: Path) -> dict[str, Any]:
    return species(folder, np.random.default_rng(3))


def split_of(corpus: CorpusReader, molecule: Any) -> dict[str, str]:
    table = corpus.records("a", molecule)
    return dict(zip(table.id.tolist(), table.split.tolist(), strict=True))


@pytest.mark.parametrize("by", ["family", "record", "contig"])
def test_a_gene_s_texts_and_its_near_copies_are_on_one_side(
    folder: Path, one: dict[str, Any], by: str
) -> None:
    split = {"by": by, "valid": 0.2, "test": 0.2, "block": 2000}
    corpus = make_corpus(folder, {"species": [one], "split": split}, name=by)
    cds, protein = split_of(corpus, "cds"), split_of(corpus, "protein")
    assert {name[1:]: side for name, side in cds.items()} == {n[1:]: side for n, side in protein.items()}
    for i in range(74, 80):
        assert cds[f"g{i}"] == cds[f"g{i % 6}"]
    assert set(cds.values()) == {"train", "valid", "test"}
    assert corpus.records("a", "cds").gene.tolist() == [f"g{i}" for i in range(80)]


def test_by_contig_a_gene_is_held_out_with_the_place_it_starts_in(folder: Path, one: dict[str, Any]) -> None:
    split = {"by": "contig", "valid": 0.2, "test": 0.2, "block": 2000}
    corpus = make_corpus(folder, {"species": [one], "split": split}, name="place")
    moved = corpus.manifest["facts"]["split"]["near_identical_genes_moved"]
    genome, cds = corpus.records("a", "genome"), corpus.records("a", "cds")
    wrong = 0
    for contig, start, side in zip(cds.contig, cds.cds_start, cds.split, strict=True):
        here = (genome.contig == contig) & (genome.cds_start <= start) & (start < genome.cds_end)
        assert here.sum() == 1
        wrong += genome.split[here][0] != side
    assert wrong <= moved <= 12


def test_whole_contigs_are_held_out_where_blocks_are_off(folder: Path) -> None:
    rng = np.random.default_rng(0)
    contigs = {f"c{i}": "".join(rng.choice(list("ACGT"), 500)) for i in range(40)}
    path = write_fasta(folder / "contigs.fa", contigs)
    section = {"species": [{"name": "a", "sources": [{"kind": "genome", "path": str(path)}]}]}
    corpus = make_corpus(folder, section | {"split": {"by": "contig", "block": 0}}, name="contigs")
    table = corpus.records()
    assert table.id.tolist() == list(contigs)
    assert [DNA.decode(corpus.symbols(row)) for row in range(40)] == list(contigs.values())
    assert sorted(table.split).count("test") == 2


def test_headers_can_name_the_split(folder: Path) -> None:
    rng = np.random.default_rng(0)
    sides = ["train", "VALID", "test", "val", "training"] * 4
    headers = [f"g{i} x [fold={side}]" if i % 2 else f"g{i} fold={side}" for i, side in enumerate(sides)]
    path = write_fasta(folder / "given.fa", [(h, random_gene(rng, 50)) for h in headers])
    section = {"species": [{"name": "a", "sources": [{"kind": "cds", "path": str(path)}]}]}
    split = {"by": "column", "column": "fold"}
    corpus = make_corpus(folder, section | {"split": split}, name="given")
    assert corpus.records().split.tolist() == ["train", "valid", "test", "valid", "train"] * 4
    for header, message in (("g1 fold=maybe", "'maybe' is no split"), ("g2 none", "no fold= in its header")):
        write_fasta(path, [(header, random_gene(rng, 50))])
        with pytest.raises(InputError, match=message):
            make_corpus(folder, section | {"split": split}, name="bad")


def test_families_span_species(folder: Path) -> None:
    rng = np.random.default_rng(9)
    shared = [random_gene(rng, 90) for _ in range(30)]
    names = []
    for name in ("a", "b"):
        path = write_fasta(folder / f"{name}.fa", {f"{name}{i}": text for i, text in enumerate(shared)})
        names.append({"name": name, "sources": [{"kind": "cds", "path": str(path)}]})
    corpus = make_corpus(folder, {"species": names, "split": {"valid": 0.3}}, name="two")
    a, b = corpus.records("a", "cds"), corpus.records("b", "cds")
    assert (a.family == b.family).all()
    assert (a.split == b.split).all()
    assert len(set(a.family)) == 30
