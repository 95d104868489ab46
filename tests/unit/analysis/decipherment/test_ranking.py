"""NCBI's codes are ranked by the evidence, and codes that nothing tells apart are one class."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.decipherment.evidence import Evidence
from genomecli.analysis.decipherment.pairs import GROUPS, Pairs, Text, count_pairs, deal
from genomecli.analysis.decipherment.ranking import labels_of, rank
from genomecli.sequences.codes import CODONS, all_codes, genetic_code
from tests.unit.analysis.decipherment.made import grammar, proteins, spelled


def _pairs(text: Text, size: int, rng: np.random.Generator) -> Pairs:
    return count_pairs(text, size, (2,), deal(text, rng))


def test_the_code_that_the_genes_are_spelled_in_comes_first_and_no_other_is_possible() -> None:
    rules, rng = grammar(1), np.random.default_rng(0)
    genes = _pairs(spelled(proteins(rules, 400, 200, 2), 12, 3), 64, rng)
    residues = _pairs(proteins(rules, 400, 200, 4), 20, rng)
    draws = [
        Evidence(genes.total(rng.multinomial(GROUPS, [1 / GROUPS] * GROUPS)), residues.total())
        for _ in range(20)
    ]
    evidence = Evidence(genes.total(), residues.total())
    nothing = np.zeros(64)
    ranked = rank(all_codes(), evidence, draws, nothing, np.zeros(64, dtype=np.bool_))
    assert 12 in ranked[0].tables
    assert ranked[0].behind.value == 0
    standard = next(code for code in ranked if 1 in code.tables)
    assert standard.differs == (CODONS.index("CTG"),)
    assert standard.behind.low > 0
    assert not standard.possible
    assert {table for code in ranked for table in code.tables} == {code.table for code in all_codes()}
    # No stop codon was seen, so codes that differ only in what stops are told apart by nothing.
    assert {1, 6, 11} <= set(standard.tables)


def test_a_stop_of_a_code_that_genes_hold_is_read_as_nothing() -> None:
    seen = np.array([CODONS.index("TGA"), CODONS.index("ATG")])
    labels = labels_of(genetic_code(1), seen)
    assert labels[seen].tolist() == [20, 10]
    assert (np.delete(labels, seen) == -1).all()


def test_a_code_that_differs_in_what_stops_alone_says_where() -> None:
    """Genes end in TGA: codes 1 and 4 read all else alike, and code 4 reads TGA otherwise."""
    rules, rng = grammar(1), np.random.default_rng(0)
    genes = _pairs(spelled(proteins(rules, 40, 60, 2), 1, 3), 64, rng).total()
    residues = _pairs(proteins(rules, 40, 60, 4), 20, rng).total()
    odds = np.zeros(64)
    odds[CODONS.index("TGA")] = 100.0
    settled = odds > 0
    ranked = rank((genetic_code(1), genetic_code(4)), Evidence(genes, residues), (), odds, settled)
    assert [code.tables for code in ranked] == [(1,), (4,)]
    assert ranked[1].differs == (CODONS.index("TGA"),)
    assert ranked[1].stops == 0
