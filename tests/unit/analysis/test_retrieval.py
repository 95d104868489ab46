from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.nulls import expected_reciprocal_rank
from genomecli.analysis.ranks import Gold
from genomecli.analysis.retrieval import folds_of, retrieve, retrieve_held_out
from genomecli.errors import InputError


def test_rotated_proteins_are_found_through_other_genes_only():
    rng = np.random.default_rng(0)
    genes = rng.normal(size=(200, 10))
    rotation, _ = np.linalg.qr(rng.normal(size=(10, 10)))
    proteins = genes @ rotation + 0.1 * rng.normal(size=genes.shape) + 2.0
    assert retrieve(genes, proteins, Gold.single(np.arange(200))).mrr < 0.2
    assert retrieve_held_out(genes, proteins, rng).mrr > 0.95


@pytest.mark.parametrize("similarity", ["cosine", "csls"])
def test_unrelated_vectors_stay_at_chance(similarity):
    rng = np.random.default_rng(1)
    found = retrieve_held_out(
        rng.normal(size=(300, 40)), rng.normal(size=(300, 30)), rng, similarity=similarity
    )
    assert found.n == 300
    assert found.mrr == pytest.approx(expected_reciprocal_rank(300), abs=0.02)


def test_families_stay_together_and_folds_are_even():
    rng = np.random.default_rng(2)
    groups = rng.integers(0, 40, 200)
    fold = folds_of(200, 5, rng, groups)
    assert all(len(set(fold[groups == g])) == 1 for g in set(groups.tolist()))
    assert np.ptp(np.bincount(fold)) < 12


def test_duplicated_genes_leak_unless_they_are_one_family():
    rng = np.random.default_rng(3)
    genes, proteins = rng.normal(size=(60, 80)), rng.normal(size=(60, 80))
    twice = (np.repeat(genes, 2, axis=0), np.repeat(proteins, 2, axis=0))
    leaky = retrieve_held_out(*twice, rng).mrr
    clean = retrieve_held_out(*twice, rng, groups=np.repeat(np.arange(60), 2)).mrr
    assert leaky > 2.5 * clean


def test_shapes_that_do_not_pair_are_refused():
    rng = np.random.default_rng(4)
    with pytest.raises(InputError, match="pair row by row"):
        retrieve_held_out(np.ones((3, 2)), np.ones((4, 2)), rng)
    with pytest.raises(InputError, match="fewer than 5"):
        retrieve_held_out(np.ones((3, 2)), np.ones((3, 2)), rng)
