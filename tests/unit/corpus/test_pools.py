from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.corpus.pools import Quota, balanced_bounds, greedy_bounds, micro_batches, pool_texts


def areas(lengths: np.ndarray, bounds: list[int]) -> list[int]:
    return [(b - a) * int(lengths[a]) for a, b in pairwise(bounds)]


@settings(max_examples=150)
@given(st.lists(st.integers(3, 40), min_size=1, max_size=9), st.data())
def test_balanced_is_the_best_of_all_cuts(values: list[int], data: st.DataObject) -> None:
    lengths = np.sort(values)[::-1]
    count = data.draw(st.integers(1, len(values)))
    found = balanced_bounds(lengths, count)
    assert len(found) == count + 1
    assert found[0] == 0
    assert found[-1] == len(values)
    assert all(a < b for a, b in pairwise(found))
    inner = combinations(range(1, len(values)), count - 1)
    best = min(max(areas(lengths, [0, *cut, len(values)])) for cut in inner)
    assert max(areas(lengths, found)) == best


def test_greedy_keeps_within_the_area() -> None:
    lengths = np.sort(np.random.default_rng(0).integers(3, 512, 1000))[::-1]
    bounds = greedy_bounds(lengths, 4096)
    assert max(areas(lengths, bounds)) <= 4096
    assert bounds[-1] == 1000


def test_micro_batches_hold_every_text_once() -> None:
    lengths = np.random.default_rng(0).integers(3, 512, 777)
    batches = micro_batches(lengths, 20, np.random.default_rng(1))
    assert sorted(np.concatenate(batches).tolist()) == list(range(777))
    assert len(batches) == 20


def test_texts_of_one_length_fill_the_budget_exactly() -> None:
    assert pool_texts([np.full(50, 512)], np.array([1.0]), 24, 16384) == 24 * 32
    assert pool_texts([np.full(50, 500)], np.array([1.0]), 24, 16384) == 24 * 32


def test_pools_keep_within_the_budget() -> None:
    generator = np.random.default_rng(0)
    source = np.clip(np.exp(generator.normal(5.6, 0.6, 4000)), 30, 512).astype(np.int64)
    total = pool_texts([source], np.array([1.0]), 64, 8192)
    largest, filled = [], []
    for _ in range(50):
        lengths = np.sort(generator.choice(source, total))[::-1]
        sizes = areas(lengths, balanced_bounds(lengths, 64))
        largest.append(max(sizes))
        filled.append(sum(sizes) / 64 / 8192)
    assert np.mean(np.array(largest) <= 8192) >= 0.95
    assert np.mean(filled) > 0.85


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 5), min_size=1, max_size=5), st.integers(1, 40), st.sampled_from([0, 4080, 10**6])
)
def test_every_pool_has_all_its_texts_and_none_is_skipped(
    shares: list[float], total: int, start: int
) -> None:
    weights = np.array(shares) + 1e-6
    quota = Quota(weights / weights.sum(), total)
    last = [quota.range(source, start)[0] for source in range(len(shares))]
    for pool in range(start, start + 30):
        ranges = [quota.range(source, pool) for source in range(len(shares))]
        assert [first for first, _ in ranges] == last
        assert sum(b - a for a, b in ranges) == total
        assert all(b >= a for a, b in ranges)
        last = [b for _, b in ranges]
    expected = (start + 30) * quota.texts
    assert np.abs(np.array(last) - expected).max() <= 4 + (start + 30) / 4096
