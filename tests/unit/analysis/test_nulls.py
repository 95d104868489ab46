"""Chance levels against the figures known for the genetic code, brute force and simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from genomecli.analysis.gold import CodonGold
from genomecli.analysis.held_out import leave_one_amino_acid_out
from genomecli.analysis.nulls import (
    chance_amino_to_codon,
    chance_codon_to_amino,
    expected_reciprocal_rank,
    random_vector_null,
    rank_probabilities,
    synonym_chance,
)
from genomecli.analysis.ranks import Gold, rank_matrix
from genomecli.analysis.similarity import cosine
from genomecli.analysis.synonyms import synonym_ranks
from genomecli.sequences.codes import genetic_code

STANDARD = CodonGold.of(genetic_code(1))


def test_the_known_chance_levels():
    assert chance_codon_to_amino(STANDARD) == pytest.approx(0.180, abs=5e-4)
    assert chance_codon_to_amino(CodonGold.of(genetic_code(1), stops=True)) == pytest.approx(0.174, abs=5e-4)
    assert chance_amino_to_codon(STANDARD) == pytest.approx(0.159, abs=5e-4)


def test_the_known_null_of_sixty_one_codons():
    """What the limits of the page say: 0.228 and 0.277 for independent codons."""
    probabilities = rank_probabilities(20)
    ranks = np.random.default_rng(0).choice(np.arange(1, 21), (200_000, 61), p=probabilities)
    draws = (1 / ranks).mean(axis=1)
    assert np.quantile(draws, [0.95, 0.999]) == pytest.approx([0.228, 0.277], abs=4e-3)


@pytest.mark.parametrize(("candidates", "right"), [(1, 1), (5, 1), (6, 2), (7, 3), (4, 4)])
def test_rank_probabilities_by_brute_force(candidates, right):
    best = [min(places) for places in combinations(range(1, candidates + 1), right)]
    expected = np.bincount(best, minlength=candidates + 1)[1:] / len(best)
    np.testing.assert_allclose(rank_probabilities(candidates, right), expected, atol=1e-12)
    assert expected_reciprocal_rank(candidates, right) == pytest.approx(np.mean(1 / np.array(best)))


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="4 right ones among 3"):
        rank_probabilities(3, 4)


@pytest.mark.parametrize("similarity", ["cosine", "centred", "csls"])
def test_random_vectors_have_the_exact_chance_under_plain_similarities(similarity):
    null = random_vector_null(STANDARD, similarity, (16, 16), 1000, np.random.default_rng(1))
    assert len(null.forward) == 1000
    assert null.forward.mean() == pytest.approx(0.180, abs=0.008)
    assert null.backward.mean() == pytest.approx(0.159, abs=0.012)
    assert 0.2 < np.quantile(null.forward, 0.95) < 0.25


def test_the_procrustes_null_is_that_of_fresh_random_vectors():
    rng = np.random.default_rng(2)
    null = random_vector_null(STANDARD, "procrustes", (20, 30), 400, rng)
    fresh = [
        leave_one_amino_acid_out(rng.normal(size=(61, 20)), rng.normal(size=(20, 30)), STANDARD).forward.mrr
        for _ in range(80)
    ]
    assert null.forward.mean() == pytest.approx(np.mean(fresh), abs=0.012)
    assert null.forward.mean() < 0.177  # not the .180 of a plain similarity


def test_clustered_codons_widen_the_null():
    rng = np.random.default_rng(3)
    loose = random_vector_null(STANDARD, "cosine", (32, 32), 400, rng)
    tight = random_vector_null(STANDARD, "cosine", (32, 32), 400, rng, cluster=0.95)
    assert tight.forward.std() > 1.5 * loose.forward.std()


@pytest.mark.parametrize("between_blocks", [False, True])
def test_synonym_chance_is_what_random_codons_score(between_blocks):
    rng = np.random.default_rng(4)
    scores = []
    for _ in range(300):
        x = rng.normal(size=(61, 30))
        scores.append(synonym_ranks(cosine(x, x), STANDARD, between_blocks=between_blocks).mrr)
    expected = synonym_chance(STANDARD, between_blocks=between_blocks)
    assert np.mean(scores) == pytest.approx(expected, abs=0.01)


def test_a_code_without_such_synonyms_has_no_chance_level():
    lonely = STANDARD.select(np.isin(STANDARD.codons, [14, 58]))
    assert np.isnan(synonym_chance(lonely))


def test_chance_holds_for_the_ranks_themselves():
    scores = np.random.default_rng(5).random((4000, 20))
    found = rank_matrix(scores, Gold.single(np.zeros(4000, dtype=int)))
    assert found.mrr == pytest.approx(expected_reciprocal_rank(20), abs=0.012)
