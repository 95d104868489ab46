from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.cka import cka_null, codon_amino_cka, linear_cka
from genomecli.analysis.permutations import block_permutations, p_value


def test_rotation_scale_and_shift_change_nothing():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 8))
    rotation, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    for debiased in (False, True):
        assert linear_cka(x, 3.0 * x @ rotation + 2.0, debiased=debiased) == pytest.approx(1.0)


def test_it_is_the_feature_form_of_the_paper():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 8)), rng.normal(size=(30, 5))
    xc, yc = x - x.mean(0), y - y.mean(0)
    norm = np.linalg.norm
    expected = norm(yc.T @ xc) ** 2 / (norm(xc.T @ xc) * norm(yc.T @ yc))
    assert linear_cka(x, y) == pytest.approx(expected)


def test_wide_random_vectors_look_alike_unless_debiased():
    rng = np.random.default_rng(2)
    pairs = [(rng.normal(size=(30, 500)), rng.normal(size=(30, 500))) for _ in range(20)]
    assert np.mean([linear_cka(x, y) for x, y in pairs]) > 0.8
    assert abs(np.mean([linear_cka(x, y, debiased=True) for x, y in pairs])) < 0.02


def test_the_null_tells_a_relation_from_none(planted):
    rng = np.random.default_rng(3)
    codons, amino = planted.rotated_copy(rng)
    dealt = block_permutations(planted.standard, 99, rng)
    value, null = codon_amino_cka(codons, amino, planted.standard, dealt)
    assert value > 0.9
    assert p_value(value, null) == pytest.approx(0.01)
    value, null = codon_amino_cka(*planted.unrelated(rng), planted.standard, dealt)
    assert p_value(value, null) > 0.02


def test_permuted_rows_are_permuted_items():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
    order = rng.permutation(9)
    assert cka_null(x, y, order[None])[0] == pytest.approx(linear_cka(x, y[order]))


def test_collapsed_vectors_score_zero():
    assert linear_cka(np.ones((9, 3)), np.random.default_rng(5).normal(size=(9, 3))) == 0.0
    with pytest.raises(ValueError, match="four items"):
        linear_cka(np.eye(3), np.eye(3), debiased=True)
