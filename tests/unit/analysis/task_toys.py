"""Small judged results of every kind of target, for tests of reports."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.task_judging import Trial, judge_target
from genomecli.analysis.task_results import (
    LearningCurve,
    ModelCard,
    Overlap,
    SplitReport,
    TargetResults,
    TaskResults,
)
from genomecli.tasks.examples import Labels
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import MetricSettings

MODELS = (
    ModelCard("pretrained", "the tuned network", baseline=False),
    ModelCard("composition", "4-mer frequencies with logistic regression"),
    ModelCard("majority", "the commonest class of the training rows"),
)
BASELINES = ("composition", "majority")
LEANS = {"pretrained": 2.5, "composition": 1.0, "majority": 0.0}


def target(kind, classes=("no", "yes"), name="t"):
    return Target(name, kind, (name,), tuple(classes))


def labels_of(kind, n, C, rng):
    if kind == "regression":
        return Labels(rng.normal(size=(n, C)))
    if kind == "multilabel":
        return Labels((rng.random((n, C)) < 0.4).astype(np.float64))
    if kind == "token":
        offsets = np.concatenate([[0], np.cumsum(rng.integers(5, 30, n))])
        return Labels(rng.integers(0, C, offsets[-1]), offsets)
    return Labels(rng.integers(0, C, n))


def predicted(goal, labels, lean, rng):
    """Predictions that lean towards the labels."""
    C = goal.outputs
    if goal.kind == "regression":
        noise = rng.normal(size=labels.values.shape)
        return Predictions(goal, lean * labels.values + noise if lean else np.zeros_like(labels.values))
    if goal.kind == "multilabel":
        logit = lean * (2 * labels.values - 1) + (rng.normal(size=labels.values.shape) if lean else -1.0)
        return Predictions(goal, 1 / (1 + np.exp(-logit)))
    truth = labels.values
    logits = rng.normal(size=(len(truth), C)) if lean else np.tile(np.arange(C, 0, -1.0), (len(truth), 1))
    logits[np.arange(len(truth)), truth] += lean
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(goal, scores, labels.offsets)


def trial(goal, n=80, seed=0, name="", truth_seed=0):
    rng, truth = np.random.default_rng(seed), np.random.default_rng(truth_seed)
    labels = {part: labels_of(goal.kind, n, goal.outputs, truth) for part in ("valid", "test")}
    found = {
        model: {part: predicted(goal, labels[part], lean, rng) for part in labels}
        for model, lean in LEANS.items()
    }
    return Trial(found, labels, {"valid": None, "test": None}, name, labels["valid"])


def judged(kind, classes=("no", "yes"), trials=1, folds=False, n=80, name="t") -> TargetResults:
    goal = target(kind, classes, name)
    word = "fold" if folds else "seed"
    found = [
        trial(goal, n, seed, f"{word} {seed + 1}" if trials > 1 else "", seed if folds else 0)
        for seed in range(trials)
    ]
    rng = np.random.default_rng(7)
    return judge_target(goal, found, MetricSettings(bootstrap=100), rng, baselines=BASELINES, folds=folds)


def results(*targets: TargetResults, trials="single", **more) -> TaskResults:
    split = SplitReport(
        "by similarity cluster (shared 12-mers, 0.5)",
        {"train": 400, "valid": 80, "test": 80},
        {"train": 90, "valid": 20, "test": 21},
        (Overlap("test", 80, 1, 4, 2, "Similar: 80 % identity."), Overlap("valid", 80, 0, 0)),
    )
    values = {
        "title": "E. coli promoters",
        "models": MODELS,
        "targets": targets or (judged("binary"),),
        "split": split,
        "trials": trials,
        "dropped": (("empty sequence", 2, "genes.tsv line 12"),),
        "curves": (
            LearningCurve("pretrained", "", ((0.5, 0.7), (1.0, 0.6)), ((1.0, 0.65), (2.0, 0.6)), 2.0),
        ),
        "settings": (("body", "runs/ecoli, step 400"), ("tune", "full")),
    }
    return TaskResults(**{**values, **more})
