"""The curves of a run as one PNG: loss, learning rate, speed, perplexity by language, and probes.

Drawn from ``metrics.jsonl`` and, for the speed, ``speed.jsonl``. What is equal in equal runs is in
``curves.png``; speeds are drawn into ``speed.png`` beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genomecli.files import atomic_path

Rows = Sequence[Mapping[str, Any]]
Yardsticks = Mapping[str, Mapping[str, float]]
"""Language to name of a reference model to its perplexity."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe and Ito's palette, told apart with any colour vision."""
STYLES = ("--", ":", "-.")
MARKERS = (".", "x", "^", "s", "+", "v", "D", "*")
"""One a round through the colours, so that up to 64 lines are told apart."""

FEW = 8
"""Entries of a legend that fit inside a panel; more stand beside it."""

TALL = 24
"""Entries that one column of a legend beside a panel has room for."""

KEY, LETTER = 0.5, 0.06
"""Inches that such a column takes for the keys and the gaps, and for each letter of its longest name."""

MARKED = 30
"""Points of a line up to which each has a marker; of more, about every second, third, ... one."""


def draw_curves(
    path: Path, rows: Rows, yardsticks: Yardsticks | None = None, loss: str = "loss (nats a target)"
) -> None:
    """Draw the figures of ``metrics.jsonl``, a panel a figure: the losses of a single target are the loss.

    Args:
        path: the PNG; replaced if it exists.
        rows: lines of the file: kinds ``train``, ``validation`` and ``probe``.
        yardsticks: perplexities to draw as level lines, each in its language's colour: of the first reference
            models, as many as there are STYLES, and of none where there are more languages than COLOURS.
        loss: what the loss is.
    """
    panels = [_loss, _rate]
    targets = [row["targets"] for row in _of(rows, "validation") if "targets" in row]
    if not targets:
        panels.append(_perplexity)
    elif max(map(len, targets)) > 1:
        panels.append(_targets)
    panels += [_probes] if _of(rows, "probe") else []
    figure = _figure(len(panels))
    for axes, panel in zip(figure.axes, panels, strict=True):
        panel(axes, rows, yardsticks or {})
        _steps(axes, rows)
    figure.axes[0].set_title(loss)
    # Names beside a panel get room of their own, so that the panels keep theirs.
    figure.set_figwidth(figure.get_figwidth() + sum(map(_beside, figure.axes)))
    _save(figure, path)


def draw_speed(path: Path, rows: Rows) -> None:
    """Draw the lines of ``speed.jsonl``: real tokens a second by step."""
    figure = _figure(1)
    axes = figure.axes[0]
    _line(axes, rows, "tokens_per_second", color=COLOURS[0])
    axes.set_ylim(bottom=0)
    axes.set_title("real tokens a second")
    _steps(axes, rows)
    _save(figure, path)


def _figure(panels: int) -> Any:
    from matplotlib.figure import Figure

    columns = min(3 if panels == 3 else 2, panels)
    figure = Figure(figsize=(5.5 * columns, 3.8 * -(-panels // columns)), layout="constrained")
    for number in range(panels):
        axes = figure.add_subplot(-(-panels // columns), columns, number + 1)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _steps(axes: Any, rows: Rows) -> None:
    """Whole steps from 0 on; heights from 0 too, where a line would be but a point."""
    from matplotlib.ticker import MaxNLocator

    last = max((row["step"] for row in rows), default=1)
    axes.set_xlim(0, 1.04 * last)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("optimiser step")
    lines = [line for line in axes.lines if len(line.get_xdata())]
    if lines and all(len(line.get_xdata()) < 2 or line.get_linestyle() != "-" for line in lines):
        axes.set_ylim(0, 1.05 * max(float(max(line.get_ydata())) for line in lines))


def _save(figure: Any, path: Path) -> None:
    with atomic_path(path, force=True) as temporary:
        figure.savefig(temporary, dpi=130, metadata={"Software": None})


def _of(rows: Rows, kind: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if row.get("kind") == kind]


def _line(axes: Any, rows: Rows, key: str, **style: Any) -> None:
    """One line over the steps. What is missing or no finite number is left out: no axis could hold it."""
    values = [(row["step"], row.get(key)) for row in rows]
    points = [(step, value) for step, value in values if value is not None and math.isfinite(value)]
    if points:
        marker = {"marker": "." if len(points) < MARKED else None, "markevery": -(-len(points) // MARKED)}
        axes.plot(*zip(*points, strict=True), **{**marker, **style})


def _loss(axes: Any, rows: Rows, yardsticks: Yardsticks) -> None:
    _line(axes, _of(rows, "train"), "loss", color=COLOURS[0], label="training")
    _line(axes, _of(rows, "validation"), "loss", color=COLOURS[1], label="validation")
    _legend(axes)


def _rate(axes: Any, rows: Rows, yardsticks: Yardsticks) -> None:
    _line(axes, _of(rows, "train"), "lr", color=COLOURS[2])
    axes.set_title("learning rate")


def _perplexity(axes: Any, rows: Rows, yardsticks: Yardsticks) -> None:
    measured = _of(rows, "validation")
    languages = sorted({name for row in measured for name in row.get("languages", {})})
    references = list(dict.fromkeys(name for language in languages for name in yardsticks.get(language, {})))
    told_apart = len(languages) <= len(COLOURS)  # a colour for each, or nobody knows whose a reference is
    styles = dict(zip(references if told_apart else (), STYLES, strict=False))
    for number, language in enumerate(languages):
        points = [{"step": r["step"], **r["languages"].get(language, {})} for r in measured]
        _line(axes, points, "perplexity", label=language, **_look(number))
        for name, style in styles.items():
            value = yardsticks.get(language, {}).get(name, math.nan)
            if math.isfinite(value):
                axes.axhline(value, color=_look(number)["color"], linestyle=style, linewidth=0.9)
    for name, style in styles.items():  # a colour is a language, a style a reference: each is named once
        axes.plot([], [], color="#666666", linestyle=style, linewidth=0.9, label=name)
    axes.set_title("validation perplexity")
    _legend(axes)


def _targets(axes: Any, rows: Rows, yardsticks: Yardsticks) -> None:
    measured = _of(rows, "validation")
    names = sorted({name for row in measured for name in row["targets"]})
    for number, name in enumerate(names):
        points = [{"step": row["step"], **row["targets"].get(name, {})} for row in measured]
        _line(axes, points, "loss", label=name, **_look(number))
    axes.set_title("validation loss by target")
    _legend(axes)


def _probes(axes: Any, rows: Rows, yardsticks: Yardsticks) -> None:
    probed = _of(rows, "probe")
    names = sorted({key for row in probed for key in row} - {"kind", "step"})
    for number, name in enumerate(names):
        _line(axes, probed, name, label=name, **_look(number))
    axes.set_title("probes")
    _legend(axes)


def _look(number: int) -> dict[str, Any]:
    """Colour of a line, and from the second round through the colours on a marker."""
    found: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)]}
    if number >= len(COLOURS):
        found["marker"] = MARKERS[number // len(COLOURS) % len(MARKERS)]
        found["markersize"] = 4
    return found


def _legend(axes: Any) -> None:
    """Names of the lines: inside the panel, or beside it where they would cover it."""
    entries = len(axes.get_legend_handles_labels()[0])
    if not entries:
        return
    place: dict[str, Any] = {}
    if entries > FEW:
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
        place["ncols"] = _columns(entries)
    axes.legend(fontsize=7, framealpha=0.8, edgecolor="none", **place)


def _columns(entries: int) -> int:
    """Columns of a legend beside a panel."""
    return -(-entries // TALL)


def _beside(axes: Any) -> float:
    """Inches that the names beside a panel take; 0 where they stand inside."""
    names = axes.get_legend_handles_labels()[1]
    if len(names) <= FEW:
        return 0.0
    return _columns(len(names)) * (KEY + LETTER * max(map(len, names)))
