"""Paired differences: a planted lead is found, equal models are not told apart, seeds and folds summed up."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.tasks import bootstrap
from genomecli.tasks.differences import Difference, Paired, paired_difference
from genomecli.tasks.examples import Labels
from genomecli.tasks.kinds.registry import KINDS
from genomecli.tasks.kinds.regression import Regression
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import MetricSettings

SETTINGS = MetricSettings(bootstrap=300)
BINARY = Target("t", "binary", ("t",), ("no", "yes"))
VALUE = Target("t", "regression", ("t",), ("t",))


def labels(n=300, seed=0):
    return Labels(np.random.default_rng(seed).integers(0, 2, n))


def guesses(truth, share, seed):
    """Predictions of which ``share`` are right, drawn row by row."""
    rng = np.random.default_rng(seed)
    said = np.where(rng.random(len(truth.values)) < share, truth.values, 1 - truth.values)
    return Predictions(BINARY, np.where(said[:, None] == [0, 1], 0.8, 0.2))


def compared(ours, theirs, truth, groups=None, seed=5):
    rng = np.random.default_rng(seed)
    return paired_difference([Paired(ours, theirs, truth, groups)], SETTINGS, rng, names=("a", "b"))


def test_a_lead_is_found_and_its_mirror_is_a_lag():
    truth = labels()
    good, bad = guesses(truth, 0.9, 1), guesses(truth, 0.7, 2)
    found = compared((good,), (bad,), truth)
    assert (found.metric, found.model, found.other, found.n) == ("mcc", "a", "b", 300)
    assert found.value == pytest.approx(found.ours - found.theirs)
    assert 0 < found.low < found.value < found.high
    assert found.better is True
    mirror = compared((bad,), (good,), truth)
    assert mirror.worse
    assert mirror.better is False
    assert mirror.low == pytest.approx(-found.high)


def test_pairing_makes_the_interval_of_near_copies_narrow():
    truth = labels()
    good = guesses(truth, 0.8, 1)
    near = Predictions(BINARY, good.scores.copy())
    near.scores[:3] = near.scores[:3, ::-1]
    found = compared((good,), (near,), truth)
    assert found.high - found.low < 0.06
    assert compared((good,), (good,), truth).value == 0.0


def test_equal_models_are_seldom_told_apart():
    calls = 0
    for seed in range(60):
        truth = labels(150, seed)
        found = compared((guesses(truth, 0.8, 2 * seed),), (guesses(truth, 0.8, 2 * seed + 1),), truth)
        calls += bool(found.better or found.worse)
    # 5 % of 60 is 3; ten would be four standard deviations above.
    assert calls <= 10


def test_seeds_widen_the_interval():
    truth = labels(400)
    bad = guesses(truth, 0.6, 9)
    alike = tuple(guesses(truth, 0.8, 1) for _ in range(4))
    apart = tuple(guesses(truth, share, 3) for share in (0.65, 0.75, 0.85, 0.95))
    widths = []
    for ours in (alike, apart):
        found = compared(ours, (bad,), truth)
        widths.append(found.high - found.low)
    assert widths[1] > 1.3 * widths[0]


def test_folds_are_averaged():
    truths = [labels(100, seed) for seed in range(4)]
    parts = [Paired((guesses(t, 0.9, 1),), (guesses(t, 0.7, 2),), t) for t in truths]
    found = paired_difference(parts, SETTINGS, np.random.default_rng(0))
    single = [paired_difference([part], SETTINGS, np.random.default_rng(0)) for part in parts]
    assert found.value == pytest.approx(np.mean([one.value for one in single]))
    assert found.n == 400
    assert found.high - found.low < np.mean([one.high - one.low for one in single])


def test_rows_that_one_model_lacks_count_for_neither():
    truth = labels(100)
    whole = guesses(truth, 0.8, 1)
    partly = Predictions(BINARY, whole.scores.copy())
    partly.scores[:40] = np.nan
    found = compared((whole,), (partly,), truth)
    assert found.value == 0.0
    assert found.ours == found.theirs
    assert found.n == 60
    assert "40 of 100" in found.note


@pytest.mark.parametrize("figure", ["pearson", "spearman"])
def test_the_mean_as_baseline_counts_as_no_correlation(figure, monkeypatch):
    rng = np.random.default_rng(1)
    measured = rng.normal(size=(80, 1))
    monkeypatch.setitem(KINDS, "own", type("Own", (Regression,), {"primary": figure}))
    value = Target("t", "own", ("t",), ("t",))
    ours = Predictions(value, measured + rng.normal(size=(80, 1)))
    mean = Predictions(value, np.full((80, 1), 0.3))
    found = compared((ours,), (mean,), Labels(measured))
    assert found.metric == figure
    assert found.theirs == 0.0
    assert found.better
    assert "count as correlation 0" in found.note


def test_many_rows_are_drawn_less_often_for_every_model_alike(monkeypatch):
    monkeypatch.setattr(bootstrap, "_WORK", 1)
    monkeypatch.setattr(bootstrap, "LEAST_DRAWS", 40)
    rng = np.random.default_rng(1)
    measured = rng.normal(size=(80, 1))
    ours = Predictions(VALUE, measured + rng.normal(size=(80, 1)))
    mean = Predictions(VALUE, np.full((80, 1), 0.3))
    assert compared((ours,), (mean,), Labels(measured)).better


@pytest.mark.parametrize(("units", "judged"), [(3, False), (5, False), (6, True)])
def test_a_planted_lead_over_few_groups_is_no_verdict(units, judged):
    """However many rows the groups hold."""
    truth = labels(900)
    ours, theirs = guesses(truth, 0.95, 1), guesses(truth, 0.6, 2)
    found = compared((ours,), (theirs,), truth, np.arange(900) % units)
    assert found.better is (True if judged else None)
    assert found.units == units
    assert found.note == ("" if judged else f"only {units} groups, and fewer than 6 give none")


def test_groups_of_all_folds_count_together():
    truths = [labels(200, seed) for seed in range(3)]
    parts = [
        Paired(
            (guesses(t, 0.95, 1),),
            (guesses(t, 0.6, 2),),
            t,
            np.arange(200) % 3,
        )
        for t in truths
    ]
    found = paired_difference(parts, SETTINGS, np.random.default_rng(0))
    assert (found.units, found.better) == (9, True)


def test_one_group_or_one_class_gives_no_interval_and_no_exception():
    truth = labels(20)
    found = compared(
        (guesses(truth, 0.9, 1),), (guesses(truth, 0.5, 2),), truth, np.zeros(20, dtype=np.int64)
    )
    assert np.isnan(found.low)
    assert found.better is None
    assert found.note == "only 1 group, and fewer than 6 give none"
    same = Labels(np.zeros(20, dtype=np.int64))
    found = compared((guesses(same, 0.9, 1),), (guesses(same, 0.5, 2),), same)
    assert np.isnan(found.value)
    assert "one class only" in found.note
    values = found.to_dict()
    assert values["value"] is None
    assert Difference.from_dict(values).to_dict() == values
