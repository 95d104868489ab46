from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.tasks.assigning import assign_groups


def shares(*parts: float) -> np.ndarray:
    return np.array(parts, dtype=np.float64)


def numbered(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(10, 300), st.integers(1, 5), st.floats(0.05, 1.0))
def test_groups_stay_whole_and_no_side_is_empty(seed: int, n: int, classes: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    group = numbered(rng.integers(0, max(4, int(n * spread)), n))
    stratum = numbered(rng.integers(0, classes, n))
    side = assign_groups(group, stratum, shares(0.7, 0.1, 0.2), np.random.default_rng(seed))
    for one in range(group.max() + 1):
        assert len(set(side[group == one].tolist())) == 1
    if group.max() >= 2:
        assert set(side.tolist()) == {0, 1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_single_rows_meet_the_shares_of_every_class_to_a_row(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stratum = rng.choice(4, 1000, p=[0.5, 0.3, 0.15, 0.05])
    side = assign_groups(np.arange(1000), stratum, shares(0.7, 0.1, 0.2), rng)
    assert np.bincount(side).tolist() == [700, 100, 200]
    for one in range(4):
        counts = np.bincount(side[stratum == one], minlength=3)
        assert np.abs(counts - counts.sum() * shares(0.7, 0.1, 0.2)).max() <= 2


def test_classes_are_alike_on_all_sides_though_groups_are_of_one_class() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 12, 400)
    group = np.repeat(np.arange(400), sizes)
    stratum = rng.integers(0, 3, 400)[group]
    side = assign_groups(group, stratum, shares(0.7, 0.1, 0.2), rng)
    for number, share in enumerate((0.7, 0.1, 0.2)):
        assert abs((side == number).mean() - share) < 0.01
        for one in range(3):
            assert abs((side[stratum == one] == number).mean() - share) < 0.02


def test_a_giant_group_goes_to_the_largest_side() -> None:
    group = np.concatenate([np.zeros(600, dtype=np.int64), np.arange(1, 401)])
    side = assign_groups(
        group, np.zeros(1000, dtype=np.int64), shares(0.7, 0.1, 0.2), np.random.default_rng(0)
    )
    assert side[0] == 0
    assert np.bincount(side).tolist() == [700, 100, 200]


def test_even_a_group_of_nearly_all_rows_leaves_something_for_the_others() -> None:
    group = np.concatenate([np.zeros(95, dtype=np.int64), np.arange(1, 6)])
    side = assign_groups(
        group, np.zeros(100, dtype=np.int64), shares(0.7, 0.1, 0.2), np.random.default_rng(0)
    )
    assert side[0] == 0
    assert {1, 2} <= set(side.tolist())


def test_a_side_without_a_share_gets_nothing() -> None:
    rng = np.random.default_rng(0)
    group = numbered(rng.integers(0, 50, 200))
    side = assign_groups(group, rng.integers(0, 2, 200), shares(0.8, 0.0, 0.2), rng)
    assert set(side.tolist()) == {0, 2}


def test_ten_equal_parts() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(300), rng.integers(1, 4, 300))
    side = assign_groups(group, numbered(rng.integers(0, 2, len(group))), np.full(10, 0.1), rng)
    counts = np.bincount(side, minlength=10)
    assert counts.max() - counts.min() <= 2


def test_the_same_generator_gives_the_same_sides_and_another_other_ones() -> None:
    group, stratum = np.arange(200), np.zeros(200, dtype=np.int64)
    parts = shares(0.7, 0.1, 0.2)
    one, two, three = (assign_groups(group, stratum, parts, np.random.default_rng(s)) for s in (1, 1, 2))
    assert (one == two).all()
    assert (one != three).any()
