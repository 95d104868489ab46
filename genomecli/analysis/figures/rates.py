"""ROC and precision-recall curves, and calibration: lines between 0 and 1, several models in one panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genomecli.analysis.figures.style import GREY, OKABE_ITO, house_style, light_grid, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_BROKEN: tuple[Any, ...] = ((0, (6, 2.5)), (1.5, (1.2, 2)), (4, (7, 2, 1.2, 2)), (0, (3, 4)), (7, (9, 5)))
"""Offset, and lengths of strokes and gaps, in widths of the line."""


@dataclass(frozen=True)
class RateLine:
    """A line.

    Args:
        label: its name in the legend; empty for none.
        x: float[n], 0 to 1.
        y: float[n], 0 to 1.
        colour: number of its colour.
        dashed: whether it belongs to a baseline that shares its colour with another line.
        size: rows at each point, drawn as dots; empty for none.
        pattern: 0 for a wide line below the others; those above it are thin and broken, each in its own way,
            so that of curves that coincide each is seen.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: int
    dashed: bool = False
    size: tuple[int, ...] = ()
    pattern: int = 0

    @property
    def style(self) -> tuple[Any, float]:
        """Line style of matplotlib, and width in points."""
        if self.pattern:
            return _BROKEN[(self.pattern - 1) % len(_BROKEN)], 1.7
        return ("--", 1.4) if self.dashed else ("-", 2.6)


@dataclass(frozen=True)
class RatePanel:
    """A panel of lines.

    Args:
        title: its heading.
        xlabel: of the axis.
        ylabel: of the axis.
        lines: that are drawn; the first ones on top, but for those with a pattern, which lie above.
        diagonal: draw the line from corner to corner.
    """

    title: str
    xlabel: str
    ylabel: str
    lines: tuple[RateLine, ...]
    diagonal: bool = False


def rates_figure(panels: Sequence[RatePanel], *, title: str) -> Figure:
    """Draw the panels side by side, each with its legend below."""
    longest = max(sum(bool(line.label) for line in panel.lines) for panel in panels)
    below = 0.24 * longest + 0.1
    with house_style():
        # Legends have a row of their own, since those beside square axes are not laid out.
        size = (4.6 * len(panels) + 0.6, 4.9 + below)
        ratios = {"height_ratios": [4.6, below]}
        figure, grid = new_figure(*size, rows=2, columns=len(panels), gridspec_kw=ratios)
        for axes, legend, panel in zip(*grid, panels, strict=True):
            _draw(axes, panel)
            legend.axis("off")
            handles, labels = axes.get_legend_handles_labels()
            legend.legend(handles, labels, loc="upper center", borderaxespad=0, fontsize=9, handlelength=3.4)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure  # type: ignore[no-any-return]


def _draw(axes: Axes, panel: RatePanel) -> None:
    if panel.diagonal:
        axes.plot([0, 1], [0, 1], color=GREY, lw=1, ls=":")
    for place, line in enumerate(panel.lines):
        colour = OKABE_ITO[line.colour % len(OKABE_ITO)]
        style, width = line.style
        order = (11 if line.pattern else 10) - 0.1 * place
        axes.plot(
            line.x,
            line.y,
            color=colour,
            ls=style,
            lw=width,
            label=line.label or None,
            zorder=order,
        )
        if line.size:
            most = max(line.size)
            areas = [12 + 110 * count / most for count in line.size]
            axes.scatter(
                line.x, line.y, s=areas, color=colour, lw=0.6, edgecolor="white", zorder=order + 0.05
            )
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    axes.set_xlabel(panel.xlabel)
    axes.set_ylabel(panel.ylabel)
    axes.set_title(panel.title, fontsize=10.5)
    light_grid(axes, "both")
