"""Runs that differ by their seed alone: their validation losses along training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from genomecli.analysis.figures.style import (
    GREY,
    OKABE_ITO,
    house_style,
    light_grid,
    new_figure,
    short_number,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMED = len(OKABE_ITO)
"""With more runs than this, all lines are grey and none is named."""


def seeds_figure(losses: Mapping[str, Sequence[tuple[float, float]]], *, title: str) -> Figure:
    """Draw one line a run.

    Args:
        losses: (step, loss) of each run, by its name.
        title: of the figure.
    """
    from matplotlib.ticker import FuncFormatter

    with house_style():
        figure, grid = new_figure(6.4, 4.2)
        axes = grid[0, 0]
        named = len(losses) <= NAMED
        for number, (name, points) in enumerate(losses.items()):
            x, y = zip(*points, strict=True)
            colour = OKABE_ITO[number] if named else GREY
            axes.plot(x, y, color=colour, marker="o", ms=4, lw=1.6, label=name if named else None)
        axes.set_xlabel("optimiser step")
        axes.set_ylabel("validation loss (nats a target)")
        axes.xaxis.set_major_formatter(FuncFormatter(short_number))
        light_grid(axes)
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
        if named:
            figure.legend(loc="outside lower center", ncols=min(4, len(losses)))
    return figure  # type: ignore[no-any-return]
