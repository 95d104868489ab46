"""From predictions to results: models measured, the best baseline found, trainings summed up, JSON whole."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import trapezoid
from sklearn import metrics as sk

from genomecli.analysis.statistics import seeds_interval
from genomecli.analysis.task_judging import ENSEMBLE, judge_target, over_trials, primary_rows
from genomecli.analysis.task_results import MetricRow, TaskResults
from genomecli.analysis.task_story import verdicts
from genomecli.analysis.task_tables import models_table
from genomecli.errors import InputError
from genomecli.files import canonical_json
from genomecli.tasks.figure import METRICS, Figure
from genomecli.tasks.kinds.registry import deciding, registered
from genomecli.tasks.settings import MetricSettings
from tests.unit.analysis.task_toys import BASELINES, LEANS, judged, results, target, trial

KINDS = {
    "binary": ("no", "yes"),
    "multiclass": ("a", "b", "c"),
    "multilabel": ("a", "b", "c"),
    "regression": ("u", "v"),
    "token": ("H", "E", "C"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_beats_the_best_baseline(kind):
    found = judged(kind, KINDS[kind])
    assert {row.model for row in found.rows} == set(LEANS)
    assert {row.figure.part for row in found.rows} == {"valid", "test"}
    assert {row.figure.name for row in found.rows} <= set(METRICS)
    assert found.difference.other == "composition"
    assert [other.other for other in found.others] == ["majority"]
    assert found.difference.better
    best = primary_rows(found, "test")
    assert best["pretrained"].figure.value == pytest.approx(found.difference.ours)
    assert set(found.counts) == {"train", "valid", "test"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_figure_that_the_settings_name_decides(kind):
    for name in deciding(registered(kind, "t")):
        goal = replace(target(kind, KINDS[kind]), judged_by=name)
        settings, rng = MetricSettings(bootstrap=20), np.random.default_rng(7)
        found = judge_target(goal, [trial(goal)], settings, rng, baselines=BASELINES)
        assert found.difference.metric == name
        mine = primary_rows(found, "test")["pretrained"].figure
        assert (mine.name, mine.value) == (name, pytest.approx(found.difference.ours))
        rivals = {model: row.figure.value for model, row in primary_rows(found, "test").items()}
        best = max(BASELINES, key=lambda model: np.nan_to_num(rivals[model], nan=-np.inf))
        assert found.difference.other == best, name


def test_drawings_are_those_of_the_test_part():
    found = judged("binary")
    only = trial(target("binary"))
    truth, scores = only.labels["test"].values, only.predictions["pretrained"]["test"].scores
    table = np.array(found.confusion["pretrained"])
    assert np.array_equal(table, sk.confusion_matrix(truth, scores.argmax(axis=1)))
    roc = next(curve for curve in found.roc if curve.model == "pretrained")
    assert roc.area == pytest.approx(sk.roc_auc_score(truth, scores[:, 1]))
    assert trapezoid(roc.y, roc.x) == pytest.approx(roc.area, abs=1e-4)
    bins = next(curve for curve in found.calibration if curve.model == "pretrained")
    assert sum(bins.size) == 80
    wrong = sum(s * abs(x - y) for s, x, y in zip(bins.size, bins.x, bins.y, strict=True)) / 80
    ece = next(
        r.figure
        for r in found.rows
        if (r.model, r.figure.part, r.figure.name) == ("pretrained", "test", "ece")
    )
    assert wrong == pytest.approx(ece.value, abs=1e-5)


def test_many_rows_become_a_grid_that_holds_them_all():
    found = judged("regression", ("u",), n=2500)
    scatter = next(item for item in found.scatter if item.model == "pretrained")
    assert not scatter.measured
    assert np.sum(scatter.counts) == 2500


@pytest.mark.parametrize("folds", [False, True])
def test_several_trainings_have_a_mean_with_their_spread(folds):
    found = judged("multiclass", KINDS["multiclass"], trials=3, folds=folds)
    each = [
        row.figure.value
        for row in found.rows
        if row.trial
        and (row.model, row.figure.part, row.figure.name, row.figure.of) == ("pretrained", "test", "mcc", "")
    ]
    mean = next(
        row
        for row in found.rows
        if not row.trial and (row.model, row.figure.part, row.figure.name) == ("pretrained", "test", "mcc")
    )
    assert len(each) == 3
    assert mean.figure.value == pytest.approx(np.mean(each))
    assert mean.spread == pytest.approx(np.std(each, ddof=1))
    assert mean.figure.low < np.mean(each) < mean.figure.high
    assert found.difference.n == (240 if folds else 80)
    assert sum(found.counts["test"].values()) == (240 if folds else 80)
    assert np.sum(found.confusion["pretrained"]) == (240 if folds else 80)


def _mean_of(name, *values):
    rows = [
        MetricRow("net", f"seed {at}", Figure(name, value, value, value, 9, "test"))
        for at, value in enumerate(values)
    ]
    (mean,) = over_trials(rows, 0.95)
    return mean.figure


def test_two_trainings_have_their_values_and_no_interval():
    found = _mean_of("mcc", 0.02, 0.18)
    assert found.value == pytest.approx(0.1)
    assert np.isnan([found.low, found.high]).all()
    assert found.note == "mean of 2 trainings (0.020, 0.180); fewer than 3 give no interval"
    whole = results(judged("binary", trials=2), trials="seeds")
    target = whole.targets[0]
    table = models_table(whole, target, "test")
    assert "fewer than 3 give no interval" in table.caption
    values = [
        row.figure.value
        for row in target.rows
        if row.trial and (row.model, row.figure.part, row.figure.name) == ("pretrained", "test", "mcc")
    ]
    assert table.rows[0][1] == f"{np.mean(values):.3f}\n{values[0]:.3f}, {values[1]:.3f}"
    assert any("fewer than 3 give no interval" in said for said in verdicts(whole)[0].further)


@pytest.mark.parametrize(
    ("name", "values", "low", "high"),
    [
        ("mcc", (0.9, 0.99, 0.2), None, 1.0),
        ("accuracy", (0.05, 0.9, 0.5), 0.0, 1.0),
        ("rmse", (1, 9, 1), 0.0, None),
    ],
)
def test_intervals_over_trainings_stay_in_the_range_of_the_figure(name, values, low, high):
    found, student = _mean_of(name, *values), seeds_interval(values)
    assert found.low == (student.low if low is None else low)
    assert found.high == (student.high if high is None else high)
    assert student.low < found.low or found.high < student.high
    assert found.note == "mean of 3 trainings; interval cut at the end of the figure's range"
    inside = _mean_of("mcc", 0.4, 0.41, 0.42)
    assert inside.note == "mean of 3 trainings"
    assert inside.low == pytest.approx(seeds_interval([0.4, 0.41, 0.42]).low)


@pytest.mark.parametrize("folds", [False, True])
def test_the_mean_of_seeds_is_judged_as_predict_gives_it(folds):
    found = judged("binary", trials=3, folds=folds)
    together = [row for row in found.rows if row.model == ENSEMBLE]
    if folds:
        assert not together  # each network has test rows of its own
        return
    trials = [trial(target("binary"), seed=at) for at in range(3)]
    scores = np.mean([one.predictions["pretrained"]["test"].scores for one in trials], axis=0)
    expected = sk.matthews_corrcoef(trials[0].labels["test"].values, scores.argmax(axis=1))
    (mcc,) = (
        row.figure
        for row in together
        if (row.figure.part, row.figure.name, row.figure.of) == ("test", "mcc", "")
    )
    assert mcc.value == pytest.approx(expected)
    whole = results(found, trials="seeds")
    said = " ".join(verdicts(whole)[0].further)
    assert "The mean of the 3 networks' predictions, which genomecli predict gives: MCC" in said
    assert ENSEMBLE not in models_table(whole, found, "test").columns


def test_a_figure_that_is_the_same_each_time_has_its_interval_over_rows():
    values = [0.6, float(np.nextafter(0.6, 1)), 0.6]  # a sum in another order
    rows = [
        MetricRow("net", f"seed {at}", Figure("mcc", value, 0.5, 0.7, 9, "test"))
        for at, value in enumerate(values)
    ]
    (mean,) = over_trials(rows, 0.95)
    assert (mean.figure.low, mean.figure.high, mean.spread) == (0.5, 0.7, 0.0)
    assert mean.figure.note == "the same in 3 trainings; the interval is over rows"


def test_results_survive_json_whole():
    whole = results(judged("binary"), judged("regression", ("u",)))
    values = whole.to_dict()
    again = TaskResults.from_dict(json.loads(canonical_json(values)))
    assert canonical_json(again.to_dict()) == canonical_json(values)
    assert again.targets[0].target == whole.targets[0].target
    assert again.targets[1].difference == whole.targets[1].difference
    with pytest.raises(InputError, match="format 99"):
        TaskResults.from_dict({**values, "format": 99})


def test_equal_seeds_give_equal_results():
    assert canonical_json(results(judged("token")).to_dict()) == canonical_json(
        results(judged("token")).to_dict()
    )


def test_validation_rows_decide_where_the_test_part_is_left_out():
    """As if they were the test rows: the same difference, curves and counts under another name."""
    goal = target("binary")
    one = trial(goal)
    blind = replace(one, labels={"valid": one.labels["valid"]}, predictions=only(one, "valid"))
    twin = replace(
        one,
        labels={"test": one.labels["valid"]},
        predictions={model: {"test": parts["valid"]} for model, parts in one.predictions.items()},
    )
    settings = MetricSettings(bootstrap=50)
    ours, theirs = (
        judge_target(goal, [given], settings, np.random.default_rng(3), baselines=BASELINES, judged=part)
        for given, part in ((blind, "valid"), (twin, "test"))
    )
    assert ours.difference == theirs.difference
    assert (ours.roc, ours.confusion) == (theirs.roc, theirs.confusion)
    assert ours.counts["valid"] == theirs.counts["test"]
    assert "test" not in ours.counts
    assert {row.figure.part for row in ours.rows} == {"valid"}


def only(one, part):
    return {model: {part: parts[part]} for model, parts in one.predictions.items()}


def test_without_a_test_part_nothing_is_compared():
    whole = trial(target("binary"))
    models = {model: {"valid": parts["valid"]} for model, parts in whole.predictions.items()}
    only = type(whole)(models, {"valid": whole.labels["valid"]}, {})
    rng = np.random.default_rng(0)
    found = judge_target(target("binary"), [only], MetricSettings(bootstrap=0), rng, baselines=BASELINES)
    assert found.difference is None
    assert found.rows
    assert not found.confusion


def test_the_grid_of_a_log_target_has_equal_steps_of_the_logarithm():
    from genomecli.analysis.figures.scatter import log_scale
    from genomecli.analysis.task_curves import _grid

    values = np.expm1(np.linspace(0.0, 8.0, 4000))
    made = _grid("ours", "u", values, values, log=True)
    counts = np.array(made.counts)
    assert made.log
    assert made.edges == pytest.approx((0.0, np.expm1(8.0)))
    # Even on that scale, so each cell of the diagonal holds a hundred.
    assert np.abs(np.diag(counts) - 100).max() <= 1
    assert log_scale([-7.0, -0.995, -0.98]).tolist() == pytest.approx(np.log([0.01, 0.01, 0.02]))
