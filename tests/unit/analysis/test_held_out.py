"""Leave-one-out Procrustes: no leaks, fast path equal to the slow one, rotated copies found."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.gold import CodonGold
from genomecli.analysis.held_out import held_out_null, leave_one_amino_acid_out, leave_one_codon_out
from genomecli.analysis.permutations import block_permutation_null, block_permutations, p_value
from genomecli.analysis.procrustes import fit_alignment
from genomecli.analysis.ranks import Gold, rank_matrix
from genomecli.analysis.similarity import centred_cosine, cosine
from genomecli.errors import InputError
from genomecli.sequences.codes import genetic_code

STANDARD = CodonGold.of(genetic_code(1))


def slow_leave_out(codons, amino, gold, axes, folds):
    """One fold at a time. A fold is (held-out codon rows, held-out amino-acid row or None)."""
    similarity = np.zeros((gold.n, len(gold.letters)))
    for rows, row in folds:
        train = np.setdiff1d(np.arange(gold.n), rows)
        types = np.delete(amino, row, axis=0) if row is not None else amino
        fit = fit_alignment(codons[train], amino[gold.classes[train]], axes, y_types=types)
        similarity[rows] = cosine(fit.map_x(codons[rows]), fit.map_y(amino))
    return similarity


def amino_folds(gold):
    return [(np.flatnonzero(gold.classes == row), row) for row in np.unique(gold.classes)]


@pytest.mark.parametrize("table", [1, 2, 12])
def test_leave_one_amino_acid_out_equals_the_slow_way(table):
    rng = np.random.default_rng(table)
    gold = CodonGold.of(genetic_code(table))
    codons, amino = rng.normal(size=(gold.n, 30)), rng.normal(size=(20, 17))
    found = leave_one_amino_acid_out(codons, amino, gold, axes=7)
    slow = slow_leave_out(codons, amino, gold, 7, amino_folds(gold))
    np.testing.assert_allclose(found.similarity, slow, atol=1e-8)
    np.testing.assert_allclose(found.forward.ranks, rank_matrix(slow, Gold.single(gold.classes)).ranks)


def test_leave_one_codon_out_equals_the_slow_way(planted):
    rng = np.random.default_rng(5)
    codons, amino = planted.unrelated(rng, width=25)
    single = STANDARD.block_sizes == 1
    folds = [(np.array([i]), row if single[row] else None) for i, row in enumerate(STANDARD.classes)]
    found = leave_one_codon_out(codons, amino, STANDARD)
    slow = slow_leave_out(codons, amino, STANDARD, 12, folds)
    np.testing.assert_allclose(found.similarity, slow, atol=1e-8)


def test_random_vectors_score_at_chance(planted):
    rng = np.random.default_rng(6)
    scores = [leave_one_amino_acid_out(*planted.unrelated(rng), STANDARD).forward.mrr for _ in range(60)]
    assert (
        0.15 < np.mean(scores) < 0.18
    )  # chance for this similarity, a little under 1/rank of guessing, .180


def test_clusters_beside_random_amino_acids_fool_only_leave_one_codon_out(planted):
    rng = np.random.default_rng(7)
    amino_out, codon_out = [], []
    for _ in range(20):
        codons, amino = planted.clustered(rng), rng.normal(size=(20, 64))
        amino_out.append(leave_one_amino_acid_out(codons, amino, STANDARD).forward.mrr)
        codon_out.append(leave_one_codon_out(codons, amino, STANDARD, axes=64).forward.mrr)
    assert np.mean(codon_out) > 0.93
    assert 0.13 < np.mean(amino_out) < 0.19
    # The leak shows in its own null, so beside it the figure says nothing.
    permutations = block_permutations(STANDARD, 20, rng)
    null = held_out_null(codons, amino, STANDARD, permutations, axes=64, leave="codon")
    assert p_value(codon_out[-1], null.forward) > 0.05


def test_a_rotated_copy_is_found_by_rotation_and_not_by_cosine(planted):
    rng = np.random.default_rng(8)
    codons, amino = planted.rotated_copy(rng)
    found = leave_one_amino_acid_out(codons, amino, STANDARD)
    assert found.forward.mrr > 0.97
    assert found.backward.mrr > 0.97
    permutations = block_permutations(STANDARD, 200, rng)
    null = held_out_null(codons, amino, STANDARD, permutations)
    assert p_value(found.forward.mrr, null.forward) == pytest.approx(1 / 201)
    assert np.quantile(null.forward, 0.95) < 0.4
    raw = rank_matrix(centred_cosine(codons, amino), Gold.single(STANDARD.classes)).mrr
    assert raw < 0.45


@pytest.mark.parametrize("leave", ["amino_acid", "codon"])
def test_the_null_of_no_permutation_is_the_observed_figure(leave, planted):
    rng = np.random.default_rng(9)
    codons, amino = planted.rotated_copy(rng, noise=1.0)
    observe = leave_one_amino_acid_out if leave == "amino_acid" else leave_one_codon_out
    found = observe(codons, amino, STANDARD)
    null = held_out_null(codons, amino, STANDARD, np.arange(20)[None], leave=leave)
    assert null.forward[0] == pytest.approx(found.forward.mrr, abs=1e-12)
    assert null.backward[0] == pytest.approx(found.backward.mrr, abs=1e-12)


def test_the_null_refits_as_if_the_permuted_code_were_the_gold(planted):
    rng = np.random.default_rng(10)
    codons, amino = planted.rotated_copy(rng, noise=1.0)
    dealt = block_permutations(STANDARD, 3, rng)
    null = held_out_null(codons, amino, STANDARD, dealt)
    for row, forward, backward in zip(dealt, null.forward, null.backward, strict=True):
        relabelled = CodonGold(STANDARD.codons, row[STANDARD.classes], STANDARD.letters)
        expected = leave_one_amino_acid_out(codons, amino, relabelled)
        assert forward == pytest.approx(expected.forward.mrr, abs=1e-12)
        assert backward == pytest.approx(expected.backward.mrr, abs=1e-12)


@pytest.mark.parametrize("codons", [np.ones((61, 8)), np.zeros((61, 8))])
def test_collapsed_vectors_tie_with_everything(codons):
    amino = np.random.default_rng(11).normal(size=(20, 8))
    found = leave_one_amino_acid_out(codons, amino, STANDARD)
    np.testing.assert_allclose(found.forward.ranks, 10.5)
    null = held_out_null(codons, amino, STANDARD, np.arange(20)[None])
    assert null.forward[0] == pytest.approx(1 / 10.5)


def test_permutations_keep_stops_and_missing_amino_acids_in_place():
    rng = np.random.default_rng(12)
    gold = CodonGold.of(genetic_code(1), [c for c in range(64) if c != 14], stops=True)
    dealt = block_permutations(gold, 50, rng)
    assert (np.sort(dealt, axis=1) == np.arange(21)).all()
    assert (dealt[:, 20] == 20).all()


@pytest.mark.parametrize("digits", [12, 0])
def test_the_null_of_a_fixed_similarity_equals_relabelling(digits):
    rng = np.random.default_rng(13)
    table = np.round(rng.normal(size=(61, 20)), digits)  # without digits: many ties
    dealt = block_permutations(STANDARD, 5, rng)
    null = block_permutation_null(table, STANDARD, dealt)
    for row, forward, backward in zip(dealt, null.forward, null.backward, strict=True):
        classes = row[STANDARD.classes]
        assert forward == pytest.approx(rank_matrix(table, Gold.single(classes)).mrr)
        back = rank_matrix(table.T, Gold.classes(np.arange(20), classes))
        assert backward == pytest.approx(back.mrr)


def test_p_values_are_never_zero_and_count_ties():
    assert p_value(9.0, np.zeros(99)) == 0.01
    assert p_value(0.0, np.zeros(99)) == 1.0


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="60 codon"):
        leave_one_amino_acid_out(np.ones((60, 4)), np.ones((20, 4)), STANDARD)
    with pytest.raises(ValueError, match="leave must be"):
        held_out_null(np.ones((61, 4)), np.ones((20, 4)), STANDARD, np.arange(20)[None], leave="x")
