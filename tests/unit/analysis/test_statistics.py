from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.statistics import (
    block_bootstrap,
    bootstrap_gene_means,
    percentiles,
    seeds_interval,
)


def test_the_bootstrap_covers_the_mean():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        found = block_bootstrap(rng.normal(size=40), np.arange(40), rng, draws=300)
        hits += found.low <= 0 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_single_values_as_blocks_give_the_plain_bootstrap_of_scipy():
    from scipy.stats import bootstrap

    rng = np.random.default_rng(5)
    values = rng.exponential(size=30)
    found = block_bootstrap(values, np.arange(30), rng, draws=20_000)
    other = bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", random_state=rng)
    limits = (other.confidence_interval.low, other.confidence_interval.high)
    assert (found.low, found.high) == pytest.approx(limits, abs=0.01)


def test_blocks_that_move_together_give_wider_intervals():
    rng = np.random.default_rng(1)
    blocks = np.repeat(np.arange(12), 5)
    values = rng.normal(size=12)[blocks]
    wide = block_bootstrap(values, blocks, rng)
    narrow = block_bootstrap(values, np.arange(60), rng)
    assert wide.value == pytest.approx(values.mean())
    assert wide.high - wide.low > 1.7 * (narrow.high - narrow.low)


def test_few_or_equal_values_give_no_invented_interval():
    rng = np.random.default_rng(2)
    same = block_bootstrap([2.0, 2.0, np.nan], np.arange(3), rng)
    assert (same.value, same.low, same.high) == (2.0, 2.0, 2.0)
    assert np.isnan(block_bootstrap([1.0, 2.0], [0, 0], rng).low)
    assert np.isnan(block_bootstrap([], [], rng).value)
    assert np.isnan(seeds_interval([3.0]).low)
    assert np.isnan(percentiles([np.nan], 0.3).low)


def test_seeds_use_students_t():
    from scipy.stats import t

    values = np.array([0.91, 0.95, 0.93, 0.90, 0.96])
    found = seeds_interval(values)
    low, high = t.interval(0.95, 4, values.mean(), values.std(ddof=1) / np.sqrt(5))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_gene_bootstrap_has_the_spread_of_the_mean_and_keeps_items_a_draw_misses():
    rng = np.random.default_rng(4)
    counts = rng.integers(0, 4, (50, 3))
    counts[:, 2] = 0
    counts[7, 2] = 2  # an item of one gene: most draws miss it
    points = rng.normal(size=(50, 3, 5))
    sums = points * counts[:, :, None]
    draws = np.stack(list(bootstrap_gene_means(sums, counts, rng, 400)))
    overall = sums.sum(0) / counts.sum(0)[:, None]
    np.testing.assert_allclose(draws.mean(0)[:2], overall[:2], atol=0.03)
    np.testing.assert_allclose(draws[:, 2], np.broadcast_to(overall[2], (400, 5)))
    assert 0.05 < draws[:, 0].std(0).mean() < 0.3
