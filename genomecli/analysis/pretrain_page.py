"""The page of a pretraining run, made of the files in its folder. Equal files give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genomecli.analysis import captions
from genomecli.analysis.drawing_data import Drawing
from genomecli.analysis.drawn import page_figure
from genomecli.analysis.figures.curves import DataCurve, DataPanel, data_figure
from genomecli.analysis.figures.pretraining import LanguagePanel, loss_figure, perplexity_figure
from genomecli.analysis.figures.style import settle, svg_bytes
from genomecli.analysis.pages import PageFigure, count_text, render
from genomecli.analysis.pretrain_story import (
    YARDSTICK_WORDS,
    groups_table,
    in_order,
    languages_table,
    network_table,
    objectives_table,
    run_notes,
    run_verdict,
    settings_table,
)
from genomecli.analysis.probe import LEFT_OUT, SYNONYMS
from genomecli.analysis.runs import read_probes
from genomecli.files import read_json
from genomecli.training.metrics import read_metrics

PAGE = "index.html"

PANELS_DRAWN = 12
"""Languages beyond these are in the table alone."""

SECTIONS = (
    ("results", "Results"),
    ("training", "Training"),
    ("data", "Data"),
    ("settings", "Settings"),
    ("method", "Method"),
    ("limits", "Limits"),
    ("files", "Files"),
)

_ENDPOINTS = {LEFT_OUT: "left-out amino acids", SYNONYMS: "synonymous codons"}

Rows = Sequence[Mapping[str, Any]]


def write_run_page(folder: Path) -> None:
    """Write ``index.html`` of a run that has come to its end.

    Args:
        folder: with ``summary.json``, ``config.json``, ``metrics.jsonl`` and perhaps ``yardsticks.json``.
    """
    (folder / PAGE).write_text(run_page(folder), encoding="utf-8")


def run_page(folder: Path) -> str:
    """The page as HTML."""
    summary, config = read_json(folder / "summary.json"), read_json(folder / "config.json")
    figures = [_shown(drawing) for drawing in run_drawings(folder, summary)]
    return render(
        "pretrain.html.j2",
        {
            "title": "What the network has learned",
            "kind": "pretrained model",
            "subtitle": _subtitle(summary, config["pretrain"]["model"]),
            "sections": SECTIONS,
            "verdict": run_verdict(summary),
            "notes": run_notes(summary),
            "languages": languages_table(summary),
            "objectives": objectives_table(summary),
            "groups": groups_table(summary),
            "network": network_table(summary),
            "settings": settings_table(config),
            "results": [figure for figure in figures if figure.name in ("perplexity", "probes")],
            "losses": [figure for figure in figures if figure.name == "losses"],
            "relation": summary["reading"]["relation"],
            "yardsticks": YARDSTICK_WORDS.items(),
        },
    )


def _shown(drawing: Drawing) -> PageFigure:
    figure = drawing.draw()
    settle(figure)
    return page_figure(drawing, svg_bytes(figure), ())


def _subtitle(summary: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    size = f"{model['layers']} layers, width {model['width']}, {count_text(summary['parameters']['total'])}"
    preset = f"preset {model['preset']}" if model.get("preset") else "sizes of its own"
    return f"{preset}: {size} weights · corpus {summary['corpus']['name']} · seed {summary['seed']}"


def run_drawings(folder: Path, summary: Mapping[str, Any]) -> list[Drawing]:
    """The figures of a run, those for which there are data."""
    rows = read_metrics(folder / "metrics.jsonl")
    found = [_perplexity(rows, summary), _probes(folder), _losses(rows, summary)]
    return [drawing for drawing in found if drawing is not None]


def _perplexity(rows: Rows, summary: Mapping[str, Any]) -> Drawing | None:
    languages = summary["languages"]
    panels = []
    for name in sorted(languages)[:PANELS_DRAWN]:
        steps = [(row["step"], row.get("languages", {}).get(name, {}).get("perplexity")) for row in rows]
        points = [(float(step), value) for step, value in steps if value is not None]
        if points:
            panels.append(LanguagePanel(name, points, in_order(languages[name]["yardsticks"])))
    if not panels:
        return None
    title = "Perplexity of hidden tokens along training"
    more = len(languages) - len(panels)
    caption = captions.PERPLEXITY + (f" {more} more languages are in the table alone." if more else "")
    alone = len(panels) == 1
    return Drawing("perplexity", title, caption, lambda: perplexity_figure(panels, title=title), narrow=alone)


def _losses(rows: Rows, summary: Mapping[str, Any]) -> Drawing | None:
    def points(kind: str, key: str) -> list[tuple[float, float]]:
        return [(row["step"], row[key]) for row in rows if row["kind"] == kind and row.get(key) is not None]

    train, valid, rate = points("train", "loss"), points("validation", "loss"), points("train", "lr")
    if not (train or valid):
        return None
    best = summary["best"]["step"] if summary["best"]["loss"] is not None else None
    title = "Losses and learning rate"
    return Drawing(
        "losses", title, captions.LOSSES, lambda: loss_figure(train, valid, rate, best, title=title)
    )


def _probes(folder: Path) -> Drawing | None:
    points = read_probes(folder)
    depth = max((point.layer for point in points), default=0) or 1
    panels = []
    for species, endpoint in sorted({(point.species, point.endpoint) for point in points}):
        mine = [point for point in points if (point.species, point.endpoint) == (species, endpoint)]
        curves = []
        for layer in sorted({point.layer for point in mine}):
            told = sorted((float(point.step), point.value) for point in mine if point.layer == layer)
            x, y = zip(*told, strict=True)
            curves.append(DataCurve(f"layer {layer}", x, y, layer / depth))
        title = f"{species}: {_ENDPOINTS.get(endpoint, endpoint)}"
        panels.append(DataPanel(title, tuple(curves), 0.0, 0.0))
    if not panels:
        return None
    title = "MRR along training"

    def draw() -> Any:
        return data_figure(panels, title=title, xlabel="optimiser step", logarithmic=False)

    return Drawing("probes", title, captions.PROBES, draw)
