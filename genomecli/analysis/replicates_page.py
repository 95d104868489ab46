"""The page on top of pretraining runs that differ by their seed alone: how much their figures differ."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genomecli.analysis import captions
from genomecli.analysis.drawing_data import Drawing
from genomecli.analysis.drawn import page_figure
from genomecli.analysis.figures.seeds import seeds_figure
from genomecli.analysis.figures.style import settle, svg_bytes
from genomecli.analysis.pages import PageFigure, PageTable, count_text, render
from genomecli.analysis.pretrain_page import PAGE
from genomecli.analysis.pretrain_story import RunVerdict, in_order
from genomecli.files import read_json
from genomecli.training.metrics import read_metrics

SECTIONS = (("results", "Results"), ("runs", "The runs"), ("limits", "Limits"), ("files", "Files"))

Summaries = Mapping[str, Mapping[str, Any]]


def write_replicates_page(folder: Path) -> None:
    """Write ``index.html`` of a folder of replicates.

    Args:
        folder: with ``summary.json`` and a finished run a seed.
    """
    (folder / PAGE).write_text(replicates_page(folder), encoding="utf-8")


def replicates_page(folder: Path) -> str:
    """The page as HTML. Equal files give equal bytes."""
    runs: Summaries = read_json(folder / "summary.json")["runs"]
    first = next(iter(runs.values()))
    return render(
        "replicates.html.j2",
        {
            "title": "What the network has learned, seed by seed",
            "kind": "pretrained models",
            "subtitle": f"{len(runs)} runs with seeds of their own · corpus {first['corpus']['name']}",
            "sections": SECTIONS,
            "verdict": seeds_verdict(runs),
            "languages": spread_table(runs),
            "runs": runs_table(runs),
            "links": [(name, f"{name}/{PAGE}") for name in runs],
            "figures": _figures(folder, runs),
        },
    )


def seeds_verdict(runs: Summaries) -> RunVerdict:
    """In how many runs the network beats the simple models, and how far their losses lie apart."""
    measured = {name: run for name, run in runs.items() if _judged(run)}
    beaten = [name for name, run in measured.items() if not run["not_beaten"]]
    losses = [run["best"]["loss"] for run in runs.values() if run["best"]["loss"] is not None]
    further = (f"Lowest validation loss of each run: {spread_text(losses, 4)}.",) if losses else ()
    if not measured:
        return RunVerdict("No simple model could be held against the networks.", None, further)
    if len(beaten) == len(measured):
        return RunVerdict(f"In all {len(measured)} runs the network beats every simple model.", True, further)
    lost = ", ".join(name for name in measured if name not in beaten)
    what = "the network beats every simple model"
    if not beaten:
        return RunVerdict(f"In none of the {len(measured)} runs {what}.", False, further)
    told = f"In {len(beaten)} of {len(measured)} runs {what}; not in {lost}."
    return RunVerdict(told, False, further)


def _judged(run: Mapping[str, Any]) -> bool:
    return any(values["yardsticks"] for values in run["languages"].values())


def spread_text(values: Sequence[float], digits: int = 2) -> str:
    """Mean and sample standard deviation of n values, and their range; where all are one value, that."""
    mean = statistics.fmean(values)
    if len(set(values)) == 1:
        return f"{mean:.{digits}f}"
    spread = statistics.stdev(values)
    low, high = min(values), max(values)
    return f"{mean:.{digits}f} ± {spread:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def spread_table(runs: Summaries) -> PageTable:
    """Perplexity of each language over the runs, simple models beside it."""
    languages = list(dict.fromkeys(name for run in runs.values() for name in run["languages"]))
    told = [run["languages"][name] for run in runs.values() for name in languages if name in run["languages"]]
    simple = list(in_order({name: 0.0 for values in told for name in values["yardsticks"]}))
    rows = []
    for language in languages:
        values = [run["languages"][language] for run in runs.values() if language in run["languages"]]
        cells = [[value["yardsticks"].get(name) for value in values] for name in simple]
        rows.append([language, _cell([value["perplexity"] for value in values]), *map(_cell, cells)])
    caption = (
        "Perplexity of hidden tokens in held-out records, lower is better: mean ± standard deviation over "
        "seeds (range)."
    )
    return PageTable(caption, ("language", "network", *simple), rows)


def _cell(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return spread_text(known) if known else "–"


def runs_table(runs: Summaries) -> PageTable:
    """A row a run."""
    languages = list(dict.fromkeys(name for run in runs.values() for name in run["languages"]))
    rows = []
    for name, run in runs.items():
        best = run["best"]
        perplexities = [run["languages"].get(language, {}).get("perplexity") for language in languages]
        rows.append(
            [
                *(name, count_text(run["steps"]), "–" if best["loss"] is None else f"{best['loss']:.4f}"),
                *(count_text(best["step"]), *(_cell([value]) for value in perplexities)),
            ]
        )
    heads = ("run", "steps", "lowest validation loss", "at step", *languages)
    return PageTable("Each run, with the perplexity of each language.", heads, rows)


def _figures(folder: Path, runs: Summaries) -> list[PageFigure]:
    losses = {}
    for name in runs:
        rows = read_metrics(folder / name / "metrics.jsonl")
        points = [(row["step"], row["loss"]) for row in rows if row["kind"] == "validation" and "loss" in row]
        kept = [(step, loss) for step, loss in points if loss is not None]
        if kept:
            losses[name] = kept
    if not losses:
        return []
    title = "Validation loss, seed by seed"
    drawing = Drawing("seeds", title, captions.SEEDS, lambda: seeds_figure(losses, title=title), narrow=True)
    figure = drawing.draw()
    settle(figure)
    return [page_figure(drawing, svg_bytes(figure), ())]
