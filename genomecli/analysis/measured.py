"""Scores against measured values: Spearman's correlation with intervals, beside baselines of no network.

Mutants of one place are no independent observations, so the bootstrap draws places, with all their mutants.
Rows that lack the measured value, or any of the scores that are compared, are left out of all, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genomecli.analysis.arrays import Floats
from genomecli.analysis.statistics import Interval, percentiles


@dataclass(frozen=True)
class Agreement:
    """How well scores rank measured values.

    Args:
        rows: that were compared.
        left_out: that lack a value.
        places: groups of rows that were resampled.
        spearman: by name of the score, the model's first.
        gain: the model's correlation minus that of each baseline, on the same draws.
    """

    rows: int
    left_out: int
    places: int
    spearman: Mapping[str, Interval]
    gain: Mapping[str, Interval]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN is null."""

        def plain(found: Mapping[str, Interval]) -> dict[str, Any]:
            return {
                name: {key: _number(getattr(i, key)) for key in ("value", "low", "high", "level")}
                for name, i in found.items()
            }

        return {
            "rows": self.rows,
            "left_out": self.left_out,
            "places": self.places,
            "spearman": plain(self.spearman),
            "gain": plain(self.gain),
        }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def agreement(
    measured: Floats,
    scores: Mapping[str, Floats],
    places: Sequence[str],
    rng: np.random.Generator,
    *,
    draws: int = 1000,
) -> Agreement:
    """Compare scores with measured values.

    Args:
        measured: float64[n], NaN where not known.
        scores: by name float64[n], NaN where there is none; the model's first. One without any value is
            left out.
        places: n names; rows of one name are resampled together.
        rng: source of randomness.
        draws: resamples.
    """
    used = {name: values for name, values in scores.items() if not np.isnan(values).all()}
    whole = ~np.isnan(measured)
    for values in used.values():
        whole &= ~np.isnan(values)
    kept = np.flatnonzero(whole)
    names, group = np.unique(np.asarray(places)[kept], return_inverse=True)
    truth, found = measured[kept], {name: values[kept] for name, values in used.items()}
    value = {name: spearman(values, truth) for name, values in found.items()}
    drawn: dict[str, list[float]] = {name: [] for name in found}
    members = [np.flatnonzero(group == i) for i in range(len(names))]
    for _ in range(draws if len(names) > 1 else 0):
        rows = np.concatenate([members[i] for i in rng.integers(0, len(names), len(names))])
        for name, values in found.items():
            drawn[name].append(spearman(values[rows], truth[rows]))
    model = next(iter(found), None)
    gains = {
        name: percentiles(np.subtract(drawn[model], drawn[name]), value[model] - value[name])
        for name in found
        if model is not None and name != model
    }
    intervals = {name: percentiles(drawn[name], value[name]) for name in found}
    return Agreement(len(kept), len(measured) - len(kept), len(names), intervals, gains)


def spearman(left: Floats, right: Floats) -> float:
    """Spearman's correlation of float64[n] and float64[n]; NaN where one of them does not vary."""
    from scipy.stats import rankdata

    if len(left) < 2:
        return float("nan")
    a, b = (rankdata(values) - (len(values) + 1) / 2 for values in (left, right))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else float("nan")


def sentences(found: Agreement) -> list[str]:
    """What the comparison says, the conclusion first."""
    if not found.spearman:
        return ["no row has both a score and a measured value"]
    model, interval = next(iter(found.spearman.items()))
    said = [f"Spearman of {model} with the measured values: {_shown(interval)}, {found.rows} rows"]
    said += [f"  {name}: {_shown(i)}" for name, i in found.spearman.items() if name != model]
    said = [*_verdict(interval, found.gain), *said]
    if found.left_out:
        said.append(f"  {found.left_out} rows without a score or a measured value are left out")
    return said


def _verdict(interval: Interval, gain: Mapping[str, Interval]) -> list[str]:
    """What the intervals do not allow to claim; nothing where the model beats all baselines."""
    verdict = []
    if np.isnan(interval.low):
        return ["There are too few places for an interval."]
    if interval.low <= 0:
        verdict.append("The scores are not shown to rank the measured values: the interval includes 0.")
    worse = [name for name, difference in gain.items() if difference.high < 0]
    equal = [name for name, difference in gain.items() if difference.low <= 0 <= difference.high]
    if worse:
        verdict.append(f"The model ranks them worse than {' and '.join(worse)}.")
    if equal:
        verdict.append(f"The model is not shown to beat {' or '.join(equal)}.")
    return verdict


def _shown(interval: Interval) -> str:
    if np.isnan(interval.low):
        return f"{interval.value:.3f}"
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def read_scores(table: Path) -> dict[str, list[str]]:
    """Columns of a table of scores as text."""
    import csv

    with open(table, encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        columns: dict[str, list[str]] = {name: [] for name in rows.fieldnames or ()}
        for row in rows:
            for name, cell in row.items():
                columns[name].append(cell)
    return columns


def numbers(cells: Sequence[str]) -> Floats:
    """float64[n]; NaN for an empty cell."""
    return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
