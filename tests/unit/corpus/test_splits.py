from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomecli.corpus.splits import (
    TEST,
    TRAIN,
    VALID,
    _take,
    assign,
    block_length,
    cut_at_blocks,
    join_pieces,
)


def sides(count: int, seed: int = 0, weights: list[int] | None = None, **shares: float) -> np.ndarray:
    labels = [f"unit {i}" for i in range(count)]
    given = {"valid": 0.1, "test": 0.1, **shares}
    return assign(labels, np.array(weights or [1] * count), ["a"] * count, seed=seed, **given)  # type: ignore[arg-type]


def test_shares_are_met() -> None:
    found = sides(1000)
    assert [(found == side).sum() for side in (TRAIN, VALID, TEST)] == [800, 100, 100]
    assert (sides(1000, valid=0, test=0) == TRAIN).all()


def test_another_seed_is_another_split_and_the_same_seed_the_same() -> None:
    assert np.array_equal(sides(200), sides(200))
    assert not np.array_equal(sides(200), sides(200, seed=1))


def test_the_order_of_units_does_not_matter() -> None:
    labels = [f"unit {i}" for i in range(100)]
    weights = np.arange(1, 101)
    forward = assign(labels, weights, ["a"] * 100, valid=0.1, test=0.1, seed=0)
    backward = assign(labels[::-1], weights[::-1], ["a"] * 100, valid=0.1, test=0.1, seed=0)
    assert np.array_equal(forward, backward[::-1])


@given(st.lists(st.integers(1, 50), min_size=3, max_size=40), st.integers(0, 99))
def test_three_units_are_enough_for_three_sides(weights: list[int], seed: int) -> None:
    assert set(sides(len(weights), seed, weights, valid=0.05, test=0.05)) == {TRAIN, VALID, TEST}


def test_one_or_two_units() -> None:
    assert sides(1).tolist() == [TRAIN]
    assert sorted(sides(2).tolist()) in ([TRAIN, VALID], [TRAIN, TEST])
    assert (sides(2, test=0) == VALID).sum() == 1


def test_a_giant_unit_is_for_training() -> None:
    for seed in range(20):
        assert sides(50, seed, [1000] + [1] * 49, valid=0.01, test=0.01)[0] == TRAIN


def test_each_species_has_its_shares() -> None:
    labels = [f"unit {i}" for i in range(400)]
    owners = ["a"] * 300 + ["b"] * 100
    found = assign(labels, np.ones(400, dtype=np.int64), owners, valid=0.1, test=0.2, seed=0)
    assert (found[:300] == TEST).sum() == 60
    assert (found[300:] == TEST).sum() == 20
    assert (found[300:] == VALID).sum() == 10


def test_blocks_are_smaller_in_small_genomes() -> None:
    assert block_length(4_600_000, 50_000) == 50_000
    assert block_length(400_000, 50_000) == 10_000
    assert block_length(5_386, 50_000) == 1_000
    assert block_length(5_386, 0) == 0


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 500)), min_size=1, max_size=10), st.integers(0, 90)
)
def test_cut_intervals_cover_the_same_places(spans: list[tuple[int, int]], block: int) -> None:
    starts, lengths = (np.array(column) for column in zip(*spans, strict=True))
    source, begins, ends = cut_at_blocks(starts, starts + lengths, block)
    for index, (start, length) in enumerate(spans):
        mine = source == index
        pieces = list(zip(begins[mine].tolist(), ends[mine].tolist(), strict=True))
        assert pieces[0][0] == start
        assert pieces[-1][1] == start + length
        assert all(a[1] == b[0] for a, b in itertools.pairwise(pieces))
        if block and length > 2 * block:
            assert all(block / 2 <= b - a < 2 * block for a, b in pieces)
            assert all(a % block == 0 for a, _ in pieces[1:])


def test_pieces_are_joined_only_where_they_touch() -> None:
    keys = np.array(["x", "x", "y", "y", "x"])
    starts, stops = np.array([0, 5, 9, 20, 30]), np.array([5, 9, 12, 30, 31])
    first, last = join_pieces(keys, starts, stops)
    assert first.tolist() == [0, 2, 3, 4]
    assert last.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_nothing_is_held_out_of_nothing(share: float) -> None:
    assert len(sides(0, valid=share, test=share)) == 0


def one_by_one(weights: list[int], wanted: float, most: int) -> list[int]:
    taken: list[int] = []
    for unit, weight in enumerate(weights):
        if wanted <= 0 or len(taken) == most:
            break
        if weight <= 1.5 * wanted:
            taken.append(unit)
            wanted -= weight
    return taken or [weights.index(min(weights))]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.floats(0.001, 0.999), st.integers(1, 60))
def test_units_are_taken_as_they_are_one_by_one(weights: list[int], share: float, most: int) -> None:
    wanted = share * sum(weights)
    if wanted <= 0:
        return
    found = _take(np.arange(len(weights)), np.array(weights), wanted, most)
    assert found == one_by_one(weights, wanted, most)
