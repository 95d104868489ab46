"""Models side by side: one bar each with its interval, one panel a figure of merit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomecli.analysis.figures.style import (
    GREY,
    INK,
    OKABE_ITO,
    house_style,
    light_grid,
    new_figure,
    shorten,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BASELINE = "#b8bec4"


@dataclass(frozen=True)
class ModelBar:
    """A model's figure.

    Args:
        model: its name.
        value: NaN where it has none.
        low: lower end of its interval, NaN without one.
        high: upper end.
        baseline: drawn grey.
    """

    model: str
    value: float
    low: float
    high: float
    baseline: bool


def models_figure(
    panels: Sequence[tuple[str, Sequence[ModelBar]]], *, title: str, columns: int = 3
) -> Figure:
    """Draw the panels, best bar not singled out: the order of models is the same in all.

    Args:
        panels: name of the figure of merit, and a bar a model.
        title: of the whole.
        columns: panels in a row.
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    names = [bar.model for bar in panels[0][1]]
    with house_style():
        size = (3.0 * columns + 1.4, (0.42 * len(names) + 1.0) * rows + 0.7)
        figure, grid = new_figure(*size, rows=rows, columns=columns, sharey=True)
        for number, axes in enumerate(grid.flat):
            if number >= len(panels):
                axes.set_visible(False)
                continue
            _draw(axes, *panels[number])
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure  # type: ignore[no-any-return]


def _draw(axes: Axes, name: str, bars: Sequence[ModelBar]) -> None:
    for place, bar in enumerate(bars):
        if bar.value != bar.value:
            axes.annotate("none", (0, place), (4, 0), textcoords="offset points", va="center", color=GREY)
            continue
        axes.barh(place, bar.value, height=0.62, color=BASELINE if bar.baseline else OKABE_ITO[0])
        if bar.low == bar.low:
            axes.plot([bar.low, bar.high], [place, place], color=INK, lw=1.6, solid_capstyle="butt")
        # Figures stand beside the panel, where no bar or interval crosses them.
        axes.annotate(
            f"{bar.value:.3g}" if abs(bar.value) >= 10 else f"{round(bar.value, 2) + 0.0:.2f}",
            (1.02, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9,
        )
    axes.set_yticks(range(len(bars)), [shorten(bar.model, 24) for bar in bars])
    axes.set_ylim(len(bars) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.set_title(name, fontsize=10.5)
    _limits(axes, bars)
    light_grid(axes, "x")
    axes.axvline(0, color=GREY, lw=0.8)


def _limits(axes: Axes, bars: Sequence[ModelBar]) -> None:
    """From 0 (or below) to 1, or to the longest bar of what is not bounded by 1."""
    ends = [end for bar in bars for end in (bar.value, bar.low, bar.high) if end == end]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    top = 1.0 if high <= 1.0 else high + 0.03 * (high - low)
    axes.set_xlim(low - (0.03 * (top - low) if low < 0 else 0.0), top)
    axes.locator_params(axis="x", nbins=4)
