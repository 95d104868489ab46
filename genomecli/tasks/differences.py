"""Is one model better than another on the same rows? The difference of the primary figure, draw by draw.

Both models are judged on the same resamples, so what is hard for both cancels. Several seeds on one test part
are drawn with replacement along with the rows; the interval then holds both spreads (with few seeds a little
too narrow). Folds are resampled each for itself, and the mean over folds is compared.

Shapes: B draws, R replicates (seeds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genomecli.tasks.bootstrap import percentile_interval
from genomecli.tasks.examples import Floats, Ints, Labels
from genomecli.tasks.figure import Quantity, no_interval, too_few
from genomecli.tasks.metric_rows import shared
from genomecli.tasks.metrics import quantities, unit_names
from genomecli.tasks.plain_values import as_plain, built
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.settings import MetricSettings


@dataclass(frozen=True)
class Paired:
    """Predictions of two models on the rows of one test part.

    Args:
        ours: of the model in question, one for each seed.
        theirs: of the other model; as many, or one for all seeds.
        labels: of the same rows.
        groups: int64[n], groups that are drawn whole; None: each row by itself.
    """

    ours: tuple[Predictions, ...]
    theirs: tuple[Predictions, ...]
    labels: Labels
    groups: Ints | None = None


@dataclass(frozen=True)
class Difference:
    """The primary figure of one model less that of another, with its interval.

    Args:
        metric: name of the figure.
        model: name of the model in question; may be empty.
        other: name of the other.
        ours: its figure, mean over seeds or folds.
        theirs: that of the other.
        value: ours less theirs.
        low: lower end of the interval; NaN without one.
        high: upper end.
        level: its coverage.
        n: labelled rows (symbols, for token targets) that both models predict.
        note: what must be said; may be empty.
        units: rows, sequences or groups that were drawn, of all folds together; 0 where that is not known.
    """

    metric: str
    model: str
    other: str
    ours: float
    theirs: float
    value: float
    low: float
    high: float
    level: float
    n: int
    note: str = ""
    units: int = 0

    @property
    def better(self) -> bool | None:
        """True if the interval lies above 0, False if it does not; None where there is no interval."""
        return None if np.isnan(self.low) else bool(self.low > 0)

    @property
    def worse(self) -> bool:
        """Whether the interval lies below 0."""
        return bool(self.high < 0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: None where there is no number."""
        found: dict[str, Any] = as_plain(self)
        return found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Difference:
        """The inverse of :meth:`to_dict`."""
        found: Difference = built(cls, values)
        return found


def paired_difference(
    parts: Sequence[Paired],
    settings: MetricSettings,
    rng: np.random.Generator,
    *,
    names: tuple[str, str] = ("", ""),
) -> Difference:
    """Compare two models by the figure that decides for their kind of target.

    Rows that one of them does not predict count for neither. Equal predictions of all rows have no
    correlation; they explain nothing, and count as 0.

    Args:
        parts: one for a single test part, one a fold otherwise.
        settings: number of resamples, coverage.
        rng: source of randomness.
        names: of the two models.

    Raises:
        ValueError: if there is no part.
    """
    if not parts:
        raise ValueError("nothing to compare")
    metric = parts[0].ours[0].target.primary
    found = [_compared(part, metric, settings.bootstrap, rng) for part in parts]
    ours, theirs = (float(np.mean([each.values[at] for each in found])) for at in (0, 1))
    low = high = float("nan")
    units = sum(each.units for each in found)
    if all(len(each.draws) for each in found) and not too_few(units):
        low, high = percentile_interval(np.mean([each.draws for each in found], axis=0), settings.level)
    n, level = sum(each.n for each in found), settings.level
    note = "; ".join(sorted({each.note for each in found if each.note}))
    if np.isnan(low) and settings.bootstrap and too_few(units):
        why = no_interval(units, unit_names(parts[0].ours[0], parts[0].groups))
        note = f"{why}; {note}" if note else why
    elif np.isnan(low) and not note:
        asked = settings.bootstrap > 0
        note = "a fold has too few rows or groups" if asked else "no resamples were asked for"
    return Difference(metric, *names, ours, theirs, ours - theirs, low, high, level, n, note, units)


@dataclass(frozen=True)
class _Compared:
    """Both figures of one part, draws of their difference (none if a model has no figure), rows, a note,
    units drawn."""

    values: tuple[float, float]
    draws: Floats
    n: int
    note: str
    units: int


def _compared(part: Paired, metric: str, draws: int, rng: np.random.Generator) -> _Compared:
    every = shared(*part.ours, *part.theirs)
    seed = int(rng.integers(0, 2**62))
    judged = [_primary(found, part, metric, draws, seed) for found in every]
    ours, theirs = judged[: len(part.ours)], judged[len(part.ours) :]
    values = (_mean(ours), _mean(theirs))
    note = "; ".join(sorted({item.note for item in judged if item.note}))
    if any(len(item.draws) == 0 for item in judged):
        return _Compared(values, np.zeros(0), judged[0].n, note, judged[0].units)
    count = min(len(item.draws) for item in judged)
    left, right = (np.stack([item.draws[:count] for item in side]) for side in (ours, theirs))
    chosen = rng.integers(0, len(left), (len(left), count))
    # The same seed of both models, where each of ours has its counterpart.
    others = chosen if len(left) == len(right) else rng.integers(0, len(right), (len(right), count))
    columns = np.arange(count)
    gaps = left[chosen, columns].mean(axis=0) - right[others, columns].mean(axis=0)
    return _Compared(values, gaps, judged[0].n, note, judged[0].units)


def _mean(judged: Sequence[Quantity]) -> float:
    return float(np.mean([item.value for item in judged]))


def _primary(predictions: Predictions, part: Paired, metric: str, draws: int, seed: int) -> Quantity:
    rng = np.random.default_rng(seed)
    found = quantities(predictions, part.labels, draws, rng, part.groups, only_primary=True)
    first = next((item for item in found if item.name == metric and not item.of), found[0])
    if metric in ("pearson", "spearman") and np.isnan(first.value) and "predictions are equal" in first.note:
        said = "equal predictions of all rows count as correlation 0"
        return Quantity(metric, 0.0, first.n, np.zeros(draws), note=said, units=first.units)
    # The first figure says which rows were left out.
    return replace(first, note=first.note or found[0].note)
