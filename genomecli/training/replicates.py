"""Runs that differ by their seed alone, and their summary: mean, spread and range of every figure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genomecli.files import atomic_path, write_json


def seeds_of(setting: int | Sequence[int] | None, base: int) -> list[int]:
    """The seeds of a run: ``base`` for None, ``base`` and those after it for a count, or those listed."""
    if setting is None:
        return [base]
    return list(range(base, base + setting)) if isinstance(setting, int) else list(setting)


def folder_name(seed: int) -> str:
    """Name of a replicate's folder."""
    return f"seed-{seed}"


def flat_numbers(values: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of nested mappings under dotted names, finite ones only."""
    flat: dict[str, float] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update(flat_numbers(value, f"{prefix}{key}."))
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            flat[f"{prefix}{key}"] = float(value)
    return flat


def spread(summaries: Mapping[int, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean, sample standard deviation (0 for one run), minimum and maximum of each figure that all runs have.

    Args:
        summaries: seed to ``summary.json`` of its run.
    """
    flats = [flat_numbers(summary) for summary in summaries.values()]
    shared = sorted(set.intersection(*(set(flat) for flat in flats)) - {"seed"}) if flats else []
    table = {}
    for name in shared:
        values = [flat[name] for flat in flats]
        table[name] = {
            "mean": statistics.fmean(values),
            "sd": statistics.stdev(values) if len(values) > 1 else 0.0,
            "min": min(values),
            "max": max(values),
        }
    return table


def write_spread(folder: Path, summaries: Mapping[int, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Write ``summary.json`` and ``summary.tsv`` (a row a figure, a column a seed) of replicates."""
    table = spread(summaries)
    runs = {folder_name(seed): summary for seed, summary in summaries.items()}
    write_json(folder / "summary.json", {"seeds": list(summaries), "figures": table, "runs": runs})
    header = ["figure", "mean", "sd", "min", "max", *(folder_name(seed) for seed in summaries)]
    rows = ["\t".join(header)]
    flats = {seed: flat_numbers(summary) for seed, summary in summaries.items()}
    for name, figures in table.items():
        values = [*figures.values(), *(flats[seed][name] for seed in summaries)]
        rows.append("\t".join([name, *(f"{value:.6g}" for value in values)]))
    with atomic_path(folder / "summary.tsv", force=True) as temporary:
        temporary.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return table
