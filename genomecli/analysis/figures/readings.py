"""How much one text tells about another: the text itself beside readings that hold no code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genomecli.analysis.figures.style import GREY, OKABE_ITO, house_style, light_grid, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def readings_figure(
    names: Sequence[str], values: Sequence[float], *, spread: float, title: str, unit: str
) -> Figure:
    """Draw one bar a reading, the one in question first.

    Args:
        names: of the readings.
        values: of each.
        spread: standard deviation of the first.
        title: heading.
        unit: of the values.
    """
    figure: Figure
    with house_style():
        figure, grid = new_figure(8.2, 1.5 + 0.36 * len(names))
        axes = grid[0, 0]
        places = range(len(names))
        axes.barh(places, values, color=[OKABE_ITO[0], *[GREY] * (len(names) - 1)], height=0.68)
        axes.errorbar(values[0], 0, xerr=2 * spread, color="#1f1f1f", capsize=3, lw=1.2)
        axes.axvline(0, color="#4d4d4d", lw=0.8)
        axes.set_yticks(places, names, fontsize=9.5)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(unit)
        axes.set_title(title, pad=10)
        light_grid(axes, "x")
    return figure
