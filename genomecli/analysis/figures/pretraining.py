"""Perplexity along pretraining, one panel a language, and the losses with the learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genomecli.analysis.figures.style import (
    GREY,
    OKABE_ITO,
    house_style,
    light_grid,
    new_figure,
    short_number,
    shorten,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = Sequence[tuple[float, float]]
"""(optimiser step, value) pairs, steps rising."""

_STYLES = ("--", ":", "-.", (0, (1, 3)))


@dataclass(frozen=True)
class LanguagePanel:
    """The perplexity of one language.

    Args:
        title: its name.
        points: of the network, along training.
        levels: perplexities of simple models, by name.
    """

    title: str
    points: Points
    levels: Mapping[str, float]


def perplexity_figure(panels: Sequence[LanguagePanel], *, title: str, columns: int = 3) -> Figure:
    """Draw the panels in rows of ``columns``, perplexities on logarithmic axes of their own, one legend."""
    columns = 2 if len(panels) == 4 else min(columns, len(panels))
    rows = -(-len(panels) // columns)
    with house_style():
        figure, grid = new_figure(
            max(6.4, 3.7 * columns + 0.4), 2.9 * rows + 1.2, rows=rows, columns=columns, sharex=True
        )
        handles: dict[str, object] = {}
        for number, axes in enumerate(grid.flat):
            if number >= len(panels):
                axes.set_visible(False)
                continue
            handles.update(_draw(axes, panels[number]))
            if number % columns == 0:
                axes.set_ylabel("perplexity")
            if number + columns >= len(panels):
                axes.set_xlabel("optimiser step")
                axes.tick_params(labelbottom=True)
        _finish(figure, handles, title)
    return figure  # type: ignore[no-any-return]


def _draw(axes: Axes, panel: LanguagePanel) -> dict[str, object]:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    handles: dict[str, object] = {}
    (handles["network"],) = axes.plot(*_columns(panel.points), color=OKABE_ITO[0], **_dots(panel.points))
    for style, colour, (name, value) in zip(_STYLES, OKABE_ITO[1:], panel.levels.items(), strict=False):
        handles[name] = axes.axhline(value, color=colour, linestyle=style, linewidth=1.6, zorder=1)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(short_number))
    axes.yaxis.set_minor_locator(MaxNLocator(1))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, place: ""))
    axes.xaxis.set_major_formatter(FuncFormatter(short_number))
    axes.set_title(shorten(panel.title, 30), fontsize=10.5)
    light_grid(axes)
    return handles


def loss_figure(train: Points, valid: Points, rate: Points, best: int | None, *, title: str) -> Figure:
    """Draw the losses, and the learning rate beside them.

    Args:
        train: training loss.
        valid: validation loss.
        rate: learning rate.
        best: step of the weights that are kept as the best; None if it is not known.
        title: heading in plain words.
    """
    with house_style():
        figure, grid = new_figure(9.6, 4.2, columns=2, width_ratios=(1.6, 1))
        left, right = grid[0]
        handles: dict[str, object] = {}
        for name, points, colour in (("training", train, OKABE_ITO[0]), ("validation", valid, OKABE_ITO[1])):
            if points:
                (handles[name],) = left.plot(*_columns(points), color=colour, **_dots(points))
        if best is not None:
            handles["best checkpoint"] = left.axvline(best, color=GREY, lw=1.2, ls="--", zorder=0)
        left.set_ylabel("loss (nats a target)")
        if rate:
            right.plot(*_columns(rate), color=OKABE_ITO[2], **_dots(rate))
        right.set_ylabel("learning rate")
        right.set_ylim(bottom=0)
        for axes in (left, right):
            axes.set_xlabel("optimiser step")
            light_grid(axes)
        _finish(figure, handles, title)
    return figure  # type: ignore[no-any-return]


def _finish(figure: Figure, handles: Mapping[str, object], title: str) -> None:
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
    if handles:
        shown: list[Any] = list(handles.values())
        figure.legend(shown, list(handles), loc="outside lower center", ncols=min(4, len(handles)))


def _columns(points: Points) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _dots(points: Points) -> dict[str, Any]:
    """Dots where points are few, so that a single one is seen."""
    return {"marker": "o", "markersize": 4} if len(points) < 30 else {}
