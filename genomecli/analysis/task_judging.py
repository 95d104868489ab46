"""From predictions to what a report says of one target: figures, differences, and data of its drawings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genomecli.analysis.statistics import seeds_interval
from genomecli.analysis.task_curves import draw_data
from genomecli.analysis.task_results import MetricRow, TargetResults
from genomecli.tasks.differences import Difference, Paired, paired_difference
from genomecli.tasks.examples import MISSING, Ints, Labels
from genomecli.tasks.figure import Figure, ends
from genomecli.tasks.metrics import measure
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import MetricSettings

LEAST_TRIALS = 3
"""Trainings below which there is no interval over them: of two Student's t has one degree of freedom, and its
95 % interval is 18 times as wide as they are apart."""

ROUNDING = 1e-12
"""Share by which equal figures of several trainings may differ: that of additions in another order."""

ENSEMBLE = "ensemble"
"""Model of the figures of several seeds' mean predictions."""


@dataclass(frozen=True)
class Trial:
    """One training, and the baselines beside it, of one target.

    Args:
        predictions: model to part (``valid``, ``test``) to predictions; the network in question first.
        labels: part to labels of the same rows.
        groups: part to int64[n], groups that are resampled whole; None where rows stand alone.
        name: ``seed 2`` or ``fold 3``; empty for a single training.
        train: labels of the training rows, for their counts; None if they are not wanted.
    """

    predictions: Mapping[str, Mapping[str, Predictions]]
    labels: Mapping[str, Labels]
    groups: Mapping[str, Ints | None]
    name: str = ""
    train: Labels | None = None


def judge_target(
    target: Target,
    trials: Sequence[Trial],
    settings: MetricSettings,
    rng: np.random.Generator,
    *,
    baselines: Sequence[str],
    folds: bool = False,
    judged: str = "test",
) -> TargetResults:
    """Measure every model on every part, and compare the network with the baselines on one of them.

    The best baseline is the one with the best primary figure on that part: the hardest to beat.

    Args:
        target: what is predicted.
        trials: one, or one for each seed or fold.
        settings: resamples and coverage.
        rng: source of randomness.
        baselines: names of the models that are baselines.
        folds: the trials are folds, with test rows of their own, and not seeds with the same test rows.
        judged: the part on which they are compared, ``test`` or ``valid``.

    Raises:
        ValueError: if there is no trial.
    """
    if not trials:
        raise ValueError("nothing to judge")
    rows = [row for trial in trials for row in _rows(trial, settings, rng)]
    network = next(iter(trials[0].predictions))
    if len(trials) > 1:
        rows += over_trials(rows, settings.level)
    if len(trials) > 1 and not folds:
        rows += _rows(_ensemble(trials, network), settings, rng)
    compared = [
        _difference(trials, network, name, settings, rng, folds=folds, part=judged)
        for name in trials[0].predictions
        if name in baselines and name != network and judged in trials[0].labels
    ]
    ordered = sorted(compared, key=lambda item: -item.theirs if not np.isnan(item.theirs) else np.inf)
    found = TargetResults(
        target,
        tuple(rows),
        ordered[0] if ordered else None,
        tuple(ordered[1:]),
        counts=_all_counts(target, trials, folds=folds),
        judged=judged,
    )
    return draw_data(found, trials, folds=folds)


def _rows(trial: Trial, settings: MetricSettings, rng: np.random.Generator) -> list[MetricRow]:
    return [
        MetricRow(model, trial.name, figure)
        for model, parts in trial.predictions.items()
        for part, predictions in parts.items()
        for figure in measure(
            predictions, trial.labels[part], settings, rng, trial.groups.get(part), part=part
        )
    ]


def _ensemble(trials: Sequence[Trial], network: str) -> Trial:
    """The mean of what the networks of all seeds predict, as ``predict`` gives it."""
    parts = {
        part: replace(
            first, scores=np.mean([trial.predictions[network][part].scores for trial in trials], axis=0)
        )
        for part, first in trials[0].predictions[network].items()
    }
    return replace(trials[0], predictions={ENSEMBLE: parts}, name="")


def over_trials(rows: Sequence[MetricRow], level: float) -> list[MetricRow]:
    """Mean of every figure over trials, with standard deviation and Student's t interval, cut at the ends of
    the figure's range. Of fewer than :data:`LEAST_TRIALS` their values and no interval; where all are equal,
    the interval over rows. Without support.

    Args:
        rows: of all trials; figures of one trial alone are left out.
        level: coverage.
    """
    found: dict[tuple[str, str, str, str], list[Figure]] = {}
    for row in rows:
        figure = row.figure
        found.setdefault((row.model, figure.part, figure.name, figure.of), []).append(figure)
    return [
        _mean_row(key[0], figures, level)
        for key, figures in found.items()
        if len(figures) > 1 and key[2] != "support"
    ]


def _mean_row(model: str, figures: Sequence[Figure], level: float) -> MetricRow:
    values = np.array([figure.value for figure in figures])
    known = values[~np.isnan(values)]
    interval = seeds_interval(values, level)
    spread = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
    note = f"mean of {len(known)} trainings" if len(known) else figures[0].note
    low, high = interval.low, interval.high
    if len(known) < LEAST_TRIALS:
        low = high = float("nan")
        each = ", ".join(f"{value:.3f}" for value in known)
        note += f" ({each}); fewer than {LEAST_TRIALS} give no interval" * bool(len(known))
    elif np.ptp(known) <= ROUNDING * np.abs(known).max():
        # A baseline without chance in it: its interval is that over rows.
        low, high, spread = figures[0].low, figures[0].high, 0.0
        over = "the interval is over rows" if low == low else figures[0].note
        note = "; ".join(filter(None, (f"the same in {len(known)} trainings", over)))
    else:
        least, most = ends(figures[0].name)
        note += "; interval cut at the end of the figure's range" * (low < least or high > most)
        low, high = max(low, least), min(high, most)
    n = sum(figure.n for figure in figures) // len(figures)
    mean = replace(figures[0], value=interval.value, low=low, high=high, n=n, note=note)
    return MetricRow(model, "", mean, spread)


def _difference(
    trials: Sequence[Trial],
    network: str,
    other: str,
    settings: MetricSettings,
    rng: np.random.Generator,
    *,
    folds: bool,
    part: str,
) -> Difference:
    both = [trial for trial in trials if other in trial.predictions]
    pairs = [
        Paired(
            (trial.predictions[network][part],),
            (trial.predictions[other][part],),
            trial.labels[part],
            trial.groups.get(part),
        )
        for trial in both
    ]
    if not folds:
        ours, theirs = ([getattr(pair, side)[0] for pair in pairs] for side in ("ours", "theirs"))
        pairs = [replace(pairs[0], ours=tuple(ours), theirs=tuple(theirs))]
    return paired_difference(pairs, settings, rng, names=(network, other))


def _all_counts(target: Target, trials: Sequence[Trial], *, folds: bool) -> dict[str, dict[str, int]]:
    """Labelled rows by part and class; of folds those of the first one, and all rows as test."""
    first = trials[0]
    parts = {} if first.train is None else {"train": [first.train]}
    parts |= {part: [labels] for part, labels in first.labels.items()}
    if folds and "test" in first.labels:
        parts["test"] = [trial.labels["test"] for trial in trials]
    return {part: _counts(target, found) for part, found in parts.items()}


def _counts(target: Target, labels: Sequence[Labels]) -> dict[str, int]:
    values = np.concatenate([found.values for found in labels])
    if target.form == "regression":
        columns = (~np.isnan(values)).sum(axis=0)
    elif target.form == "multilabel":
        columns = (values > 0.5).sum(axis=0)
    else:
        columns = np.bincount(values[values != MISSING].astype(np.int64), minlength=target.outputs)
    return {name: int(count) for name, count in zip(target.classes, columns, strict=True)}


def primary_rows(results: TargetResults, part: str) -> dict[str, MetricRow]:
    """The figure that decides of each model on one part: the mean where there are several trainings."""
    name = results.target.primary
    found: dict[str, MetricRow] = {}
    for row in results.rows:
        figure = row.figure
        if (figure.name, figure.of, figure.part) == (name, "", part) and (
            row.model not in found or not row.trial
        ):
            found[row.model] = row
    return found
