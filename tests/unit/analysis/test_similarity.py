from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.ranks import Gold, nearest_mean, rank_matrix
from genomecli.analysis.similarity import (
    SIMILARITIES,
    centre,
    centred_cosine,
    cosine,
    csls,
    csls_from_cosine,
    similarity,
    unit_rows,
)


def test_cosine_agrees_with_sklearn():
    from sklearn.metrics.pairwise import cosine_similarity

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 5)), rng.normal(size=(4, 5))
    np.testing.assert_allclose(cosine(x, y), cosine_similarity(x, y))


def test_centring_takes_each_sides_own_mean():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(9, 5)), rng.normal(size=(6, 5))
    np.testing.assert_allclose(centred_cosine(x + 7.0, y - 3.0), centred_cosine(x, y), atol=1e-12)


@pytest.mark.parametrize("name", sorted(SIMILARITIES))
def test_vectors_equal_up_to_rounding_tie_with_everything(name):
    rng = np.random.default_rng(2)
    point = rng.normal(size=16)
    x = point * np.ones((61, 1))
    x += 1e-16 * rng.normal(size=x.shape)
    found = rank_matrix(similarity(name, x, x[:20]), Gold.single(np.arange(61) % 20))
    np.testing.assert_allclose(found.ranks, 10.5)


def test_a_zero_vector_is_like_nothing():
    x = np.array([[0.0, 0.0], [1.0, 2.0]])
    assert np.array_equal(unit_rows(x)[0], [0.0, 0.0])
    assert cosine(x, x)[0].tolist() == [0.0, 0.0]
    assert np.array_equal(centre(np.ones((4, 3)) * 0.1), np.zeros((4, 3)))


def test_csls_is_its_formula_item_by_item():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(6, 4)), rng.normal(size=(8, 4))
    c = cosine(x, y)
    expected = [
        [2 * c[i, j] - np.sort(c[i])[-3:].mean() - np.sort(c[:, j])[-3:].mean() for j in range(8)]
        for i in range(6)
    ]
    np.testing.assert_allclose(csls(x, y, 3), expected)
    np.testing.assert_allclose(
        nearest_mean(unit_rows(y), unit_rows(x), 3, (2, 4)), np.sort(c, 0)[-3:].mean(0)
    )


def test_csls_within_one_set_leaves_the_item_itself_out():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(6, 4))
    c = cosine(x, x)
    off = c - 9 * np.eye(6)
    near = np.sort(off, 1)[:, -2:].mean(1)
    np.testing.assert_allclose(csls_from_cosine(c, 2, same=True), 2 * c - near[:, None] - near[None, :])


def test_csls_removes_a_hub():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(40, 30)) + 1.5
    y = np.vstack([x + 0.9 * rng.normal(size=x.shape), np.full((1, 30), 1.5)])  # last item is near all
    gold = Gold.single(np.arange(40))
    assert rank_matrix(csls(x, y), gold).mrr > rank_matrix(cosine(x, y), gold).mrr


def test_similarities_go_by_name_and_take_k():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(30, 6)), rng.normal(size=(20, 6))
    np.testing.assert_array_equal(similarity("csls", x, y, 2), csls(x, y, 2))
    np.testing.assert_array_equal(similarity("csls_centred", x, y, 3), csls(x, y, 3, centred=True))
    np.testing.assert_array_equal(similarity("cosine", x, y), cosine(x, y))
    assert (similarity("csls", x, y, 2) != similarity("csls", x, y, 9)).any()
    with pytest.raises(ValueError, match="near"):
        similarity("near", x, y)
