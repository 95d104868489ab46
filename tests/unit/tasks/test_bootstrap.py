"""Bootstrap: draws repeat, hold together what belongs together, and intervals cover what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.tasks import bootstrap
from genomecli.tasks.bootstrap import (
    Resamples,
    linear_draws,
    mean_of_known,
    percentile_interval,
    ratio,
    row_draws,
)
from genomecli.tasks.metrics_ranked import area_draws
from genomecli.tasks.metrics_values import moment_draws


def resamples(units, draws=50, seed=1):
    return Resamples.of(units, draws, np.random.default_rng(seed))


def test_draws_repeat_whatever_the_chunks(monkeypatch):
    found = resamples(np.arange(7))
    once = np.concatenate(list(found.weights()))
    monkeypatch.setattr(bootstrap, "_CHUNK", 21)
    assert np.array_equal(once, np.concatenate(list(found.weights())))
    assert once.shape == (50, 7)
    assert (once.sum(axis=1) == 7).all()


def test_draws_are_those_of_resampled_rows():
    rng = np.random.default_rng(3)
    values, groups = rng.normal(size=30), rng.integers(0, 6, 30) * 10
    found = resamples(groups)
    sums = np.stack([np.bincount(found.unit_of, values), np.bincount(found.unit_of)], axis=1)
    linear = linear_draws(sums, lambda s: (s[:, 0] / s[:, 1])[:, None], found)
    rowwise = row_draws(lambda w: ((w @ values) / w.sum(axis=1))[:, None], np.arange(30), found)
    weights = np.concatenate(list(found.weights()))
    members = [np.flatnonzero(found.unit_of == unit) for unit in range(found.units)]
    slow = [
        values[np.concatenate([members[u] for u in range(6) for _ in range(int(draw[u]))])].mean()
        for draw in weights
    ]
    assert np.allclose(linear[:, 0], slow)
    assert np.allclose(rowwise[:, 0], slow)


def test_one_unit_has_no_draws():
    assert resamples(np.zeros(9)).draws == 0
    assert linear_draws(np.ones((1, 2)), lambda s: s, resamples(np.zeros(9))).shape == (0, 0)
    truth, scores, rows = np.arange(9) % 2, np.arange(9.0), np.arange(9)
    assert area_draws(truth == 1, scores, rows, resamples(np.zeros(9))).shape == (0, 0)
    assert area_draws(truth == 1, scores, rows, resamples(rows)).shape == (resamples(rows).draws, 2)
    assert moment_draws(1.0 * truth, scores, rows, resamples(np.zeros(9))).shape == (0, 0)
    assert moment_draws(1.0 * truth, scores, rows, resamples(rows)).shape == (resamples(rows).draws, 4)


def test_very_many_units_are_drawn_less_often(monkeypatch):
    monkeypatch.setattr(bootstrap, "_WORK", 6000)
    assert resamples(np.arange(20), 1000).draws == 300
    assert resamples(np.arange(6000), 1000).draws == 200
    assert resamples(np.arange(6000), 50).draws == 50


def test_the_interval_covers_the_mean_and_groups_make_it_wider():
    rng = np.random.default_rng(5)
    inside, widths, narrow = 0, [], []
    for _ in range(200):
        group = np.repeat(np.arange(40), 5)
        values = rng.normal(size=40)[group] + 0.3 * rng.normal(size=200)
        for units, kept in ((group, widths), (np.arange(200), narrow)):
            found = Resamples.of(units, 200, rng)
            sums = np.stack([np.bincount(found.unit_of, values), np.bincount(found.unit_of)], axis=1)
            low, high = percentile_interval(linear_draws(sums, lambda s: s[:, :1] / s[:, 1:], found), 0.9)
            kept.append(high - low)
            inside += bool(units is group and low <= 0 <= high)
    # 200 binomial trials of 0.9: four standard deviations are 0.085; 40 units make it a little narrow.
    assert 0.80 <= inside / 200 <= 0.97
    assert np.mean(widths) > 1.7 * np.mean(narrow)


def test_the_corrected_interval_reaches_down_to_what_draws_overshoot():
    draws = np.random.default_rng(0).normal(1.0, 1.0, 4000)
    plain = percentile_interval(draws, 0.95)
    assert percentile_interval(draws, 0.95, value=float(np.median(draws))) == pytest.approx(plain, abs=0.02)
    low, high = percentile_interval(draws, 0.95, value=0.0)
    # Half a standard normal's mass at -1: shifted by two deviations, cut off by the number of draws.
    assert low == pytest.approx(draws.min(), abs=0.6)
    assert high == plain[1]
    low, high = percentile_interval(draws + 9.0, 0.95, value=0.5)
    assert (low, high) == (0.5, pytest.approx(plain[1] + 9.0))


def test_too_few_figures_give_no_interval():
    draws = np.full(10, np.nan)
    draws[:4] = 1.0
    assert np.isnan(percentile_interval(draws, 0.95)).all()


def test_ratios_and_means_without_warnings(recwarn):
    assert np.isnan(ratio(1.0, 0.0))
    assert ratio([1.0, 2.0], [0.0, 4.0], empty=0.0).tolist() == [0.0, 0.5]
    found = mean_of_known([[1.0, np.nan, 3.0], [np.nan] * 3])
    assert found[0] == 2.0
    assert np.isnan(found[1])
    assert not recwarn.list
