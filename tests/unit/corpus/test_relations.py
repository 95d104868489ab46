from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomecli.corpus.relations import Tables, family_components, halve, relate
from genomecli.errors import InputError
from tests.unit.corpus.toy_corpus import ToyCorpus, toy_corpus


def tables_of(corpus: ToyCorpus) -> Tables:
    return {(g.species, g.molecule): corpus.records(g.species, g.molecule) for g in corpus.groups}


def genes_of(corpus: ToyCorpus) -> Tables:
    return {key: table for key, table in tables_of(corpus).items() if key[1] != "genome"}


def test_none_takes_every_record() -> None:
    corpus = toy_corpus(genes=10)
    sources = relate(tables_of(corpus), "none", 0)
    assert sorted(row for source in sources for row in source.records.row) == list(range(len(corpus.rows)))


def test_disjoint_shares_no_family_and_takes_about_half() -> None:
    corpus = toy_corpus(genes=100)
    sources = relate(genes_of(corpus), "disjoint", 3)
    families = {
        protein: {f for s in sources if (s.molecule == "protein") == protein for f in s.records.family}
        for protein in (True, False)
    }
    assert not families[True] & families[False]
    assert len(families[True]) + len(families[False]) == 50
    for source in sources:
        assert 40 <= len(source.records) <= 60
    again = relate(genes_of(corpus), "disjoint", 3)
    other = relate(genes_of(corpus), "disjoint", 4)
    assert [s.records.row.tolist() for s in again] == [s.records.row.tolist() for s in sources]
    assert [s.records.row.tolist() for s in other] != [s.records.row.tolist() for s in sources]


def test_disjoint_keeps_a_gene_together_when_its_families_disagree() -> None:
    corpus = ToyCorpus()
    for number in range(20):
        corpus.add("a", "cds", "ACG" * 10, gene=f"g{number}", family=number)
        corpus.add("a", "protein", "T" * 10, gene=f"g{number}", family=100 + number // 2)
    sources = {s.molecule: set(s.records.gene) for s in relate(genes_of(corpus), "disjoint", 0)}
    assert not sources["cds"] & sources["protein"]
    assert sources["cds"] | sources["protein"] == {f"g{n}" for n in range(20)}
    assert len(sources["cds"]) % 2 == 0  # the proteins' families join genes two by two


def test_records_without_family_or_gene_stand_alone() -> None:
    corpus = ToyCorpus()
    for _ in range(4):
        corpus.add("a", "cds", "ACG" * 10)
        corpus.add("a", "protein", "T" * 10)
    numbers = np.concatenate(list(family_components(genes_of(corpus)).values()))
    assert len(set(numbers.tolist())) == 8


@given(st.lists(st.integers(1, 50), min_size=2, max_size=60), st.integers(0, 5))
def test_halves_differ_by_one_family_at_most(sizes: list[int], seed: int) -> None:
    counts = np.array(sizes)
    side = halve(counts, seed)
    assert side.any()
    assert not side.all()
    assert abs(counts[side].sum() - counts[~side].sum()) <= counts.max()


def test_comparable_takes_the_same_genes_on_both_sides() -> None:
    corpus = toy_corpus(genes=6)
    corpus.add("a", "cds", "ACG" * 30, gene="lonely")
    corpus.add("b", "protein", "T" * 30, gene="other")
    sources = [s for s in relate(tables_of(corpus), "comparable", 0) if s.molecule != "genome"]
    assert {s.name for s in sources} == {"a.cds", "a.protein", "b.cds", "b.protein"}
    for source in sources:
        assert sorted(source.records.gene) == [f"g{n}" for n in range(6)]


def test_paired_rows_are_of_one_gene_and_species() -> None:
    corpus = toy_corpus(genes=6)
    sources = relate(genes_of(corpus), "paired", 0)
    assert [s.name for s in sources] == ["a.pair", "b.pair"]
    for source in sources:
        assert source.partners is not None
        assert source.records.gene.tolist() == source.partners.gene.tolist()
        assert set(source.records.molecule) == {"cds"}
        assert set(source.partners.molecule) == {"protein"}
        assert set(source.partners.species) == {source.species}
    both = relate(genes_of(corpus), "paired", 0, single=True)
    assert [s.name for s in both] == ["a.pair", "a.cds", "a.protein", "b.pair", "b.cds", "b.protein"]


def test_a_species_without_common_genes_is_refused() -> None:
    corpus = ToyCorpus()
    corpus.add("a", "cds", "ACG" * 10, gene="x")
    corpus.add("a", "protein", "T" * 10, gene="y")
    with pytest.raises(InputError, match="no gene of 'a'"):
        relate(tables_of(corpus), "comparable", 0)


def test_the_split_of_a_pair_is_that_of_its_gene() -> None:
    (source, _) = relate(genes_of(toy_corpus(genes=20)), "paired", 0)
    valid = source.split("valid")
    assert valid.partners is not None
    assert valid.records.gene.tolist() == ["g9", "g19"] == valid.partners.gene.tolist()
