from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.procrustes import Plane, fit_alignment, orthogonal_map
from genomecli.analysis.similarity import cosine


def test_the_map_agrees_with_scipy():
    from scipy.linalg import orthogonal_procrustes

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 6)), rng.normal(size=(30, 6))
    expected, _ = orthogonal_procrustes(x, y)
    np.testing.assert_allclose(orthogonal_map(x, y), expected.T, atol=1e-12)


def test_a_rotation_is_recovered_between_spaces_of_different_width():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 5))
    basis, _ = np.linalg.qr(rng.normal(size=(9, 5)))
    rotation = orthogonal_map(x, x @ basis.T)
    assert rotation.shape == (9, 5)
    np.testing.assert_allclose(rotation, basis, atol=1e-10)


def test_a_plane_is_sklearns_pca_and_has_no_axes_that_the_items_lack():
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(2)
    x = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 10))
    plane = Plane.fit(x, 5)
    expected = PCA(3).fit_transform(x)
    np.testing.assert_allclose(np.abs(plane.project(x)[:, :3]), np.abs(expected), atol=1e-9)
    assert np.array_equal(plane.project(x)[:, 3:], np.zeros((30, 2)))


def test_fitting_uses_training_items_only():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(30, 8)), rng.normal(size=(30, 8))
    seen = fit_alignment(x[:20], y[:20], axes=4)
    x[20:] += 100.0  # held-out items may be anything: mean, axes and rotation stay
    again = fit_alignment(x[:20], y[:20], axes=4)
    np.testing.assert_array_equal(seen.rotation, again.rotation)
    np.testing.assert_array_equal(seen.map_x(x), again.map_x(x))


@pytest.mark.parametrize("width", [6, 20])
def test_held_out_pairs_of_a_rotated_copy_are_found(width):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 6)) @ rng.normal(size=(6, width)) + 3.0
    rotation, _ = np.linalg.qr(rng.normal(size=(width, width)))
    y = x @ rotation.T - 5.0
    fit = fit_alignment(x[:40], y[:40], axes=6)
    found = cosine(fit.map_x(x[40:]), fit.map_y(y[40:]))
    assert np.array_equal(found.argmax(axis=1), np.arange(20))
