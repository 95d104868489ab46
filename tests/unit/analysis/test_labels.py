"""Labels of crowded points: apart from each other, off the rings, inside the field, always the same."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.figures.labels import overlaps, spread_labels

SIZE = (15.0, 8.0)
FIELD = (360.0, 340.0)


def crowded(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sixty points in twenty clumps, some on top of each other, their owners, and the owners' places."""
    rng = np.random.default_rng(seed)
    discs = rng.uniform(40, 300, (20, 2))
    owner = np.repeat(np.arange(20), 3)
    points = np.clip(discs[owner] + rng.normal(0, 12, (60, 2)), 0, 340)
    points[:4] = points[0]
    return points, discs[owner], discs


def covered(centres: np.ndarray, discs: np.ndarray) -> int:
    """Labels that reach into the middle of a ring."""
    gap = np.abs(centres[:, None] - discs[None]) - np.array(SIZE) / 2
    return int((np.linalg.norm(np.maximum(gap, 0), axis=2) < 4.0).any(axis=1).sum())


@pytest.mark.parametrize("seed", range(5))
def test_labels_of_crowded_points_are_apart(seed: int):
    points, own, discs = crowded(seed)
    plain = points + np.array([9.0, 5.0])
    centres = spread_labels(points, SIZE, own, discs, 8.5, FIELD)
    assert overlaps(plain, SIZE) > 20
    assert overlaps(centres, SIZE) == 0
    assert covered(centres, discs) <= 6 < covered(plain, discs)
    half = np.array(SIZE) / 2
    assert (centres >= half - 1e-9).all()
    assert (centres <= np.array(FIELD) - half + 1e-9).all()
    assert np.median(np.linalg.norm(centres - points, axis=1)) < 20
    assert np.array_equal(centres, spread_labels(points, SIZE, own, discs, 8.5, FIELD))


def test_a_lonely_label_stays_beside_its_point():
    points = np.array([[100.0, 100.0], [200.0, 100.0]])
    centres = spread_labels(points, SIZE, points - [30.0, 0.0], np.zeros((0, 2)), 8.5, FIELD)
    assert centres[:, 1] == pytest.approx([100.0, 100.0])
    assert centres[:, 0] - points[:, 0] == pytest.approx([9.5, 9.5], abs=1.5)
