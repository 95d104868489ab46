"""Figures: against scikit-learn, scipy and sums by hand; resamples against rows written out; no exception."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from genomecli.tasks import metrics_ranked
from genomecli.tasks.bootstrap import Resamples
from genomecli.tasks.examples import MISSING, Labels
from genomecli.tasks.figure import METRICS, Figure
from genomecli.tasks.metric_rows import class_rows, shared, value_rows
from genomecli.tasks.metrics import measure, primary, quantities
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import MetricSettings

SETTINGS = MetricSettings(bootstrap=60)
PRIMARY = {
    "binary": "mcc",
    "multiclass": "accuracy",
    "multilabel": "macro_f1",
    "regression": "pearson",
    "token": "accuracy",
}


def target(kind, classes):
    return Target("t", kind, ("t",), tuple(classes))


def guessed(n, classes, seed=0, kind="multiclass", strength=1.0):
    """Labels and softmax predictions that lean towards them."""
    rng = np.random.default_rng(seed)
    C = len(classes)
    truth = rng.integers(0, C, n)
    logits = rng.normal(size=(n, C))
    logits[np.arange(n), truth] += strength
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(target(kind, classes), scores), Labels(truth)


def found(predictions, labels, groups=None, settings=SETTINGS):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures = measure(predictions, labels, settings, np.random.default_rng(1), groups, part="test")
    return {(figure.name, figure.of): figure for figure in figures}


def test_classes_are_those_of_scikit_learn():
    predictions, labels = guessed(400, "abc")
    got = found(predictions, labels)
    y, p, s = labels.values, predictions.chosen, predictions.scores
    expected = {
        "accuracy": sk.accuracy_score(y, p),
        "balanced_accuracy": sk.balanced_accuracy_score(y, p),
        "mcc": sk.matthews_corrcoef(y, p),
        "macro_f1": sk.f1_score(y, p, average="macro"),
        "auroc": sk.roc_auc_score(y, s, multi_class="ovr"),
        "auprc": sk.average_precision_score(y, s),
    }
    for name, value in expected.items():
        figure = got[name, ""]
        assert figure.value == pytest.approx(value, abs=1e-12), name
        assert figure.low < value < figure.high, name
        assert (figure.n, figure.part) == (400, "test")
    each = sk.precision_recall_fscore_support(y, p)
    for c, name in enumerate("abc"):
        for column, metric in enumerate(("precision", "recall", "f1", "support")):
            assert got[metric, name].value == pytest.approx(each[column][c])
        assert got["auroc", name].value == pytest.approx(sk.roc_auc_score(y == c, s[:, c]))


def test_binary_by_hand():
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
    got = found(Predictions(target("binary", ("no", "yes")), scores), Labels(np.array([0, 0, 1, 1, 1])))
    # One true negative, one false positive, two true positives, one false negative.
    assert got["accuracy", ""].value == pytest.approx(3 / 5)
    assert got["f1", ""].value == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert got["mcc", ""].value == pytest.approx((2 * 1 - 1 * 1) / np.sqrt(3 * 3 * 2 * 2))
    # Of six pairs (positive, negative) five are in order.
    assert got["auroc", ""].value == pytest.approx(5 / 6)
    assert got["auprc", ""].value == pytest.approx((1 + 1 + 3 / 4) / 3)


def slow_ece(confidence, right, bins=15):
    total = 0.0
    for b in range(bins):
        inside = [
            i
            for i, value in enumerate(confidence)
            if b / bins < value <= (b + 1) / bins or (b == 0 and value == 0)
        ]
        if inside:
            gap = np.mean([confidence[i] for i in inside]) - np.mean([right[i] for i in inside])
            total += len(inside) / len(confidence) * abs(gap)
    return total


def test_calibration_is_that_of_a_slow_loop():
    predictions, labels = guessed(300, "abcd", strength=0.3)
    scores = predictions.scores
    expected = slow_ece(scores.max(axis=1), scores.argmax(axis=1) == labels.values)
    figure = found(predictions, labels)["ece", ""]
    assert figure.value == pytest.approx(expected)
    assert figure.low <= figure.value <= figure.high


def expanded(rows, resamples):
    """Row numbers of each resample, written out."""
    for weights in resamples.weights():
        for draw in weights:
            yield np.repeat(np.arange(rows), draw[resamples.unit_of].astype(int))


def test_resamples_of_classes_are_figures_of_rows_written_out():
    predictions, labels = guessed(60, "abc")
    scores = np.round(predictions.scores, 1)
    predictions = Predictions(predictions.target, scores / scores.sum(axis=1, keepdims=True))
    groups = np.random.default_rng(2).integers(0, 25, 60)
    rows = class_rows(predictions, labels, groups)
    drawn = {
        (q.name, q.of): q.draws for q in quantities(predictions, labels, 20, np.random.default_rng(1), groups)
    }
    again = Resamples.of(rows.units, 20, np.random.default_rng(1))
    for b, picked in enumerate(expanded(60, again)):
        y, p, s = rows.truth[picked], rows.chosen[picked], rows.scores[picked]
        assert drawn["accuracy", ""][b] == pytest.approx(sk.accuracy_score(y, p))
        assert drawn["balanced_accuracy", ""][b] == pytest.approx(sk.balanced_accuracy_score(y, p))
        assert drawn["mcc", ""][b] == pytest.approx(sk.matthews_corrcoef(y, p))
        assert drawn["macro_f1", ""][b] == pytest.approx(sk.f1_score(y, p, average="macro"))
        assert drawn["auroc", ""][b] == pytest.approx(sk.roc_auc_score(y, s, multi_class="ovr"))
        assert drawn["auprc", "b"][b] == pytest.approx(sk.average_precision_score(y == 1, s[:, 1]))
        assert drawn["ece", ""][b] == pytest.approx(slow_ece(s.max(axis=1), y == p))


def test_values_are_those_of_scipy_and_so_are_resamples():
    rng = np.random.default_rng(4)
    truth = np.round(rng.normal(size=(80, 2)), 1)
    scores = np.round(truth + rng.normal(size=(80, 2)), 1)
    truth[5, 0] = np.nan
    scores[7] = np.nan
    predictions, labels = Predictions(target("regression", ("u", "v")), scores), Labels(truth)
    got = found(predictions, labels)
    for c, name in enumerate("uv"):
        kept = ~(np.isnan(truth[:, c]) | np.isnan(scores[:, c]))
        y, p = truth[kept, c], scores[kept, c]
        expected = {
            "pearson": stats.pearsonr(y, p).statistic,
            "spearman": stats.spearmanr(y, p).statistic,
            "r2": sk.r2_score(y, p),
            "rmse": np.sqrt(np.mean((y - p) ** 2)),
            "mae": np.mean(np.abs(y - p)),
        }
        for metric, value in expected.items():
            assert got[metric, name].value == pytest.approx(value)
            assert got[metric, name].n == kept.sum()
    assert got["pearson", ""].value == pytest.approx(np.mean([got["pearson", n].value for n in "uv"]))
    assert "1 of 80 labelled rows have no prediction" in got["pearson", ""].note
    rows = value_rows(predictions, labels, None)
    drawn = {(q.name, q.of): q.draws for q in quantities(predictions, labels, 20, np.random.default_rng(1))}
    again = Resamples.of(rows.units, 20, np.random.default_rng(1))
    for b, picked in enumerate(expanded(79, again)):
        y, p = rows.truth[picked, 1], rows.scores[picked, 1]
        assert drawn["pearson", "v"][b] == pytest.approx(stats.pearsonr(y, p).statistic)
        assert drawn["spearman", "v"][b] == pytest.approx(stats.spearmanr(y, p).statistic)
        assert drawn["r2", "v"][b] == pytest.approx(sk.r2_score(y, p))
        assert drawn["mae", "v"][b] == pytest.approx(np.mean(np.abs(y - p)))


def test_multilabel_is_that_of_scikit_learn_and_leaves_unknown_cells_out():
    rng = np.random.default_rng(6)
    truth = (rng.random((200, 3)) < 0.4).astype(float)
    scores = np.clip(0.3 * truth + rng.random((200, 3)) * 0.7, 0, 1)
    kind = target("multilabel", "abc")
    got = found(Predictions(kind, scores), Labels(truth))
    said = scores >= 0.5
    assert got["macro_f1", ""].value == pytest.approx(sk.f1_score(truth, said, average="macro"))
    assert got["micro_f1", ""].value == pytest.approx(sk.f1_score(truth, said, average="micro"))
    assert got["subset_accuracy", ""].value == pytest.approx(sk.accuracy_score(truth, said))
    assert got["auroc", ""].value == pytest.approx(sk.roc_auc_score(truth, scores))
    assert got["auprc", "c"].value == pytest.approx(sk.average_precision_score(truth[:, 2], scores[:, 2]))
    assert got["ece", ""].value == pytest.approx(
        np.mean([slow_ece(scores[:, c], truth[:, c]) for c in range(3)])
    )
    holes = truth.copy()
    holes[:50, 1] = np.nan
    partly = found(Predictions(kind, scores), Labels(holes))
    assert partly["f1", "b"].value == pytest.approx(sk.f1_score(truth[50:, 1], said[50:, 1]))
    assert partly["f1", "b"].n == 150
    assert partly["f1", "a"] == got["f1", "a"]
    assert partly["subset_accuracy", ""].n == 150


def test_symbols_are_counted_and_sequences_drawn():
    rng = np.random.default_rng(7)
    lengths = np.array([4, 9, 1, 12, 7])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    truth = rng.integers(0, 3, offsets[-1])
    scores = rng.dirichlet(np.ones(3), offsets[-1])
    truth[2], scores[6] = MISSING, np.nan
    predictions = Predictions(target("token", "HEC"), scores, offsets)
    labels = Labels(truth, offsets)
    got = found(predictions, labels)
    kept = [i for i in range(offsets[-1]) if i not in (2, 6)]
    right = scores[kept].argmax(axis=1) == truth[kept]
    assert got["accuracy", ""].value == pytest.approx(right.mean())
    assert got["accuracy", ""].n == len(kept)
    assert "1 of 32 labelled symbols" in got["accuracy", ""].note
    sequence = np.repeat(np.arange(5), lengths)[kept]
    by_sequence = [right[sequence == i].mean() for i in range(5)]
    assert got["sequence_accuracy", ""].value == pytest.approx(np.mean(by_sequence))
    drawn = {
        q.name: q.draws for q in quantities(predictions, labels, 10, np.random.default_rng(1)) if not q.of
    }
    again = Resamples.of(np.arange(5), 10, np.random.default_rng(1))
    for b, weights in enumerate(np.concatenate(list(again.weights()))):
        members = np.concatenate(
            [np.flatnonzero(sequence == i) for i in range(5) for _ in range(int(weights[i]))]
        )
        assert drawn["accuracy"][b] == pytest.approx(right[members].mean())
        assert drawn["sequence_accuracy"][b] == pytest.approx(np.average(by_sequence, weights=weights))


@pytest.mark.parametrize(
    ("kind", "classes", "truth", "scores"),
    [
        ("binary", "nY", [1, 1, 1], [[0.2, 0.8]] * 3),
        ("binary", "nY", [0, 1, 1, 0], [[0.3, 0.7]] * 4),
        ("binary", "nY", [], np.zeros((0, 2))),
        ("binary", "nY", [1], [[0.5, 0.5]]),
        ("binary", "nY", [-1, -1], [[0.5, 0.5]] * 2),
        ("binary", "nY", [0, 1], [[np.nan, np.nan]] * 2),
        ("multiclass", "abc", [0, 0, 1], [[0.6, 0.2, 0.2]] * 3),
        ("regression", "u", [[1.0], [1.0], [1.0]], [[1.0], [2.0], [3.0]]),
        ("regression", "u", [[1.0], [2.0], [3.0]], [[2.0]] * 3),
        ("regression", "uv", [[1.0, np.nan], [2.0, np.nan]], [[1.0, 0.0], [1.5, 0.0]]),
        ("regression", "u", [[np.nan]], [[1.0]]),
        ("regression", "u", np.zeros((0, 1)), np.zeros((0, 1))),
        ("multilabel", "ab", [[0.0, 1.0], [0.0, 1.0]], [[0.1, 0.9]] * 2),
        ("multilabel", "ab", [[np.nan, 1.0], [np.nan, 0.0]], [[0.1, 0.9]] * 2),
        ("multilabel", "ab", np.zeros((0, 2)), np.zeros((0, 2))),
    ],
)
def test_degenerate_rows_give_a_reason_and_no_exception(kind, classes, truth, scores):
    values = np.asarray(truth, dtype=np.float64 if kind in ("regression", "multilabel") else np.int64)
    predictions = Predictions(target(kind, classes), np.asarray(scores, dtype=np.float64))
    got = found(predictions, Labels(values))
    assert got
    for figure in got.values():
        assert not np.isnan(figure.value) or figure.note, figure


def test_token_labels_that_are_all_unknown():
    offsets = np.array([0, 2, 2, 3])
    predictions = Predictions(target("token", "ab"), np.full((3, 2), 0.5), offsets)
    got = found(predictions, Labels(np.full(3, MISSING), offsets))
    assert got["accuracy", ""].note == "no labelled rows"


def test_reasons_say_what_is_the_matter():
    one, _ = guessed(20, ("n", "y"), kind="binary")
    got = found(one, Labels(np.zeros(20, dtype=np.int64)))
    assert np.isnan(got["mcc", ""].value)
    assert got["mcc", ""].note == "one class only among the labels"
    assert "no rows of this class" in got["auroc", ""].note
    always = Predictions(target("binary", "ny"), np.tile([0.9, 0.1], (4, 1)))
    got = found(always, Labels(np.array([0, 0, 0, 1])))
    assert got["mcc", ""].value == 0.0
    assert got["auroc", ""].value == 0.5
    mean = Predictions(target("regression", "u"), np.ones((5, 1)))
    got = found(mean, Labels(np.arange(5.0)[:, None]))
    assert got["pearson", ""].note == "all predictions are equal"
    assert got["r2", ""].value == pytest.approx(-0.5)


def test_every_kind_has_its_primary_figure():
    for kind, name in PRIMARY.items():
        width = 2
        if kind in ("multilabel", "regression"):
            labels = Labels(np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
        else:
            labels = Labels(np.array([0, 1, 1]), np.array([0, 1, 2, 3]) if kind == "token" else None)
        scores = np.array([[0.7, 0.3], [0.4, 0.6], [0.9, 0.1]])[:, :width]
        offsets = labels.offsets
        figures = measure(
            Predictions(target(kind, "ab"), scores, offsets), labels, SETTINGS, np.random.default_rng(0)
        )
        assert primary(figures, target(kind, "ab")).name == name
        assert all(figure.name in METRICS for figure in figures)


def test_figures_repeat_and_survive_json():
    predictions, labels = guessed(50, "ab", kind="binary")
    once = measure(predictions, labels, SETTINGS, np.random.default_rng(3))
    again = measure(predictions, labels, SETTINGS, np.random.default_rng(3))
    assert [figure.to_dict() for figure in once] == [figure.to_dict() for figure in again]
    for figure in [*once, Figure("mcc", float("nan"), float("nan"), float("nan"), 0, note="n")]:
        values = figure.to_dict()
        assert Figure.from_dict(values).to_dict() == values


def test_models_are_compared_on_rows_that_all_predict():
    first, _ = guessed(6, "ab", kind="binary")
    second = Predictions(first.target, first.scores.copy())
    second.scores[2] = np.nan
    left, right = shared(first, second)
    assert np.isnan(left.scores[2]).all()
    assert np.array_equal(left.scores, right.scores, equal_nan=True)
    assert not np.isnan(first.scores).any()


def test_a_lack_of_intervals_is_explained(monkeypatch):
    predictions, labels = guessed(40, "ab", kind="binary")
    got = found(predictions, labels, np.zeros(40, dtype=np.int64))
    assert np.isnan(got["mcc", ""].low)
    assert got["mcc", ""].note == "no interval: only 1 group, and fewer than 6 give none"
    assert not found(predictions, labels, settings=MetricSettings(bootstrap=0))["mcc", ""].note
    for units in (5, 6):
        figure = found(predictions, labels, np.arange(40) % units)["mcc", ""]
        assert figure.units == units
        assert np.isnan(figure.low) == (units == 5)
        assert bool(figure.note) == (units == 5)
    monkeypatch.setattr(metrics_ranked, "_WORK", 1)
    monkeypatch.setattr(metrics_ranked, "LEAST_DRAWS", 7)
    few = found(predictions, labels)
    assert few["auroc", ""].note == "interval from 7 resamples, since there are many rows"
    assert not few["mcc", ""].note


def test_ten_thousand_rows_take_seconds():
    predictions, labels = guessed(10_000, "ab", kind="binary")
    begun = time.process_time()
    found(predictions, labels, settings=MetricSettings())
    assert time.process_time() - begun < 6.0


def test_other_lengths_are_refused():
    predictions, _ = guessed(5, "ab")
    with pytest.raises(ValueError, match="5 predictions for 4 labels"):
        measure(predictions, Labels(np.zeros(4, dtype=np.int64)), SETTINGS, np.random.default_rng(0))
