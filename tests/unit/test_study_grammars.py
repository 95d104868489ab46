"""The study's grammars without networks: three tables of species whose genes are made up."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from genomecli.analysis.decipherment.pairs import Text
from genomecli.sequences.codes import CODONS, genetic_code
from scripts.study import grammars
from tests.unit.analysis.compare_toys import write_species_corpus


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_tables_of_two_species_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = grammars.SETTINGS.model_copy(update={"permutations": 19, "bootstrap": 50})
    monkeypatch.setattr(grammars, "SETTINGS", quick)
    monkeypatch.setattr(grammars, "DRAWS", 2)
    monkeypatch.setattr(grammars, "likeness", partial(grammars.likeness, draws=9))
    corpus = write_species_corpus(tmp_path / "corpus", {"alpha": 1, "beta": 12}, genes=90)
    grammars.main(corpus, tmp_path / "out", ["alpha", "beta"])
    likeness = read(tmp_path / "out" / "likeness.tsv")
    assert {(row["a"], row["b"]) for row in likeness} == {("alpha", "beta")}
    parts = {row["part"]: float(row["r"]) for row in likeness}
    assert list(parts) == ["all", "beyond amino acids", "frame +1", "shuffled within genes"]
    assert abs(parts["shuffled within genes"]) < 0.1
    assert likeness[0]["shared_rank"] == "life"
    lookups = read(tmp_path / "out" / "lookups.tsv")
    assert {(row["a"], row["b"]) for row in lookups} == {("alpha", "beta"), ("beta", "alpha")}
    assert len(lookups) == 8
    scopes = {(row["species"], row["scope"]) for row in read(tmp_path / "out" / "grammar.tsv")}
    for scope in ("all", "between_blocks", "gc3", "meaning", "without_gc3_and_frequency"):
        assert ("alpha", scope) in scopes
    islands = read(tmp_path / "out" / "islands.tsv")
    assert len({(row["species"], row["codon"]) for row in islands}) == len(islands) > 110


def test_codons_of_genes_low_in_gc3_are_found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    low, high, more, rare = (CODONS.index(text) for text in ("AAA", "AAG", "AAC", "CTG"))
    genes = [np.array([low] * 90 + [rare] * 10)] * 10 + [np.array([high] * 50 + [more] * 50)] * 90
    text = Text(np.concatenate([rng.permutation(gene) for gene in genes]), np.full(100, 100))
    monkeypatch.setattr(grammars, "gene_texts", lambda corpus, species: (text, genetic_code(1)))
    rows = {row["codon"]: row for row in grammars.island_rows(None, "bug")}  # type: ignore[arg-type]
    assert set(rows) == {"AAA", "AAG", "AAC", "CTG"}
    # CTG ends in G; it does not choose its own genes.
    assert float(str(rows["CTG"]["in_lowest_gc3"])) == 1.0
    assert float(str(rows["AAG"]["in_lowest_gc3"])) == 0.0
    assert float(str(rows["CTG"]["usage"])) == pytest.approx(0.01)


def test_ranks_that_the_study_s_species_share() -> None:
    assert grammars.shared_rank("syn3a", "spyogenes") == "phylum"
    assert grammars.shared_rank("ecoli", "syn3a") == "domain"
    assert grammars.shared_rank("ecoli", "yeast") == "life"
