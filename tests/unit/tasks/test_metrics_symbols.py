"""Areas of token targets: scikit-learn's values, draws of the exact resamples, and little time."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.integrate import trapezoid
from sklearn import metrics as sk

from genomecli.tasks import metrics_symbols
from genomecli.tasks.bootstrap import Resamples
from genomecli.tasks.examples import MISSING, Labels
from genomecli.tasks.metric_rows import ClassRows
from genomecli.tasks.metrics import measure
from genomecli.tasks.metrics_ranked import rank_quantities
from genomecli.tasks.metrics_symbols import STEPS, symbol_curves, symbol_rank_quantities
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import MetricSettings


def symbols(sequences, length, classes, rare=0.3, places=None, seed=0):
    """Symbols whose scores lean towards their class, and share something within a sequence."""
    rng = np.random.default_rng(seed)
    C, n = len(classes), sequences * length
    share = np.full(C, (1 - rare) / (C - 1))
    share[-1] = rare
    truth = rng.choice(C, n, p=share)
    logits = rng.normal(size=(n, C)) + np.repeat(rng.normal(size=(sequences, C)), length, axis=0)
    logits[np.arange(n), truth] += 1.5
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if places is not None:
        scores = np.round(scores, places)
    unit = np.repeat(np.arange(sequences), length)
    rows = ClassRows(tuple(classes), truth, scores.argmax(axis=1), scores, unit, unit)
    return rows, Resamples.of(unit, 200, np.random.default_rng(1))


@pytest.mark.parametrize("places", [None, 1])
def test_curves_of_symbols_lie_on_those_of_scikit_learn(places):
    rows, _ = symbols(60, 200, "abc", rare=0.02, places=places)
    truth, scores = rows.truth == 2, rows.scores[:, 2]
    found = symbol_curves(truth, scores)
    assert len(found.right) <= STEPS + 2
    false, right, _ = sk.roc_curve(truth, scores, drop_intermediate=False)
    known = {(round(x, 9), round(y, 9)) for x, y in zip(false, right, strict=True)}
    assert {(round(x, 9), round(y, 9)) for x, y in zip(found.false, found.right, strict=True)} <= known
    assert (found.false[-1], found.right[-1]) == (1, 1)
    precision, recall, _ = sk.precision_recall_curve(truth, scores)
    known = {(round(x, 9), round(y, 9)) for x, y in zip(recall, precision, strict=True)}
    assert {
        (round(x, 9), round(y, 9)) for x, y in zip(found.right, found.precision, strict=True)
    } - known <= {(0.0, round(found.precision[0], 9))}
    exact = (sk.roc_auc_score(truth, scores), sk.average_precision_score(truth, scores))
    assert found.areas == pytest.approx(exact)
    assert trapezoid(found.right, found.false) == pytest.approx(exact[0], abs=1e-3)
    assert symbol_curves(np.zeros(3, dtype=bool), scores[:3]) is None


def test_token_targets_have_the_areas_of_scikit_learn():
    rows, _ = symbols(30, 40, "abc")
    truth = rows.truth.copy()
    truth[::7] = MISSING
    offsets = np.arange(31) * 40
    goal = Target("t", "token", (), ("a", "b", "c"))
    settings = MetricSettings(bootstrap=100)
    figures = measure(
        Predictions(goal, rows.scores, offsets), Labels(truth, offsets), settings, np.random.default_rng(0)
    )
    got = {(figure.name, figure.of): figure for figure in figures}
    known = truth != MISSING
    y, scores = truth[known], rows.scores[known]
    one_hot = np.eye(3)[y]
    for name, judge in (("auroc", sk.roc_auc_score), ("auprc", sk.average_precision_score)):
        for c, of in enumerate("abc"):
            assert got[name, of].value == pytest.approx(judge(one_hot[:, c], scores[:, c]), abs=1e-12)
        mean = got[name, ""]
        assert mean.value == pytest.approx(judge(one_hot, scores, average="macro"), abs=1e-12)
        assert mean.low < mean.value < mean.high
        assert mean.n == known.sum()


@pytest.mark.parametrize("dense", [True, False])
def test_few_scores_are_resampled_as_the_symbols_themselves(dense, monkeypatch):
    if not dense:
        monkeypatch.setattr(metrics_symbols, "_DENSE", 0)
    rows, resamples = symbols(25, 30, "abc", places=2)
    assert len(np.unique(rows.scores)) < STEPS
    for ours, slow in zip(
        symbol_rank_quantities(rows, resamples), rank_quantities(rows, resamples), strict=True
    ):
        assert (ours.name, ours.of, ours.n) == (slow.name, slow.of, slow.n)
        assert ours.value == pytest.approx(slow.value, abs=1e-12)
        np.testing.assert_allclose(ours.draws, slow.draws, atol=1e-9)


@pytest.mark.parametrize("rare", [0.3, 0.005])
def test_steps_give_the_intervals_of_all_thresholds(rare):
    rows, resamples = symbols(60, 200, "ny", rare)
    for ours, slow in zip(
        symbol_rank_quantities(rows, resamples), rank_quantities(rows, resamples), strict=True
    ):
        width = np.ptp(np.quantile(slow.draws, [0.025, 0.975]))
        assert np.abs(ours.draws - slow.draws).max() < 0.05 * width
        assert ours.of == ""


def test_one_sided_and_equal_scores():
    rows, resamples = symbols(5, 10, "abc")
    rows.truth[rows.truth == 2] = 1
    rows.scores[:, 0] = 0.5
    found = {(item.name, item.of): item for item in symbol_rank_quantities(rows, resamples)}
    assert found["auroc", "c"].note == "no rows of this class"
    assert found["auroc", ""].note == "without c: rows on one side only"
    assert found["auroc", "a"].value == 0.5
    assert found["auprc", "a"].value == pytest.approx((rows.truth == 0).mean())


def test_many_symbols_take_little_time():
    rows, resamples = symbols(500, 600, "ny", 0.01)
    begun = time.perf_counter()
    roc, _ = symbol_rank_quantities(rows, resamples)
    # Some 0.15 s; a threshold a symbol takes more than 5 s.
    assert time.perf_counter() - begun < 2
    assert len(roc.draws) == 200
