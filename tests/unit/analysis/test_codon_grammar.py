"""Grammars of codons without a network: a planted one is found, and chance is chance."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from genomecli.analysis.codon_grammar import (
    PSEUDO,
    CodonGrammar,
    beyond_meaning,
    correlation,
    grammar_of,
    likeness,
    mantel,
    shared_gold,
)
from genomecli.analysis.decipherment.pairs import Text
from genomecli.analysis.gold import CodonGold
from genomecli.sequences.codes import genetic_code

SENSE = CodonGold.of(genetic_code(1)).codons


def text(seed: int, likes: NDArray[np.float64] | None, genes: int = 200, length: int = 200) -> Text:
    """Genes of the standard code's sense codons; a codon is drawn by what the one two before it likes."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((64, 64))
    weights[:, SENSE] = 1.0 if likes is None else likes[:, SENSE]
    rise = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    tokens = np.zeros((genes, length), dtype=np.int64)
    tokens[:, :2] = rng.choice(SENSE, (genes, 2))
    for place in range(2, length):
        drawn = rng.random((genes, 1))
        tokens[:, place] = (rise[tokens[:, place - 2]] < drawn).sum(axis=1)
    return Text(tokens.ravel(), np.full(genes, length))


def liking(seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return np.exp(0.8 * rng.normal(size=(64, 64)))


def made(seed: int, likes: NDArray[np.float64] | None, table: int = 1) -> CodonGrammar:
    return grammar_of(text(seed, likes), genetic_code(table), f"bug {seed}", 1)


def test_residuals_are_those_of_a_slow_count() -> None:
    small = text(0, None, genes=12, length=70)
    found = grammar_of(small, genetic_code(1), "bug", 1).table()
    near, far = np.zeros((64, 64)), np.zeros((64, 64))
    for row in small.tokens.reshape(12, 70).tolist():
        for place, codon in enumerate(row):
            for distance in range(2, 9):
                if place + distance < 70:
                    near[codon, row[place + distance]] += 1
            for distance in range(24, 64, 2):
                if place + distance < 70:
                    far[codon, row[place + distance]] += 1
    product = np.outer(far.sum(axis=1), far.sum(axis=0)) / far.sum()
    ratio = (far + 50) / (product + 50)
    expected = np.outer(near.sum(axis=1), near.sum(axis=0)) * (ratio + ratio.T) / 2
    expected *= near.sum() / expected.sum()
    assert found == pytest.approx((near - expected) / np.sqrt(expected + PSEUDO))


def test_two_samples_of_one_grammar_are_alike_and_of_two_are_not() -> None:
    same, other, none = made(1, liking(0)), made(2, liking(0)), made(3, liking(9))
    found = likeness(same, other, 1, draws=99)
    assert found.low < found.r < found.high
    assert found.p == pytest.approx(0.01)
    assert found.without_noise == pytest.approx(1, abs=0.1)
    apart = likeness(same, none, 1, draws=99)
    assert abs(apart.without_noise) < 0.15
    assert apart.p > 0.01


def test_what_is_about_amino_acids_goes_and_the_rest_stays() -> None:
    gold = CodonGold.of(genetic_code(1))
    rng = np.random.default_rng(4)
    amino, rest = rng.normal(size=(20, 20)), rng.normal(size=(64, 64))
    planted = np.zeros((64, 64))
    planted[np.ix_(gold.codons, gold.codons)] = amino[np.ix_(gold.classes, gold.classes)]
    assert np.abs(beyond_meaning(planted, gold)).max() < 1e-12
    both = beyond_meaning(planted + rest, gold)
    assert both == pytest.approx(beyond_meaning(rest, gold))
    slow = rest[gold.codons[0], gold.codons[5]]
    mates = [gold.codons[gold.classes == gold.classes[row]] for row in (0, 5)]
    assert both[gold.codons[0], gold.codons[5]] == pytest.approx(slow - rest[np.ix_(*mates)].mean())


def test_unlike_tables_have_even_p_values() -> None:
    rng = np.random.default_rng(6)
    codons = np.arange(20)
    found = [mantel(*rng.normal(size=(2, 64, 64)), codons, 19, rng) for _ in range(40)]
    assert 0.3 < np.mean(found) < 0.75


def test_only_shared_codons_are_compared_and_each_has_its_meaning() -> None:
    a, b = made(1, None), made(2, None, table=4)
    assert shared_gold(a, b).n == 61
    assert b.gold.n == 61  # UGA has a meaning there, and no pair
    assert a.vectors().shape == (61, 122)
    assert correlation(a.table(), a.table(), SENSE) == pytest.approx(1)
