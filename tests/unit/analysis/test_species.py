from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.gold import AMINO_LETTERS, CodonGold
from genomecli.analysis.procrustes import fit_alignment
from genomecli.analysis.similarity import cosine
from genomecli.analysis.species import amino_null, amino_ranks, species_chance, species_null, species_ranks
from genomecli.errors import InputError
from genomecli.sequences.codes import genetic_code

STANDARD = CodonGold.of(genetic_code(1))
CANDIDA = CodonGold.of(genetic_code(12))


def rotated(rng, x):
    q, _ = np.linalg.qr(rng.normal(size=(x.shape[1], x.shape[1])))
    return x @ q.T


def test_a_shared_space_is_compared_directly(planted):
    rng = np.random.default_rng(0)
    a = planted.clustered(rng, noise=0.3)
    found = species_ranks(a, STANDARD, a + 0.05 * rng.normal(size=a.shape), STANDARD)
    assert found.same_codon.mrr > 0.95
    assert found.same_amino.mrr == 1.0


def test_separate_models_meet_only_through_a_rotation(planted):
    rng = np.random.default_rng(1)
    a, _ = planted.rotated_copy(rng)
    b = rotated(rng, a) + 0.05 * rng.normal(size=a.shape)
    assert species_ranks(a, STANDARD, b, STANDARD).same_amino.mrr < 0.5
    found = species_ranks(a, STANDARD, b, STANDARD, how="procrustes")
    assert found.same_amino.mrr > 0.95
    codon_null, amino_null = species_null(a, STANDARD, b, STANDARD, 20, rng, how="procrustes")
    assert found.same_codon.mrr > codon_null.max()
    assert found.same_amino.mrr > amino_null.max()


def test_clusters_that_are_unrelated_between_species_stay_at_chance(planted):
    rng = np.random.default_rng(2)
    _, chance = species_chance(STANDARD, STANDARD)
    scores = []
    for _ in range(15):
        a, b = planted.clustered(rng), planted.clustered(rng)
        scores.append(species_ranks(a, STANDARD, b, STANDARD, how="procrustes").same_amino.mrr)
    assert np.mean(scores) < chance + 0.06


def test_the_rotation_never_saw_the_amino_acid_under_either_code():
    """Leucine and serine are left out together with CTG, which the two species read differently."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(61, 30)), rng.normal(size=(61, 30))
    found = species_ranks(a, STANDARD, b, CANDIDA, how="procrustes").similarity
    for letter in ("L", "S"):
        out = [la == letter or lb == letter for la, lb in zip(STANDARD.amino, CANDIDA.amino, strict=True)]
        train = ~np.array(out)
        fit = fit_alignment(a[train], b[train], 12)
        rows = np.array(list(STANDARD.amino)) == letter
        np.testing.assert_allclose(found[rows], cosine(fit.map_x(a[rows]), fit.map_y(b)), atol=1e-8)


def test_missing_codons_have_no_rank(planted):
    rng = np.random.default_rng(4)
    a = planted.clustered(rng)
    fewer = STANDARD.select(np.arange(61) != 5)
    found = species_ranks(a, STANDARD, np.delete(a, 5, axis=0), fewer)
    assert np.isnan(found.same_codon.ranks[5])
    assert found.same_codon.n == 60
    assert found.same_codon.mrr == 1.0


def test_collapsed_species_never_score_one():
    flat = np.ones((61, 4))
    for how in ("cosine", "centred", "csls", "procrustes"):
        found = species_ranks(flat, STANDARD, flat, STANDARD, how=how)
        assert found.same_codon.mrr < 0.05
        assert found.same_amino.mrr < 0.05


def test_too_few_shared_codons_are_refused():
    two = STANDARD.select(np.arange(61) < 2)
    with pytest.raises(InputError, match="too few"):
        species_ranks(np.eye(2), two, np.eye(2), two, how="procrustes")


def amino_by_hand(a, letters_a, b, letters_b, axes=12):
    """Reciprocal ranks of each amino acid of a among b's, the rotation fitted without it, one by one."""
    found = []
    for row, letter in enumerate(letters_a):
        if letter not in letters_b:
            continue
        train = [one for one in letters_a if one in letters_b and one != letter]
        x, y = a[[letters_a.index(t) for t in train]], b[[letters_b.index(t) for t in train]]
        fit = fit_alignment(x, y, axes)
        scores = cosine(fit.map_x(a[row : row + 1]), fit.map_y(b))[0]
        found.append(1 / (1 + np.count_nonzero(scores > scores[letters_b.index(letter)])))
    return found


def test_amino_acids_of_two_models_meet_through_a_rotation_that_never_saw_them():
    rng = np.random.default_rng(5)
    a = rng.normal(size=(20, 8)) @ rng.normal(size=(8, 32))
    b = rotated(rng, a) + 0.05 * rng.normal(size=a.shape)
    assert amino_ranks(a, AMINO_LETTERS, b, AMINO_LETTERS).mrr < 0.5
    found = amino_ranks(a, AMINO_LETTERS, b, AMINO_LETTERS, how="procrustes")
    assert found.mrr > 0.95
    null = amino_null(a, AMINO_LETTERS, b, AMINO_LETTERS, 20, rng, how="procrustes")
    assert found.mrr > null.max()


def test_amino_ranks_equal_a_plain_loop_also_where_species_lack_some():
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(18, 16)), rng.normal(size=(17, 24))
    letters_a, letters_b = AMINO_LETTERS[:18], AMINO_LETTERS[3:]
    found = amino_ranks(a, letters_a, b, letters_b, how="procrustes")
    assert found.reciprocal[3:] == pytest.approx(amino_by_hand(a, letters_a, b, letters_b))
    assert found.n == 15
    with pytest.raises(InputError, match="too few for a rotation"):
        amino_ranks(a[:3], "ACD", b, letters_b, how="procrustes")


def test_unrelated_amino_acids_stay_at_chance():
    rng = np.random.default_rng(7)
    for how in ("cosine", "procrustes"):
        pairs = rng.normal(size=(40, 2, 20, 24))
        scores = [amino_ranks(x, AMINO_LETTERS, y, AMINO_LETTERS, how=how).mrr for x, y in pairs]
        assert np.mean(scores) == pytest.approx(0.18, abs=0.03)
