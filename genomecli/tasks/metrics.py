"""All figures of predictions on labelled rows, by form of their labels, each with a bootstrap interval.

Rows are drawn with replacement; groups of a split whole, since their rows are not independent; of token
targets whole sequences. Intervals are percentile intervals; the lower end of the calibration error's is
bias-corrected.
They tell how far another test part of the same kind might lie, not how far another training.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from genomecli.tasks.bootstrap import Resamples
from genomecli.tasks.examples import Ints, Labels
from genomecli.tasks.figure import METRICS, Figure, Quantity, no_interval, too_few
from genomecli.tasks.metric_rows import class_rows, value_rows
from genomecli.tasks.metrics_classes import calibration_quantity, class_quantities, sequence_quantity
from genomecli.tasks.metrics_labels import label_calibration, label_quantities, label_rank_quantities
from genomecli.tasks.metrics_ranked import rank_quantities
from genomecli.tasks.metrics_symbols import symbol_rank_quantities
from genomecli.tasks.metrics_values import value_quantities
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import MetricSettings


def measure(
    predictions: Predictions,
    labels: Labels,
    settings: MetricSettings,
    rng: np.random.Generator,
    groups: Ints | None = None,
    *,
    part: str = "",
) -> list[Figure]:
    """Judge predictions; never raises for degenerate rows: a figure without a value says why.

    Args:
        predictions: of n examples.
        labels: of the same examples, in the same order.
        settings: number of resamples, coverage.
        rng: source of randomness; one number is drawn from it.
        groups: int64[n], groups of the split that are drawn whole; None: each example by itself.
        part: written into the figures: ``valid``, ``test``.

    Returns:
        figures in the order of :data:`~genomecli.tasks.figure.METRICS`, those of all rows before those of
        single classes, labels or values.

    Raises:
        ValueError: if predictions, labels and groups are not of the same examples.
    """
    found = quantities(predictions, labels, settings.bootstrap, rng, groups)
    order = {name: at for at, name in enumerate(METRICS)}
    ordered = sorted(found, key=lambda item: (bool(item.of), order[item.name]))
    what = unit_names(predictions, groups)
    return [_with_reason(item.figure(settings.level, part), item, settings, what) for item in ordered]


def unit_names(predictions: Predictions, groups: Ints | None) -> str:
    """What the resampled units are, in words: ``groups``, or ``rows`` or ``sequences`` by themselves.

    Args:
        predictions: of n examples.
        groups: int64[n], or None; where each holds one example they are no groups.
    """
    if groups is not None and len(np.unique(groups)) < len(groups):
        return "groups"
    return "rows" if predictions.offsets is None else "sequences"


def _with_reason(figure: Figure, item: Quantity, settings: MetricSettings, what: str) -> Figure:
    """Says why there is no interval, or one of fewer resamples than were asked for."""
    if figure.note or settings.bootstrap == 0 or figure.name == "support" or np.isnan(figure.value):
        return figure
    if np.isnan(figure.low):
        few = too_few(figure.units)
        why = no_interval(figure.units, what) if few else "most resamples have no such figure"
        return replace(figure, note=f"no interval: {why}")
    if len(item.draws) < settings.bootstrap:
        return replace(figure, note=f"interval from {len(item.draws)} resamples, since there are many rows")
    return figure


def quantities(
    predictions: Predictions,
    labels: Labels,
    draws: int,
    rng: np.random.Generator,
    groups: Ints | None = None,
    *,
    only_primary: bool = False,
) -> list[Quantity]:
    """Figures with their draws and the number of units drawn; arguments and errors as of :func:`measure`.

    Args:
        predictions: of n examples.
        labels: of the same examples.
        draws: resamples.
        rng: one number is drawn from it. Equal generators give equal resamples of equal rows.
        groups: int64[n], or None.
        only_primary: leave out what is costly and not needed for the figure that decides.
    """
    found, units = _quantities(predictions, labels, draws, rng, groups, only_primary=only_primary)
    return [replace(item, units=units) for item in found]


def _quantities(
    predictions: Predictions,
    labels: Labels,
    draws: int,
    rng: np.random.Generator,
    groups: Ints | None,
    *,
    only_primary: bool,
) -> tuple[list[Quantity], int]:
    form, wanted = predictions.target.form, predictions.target.primary
    if form in ("multilabel", "regression"):
        values = value_rows(predictions, labels, groups)
        resamples = Resamples.of(values.units, draws, rng)
        if form == "regression":
            ranked = not only_primary or wanted == "spearman"
            return value_quantities(values, resamples, ranked=ranked), resamples.units
        found = label_quantities(values, resamples)
        if not len(values.truth) or (only_primary and _holds(found, wanted)):
            return found, resamples.units
        found += [*label_rank_quantities(values, resamples), label_calibration(values, resamples)]
        return found, resamples.units
    rows = class_rows(predictions, labels, groups)
    resamples = Resamples.of(rows.units, draws, rng)
    found = class_quantities(rows, resamples)
    if not len(rows.truth) or (only_primary and _holds(found, wanted)):
        return found, resamples.units
    found.append(calibration_quantity(rows, resamples))
    if form == "token":
        found += [*symbol_rank_quantities(rows, resamples), sequence_quantity(rows, resamples)]
    else:
        found += rank_quantities(rows, resamples)
    return found, resamples.units


def _holds(found: list[Quantity], name: str) -> bool:
    return any(item.name == name and not item.of for item in found)


def primary(figures: list[Figure], target: Target) -> Figure:
    """The figure that decides. Raises StopIteration where there is none."""
    return next(figure for figure in figures if figure.name == target.primary and not figure.of)
