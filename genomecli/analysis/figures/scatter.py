"""Predicted against measured values, model beside model; many rows as a density.

Values whose target is one of log(1 + value) are drawn on that scale, since their few large ones would leave
all others in a corner. It has a place for 0, which a plain logarithm has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


@dataclass(frozen=True)
class ScatterPanel:
    """One model and one measured value.

    Args:
        title: its heading.
        value: name of the measured value.
        measured: float[n]; empty where counts are given.
        predicted: float[n].
        counts: float64[cells, cells], rows by predicted and measured value; None for points.
        edges: ends of that grid on both axes.
        log: draw log(1 + value); cells of the grid are equal on that scale.
    """

    title: str
    value: str
    measured: tuple[float, ...]
    predicted: tuple[float, ...]
    counts: NDArray[np.float64] | None = None
    edges: tuple[float, float] = (0.0, 1.0)
    log: bool = False


def log_scale(values: ArrayLike) -> NDArray[np.float64]:
    """log(1 + value) of values in their unit, float64 of their shape; natural logarithm.

    Values below -0.99, which a prediction may be, count as -0.99: the logarithm ends at -1.
    """
    return np.log1p(np.maximum(np.asarray(values, dtype=np.float64), -0.99))


def scatter_figure(panels: Sequence[ScatterPanel], *, title: str, columns: int = 2) -> Figure:
    """Draw the panels in rows of ``columns``; those of a row share their range."""
    panels = [_on_log_scale(panel) if panel.log else panel for panel in panels]
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    dense = [panel.counts for panel in panels if panel.counts is not None]
    most = max((float(counts.max()) for counts in dense), default=1.0)
    with house_style():
        size = (3.9 * columns + (1.2 if dense else 0.4), 4.2 * rows + 0.5)
        figure, grid = new_figure(*size, rows=rows, columns=columns)
        image = None
        for number, axes in enumerate(grid.flat):
            if number >= len(panels):
                axes.set_visible(False)
                continue
            panel, first = panels[number], number - number % columns
            image = _draw(axes, panel, _range(panels[first : first + columns]), most) or image
            axes.set_xlabel(f"measured {shorten(panel.value, 30)}")
            if number == first:
                axes.set_ylabel(f"predicted {shorten(panel.value, 30)}")
        if image is not None:
            bar = figure.colorbar(image, ax=list(grid.flat), shrink=0.6, pad=0.02, format=short_number)
            bar.ax.minorticks_off()
            bar.set_label("rows")
            bar.outline.set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure  # type: ignore[no-any-return]


def _on_log_scale(panel: ScatterPanel) -> ScatterPanel:
    """The same panel with log(1 + value) for each value."""
    measured, predicted, edges = (
        tuple(log_scale(values).tolist()) for values in (panel.measured, panel.predicted, panel.edges)
    )
    return replace(panel, measured=measured, predicted=predicted, edges=(edges[0], edges[1]))


def log_ticks(low: float, high: float) -> list[float]:
    """Values to mark between two ends that are given as log(1 + value).

    0 and powers of ten first, from the largest, then 5 and 2 times these, as far as there is room; three
    others where that leaves less than two.
    """
    top = int(np.ceil(np.log10(np.expm1(high)))) if high > 0 else 0
    powers = [10.0**power for power in range(top, top - 8, -1)]
    wanted = [0.0, *powers, *(5 * power for power in powers), *(2 * power for power in powers)]
    room, kept = 0.1 * (high - low), list[float]()
    for value in wanted:
        place = float(np.log1p(value))
        if low <= place <= high and all(abs(place - np.log1p(other)) >= room for other in kept):
            kept.append(value)
    if len(kept) < 2:
        inner: list[float] = np.expm1(np.linspace(low, high, 5)[1:-1]).tolist()
        return inner
    return sorted(kept)


def _mark_values(axes: Axes, ends: tuple[float, float]) -> None:
    values = log_ticks(*ends)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(np.log1p(values).tolist(), [short_number(value) for value in values])


def _range(panels: Sequence[ScatterPanel]) -> tuple[float, float]:
    """Measured values in full; predictions far outside are cut off at the rim."""
    measured = [end for panel in panels for end in (panel.measured or panel.edges)]
    low, high = min(measured), max(measured)
    span = (high - low) or 1.0
    predicted = [value for panel in panels for value in panel.predicted]
    inside = [min(max(value, low - 0.3 * span), high + 0.3 * span) for value in predicted]
    return min([low, *inside]) - 0.03 * span, max([high, *inside]) + 0.03 * span


def _draw(axes: Axes, panel: ScatterPanel, ends: tuple[float, float], most: float) -> object | None:
    """The image of the counts, for the bar of colours; None for points."""
    image = None
    axes.plot(ends, ends, color=GREY, lw=1, ls=":", zorder=3)
    if panel.counts is None:
        size, ink = (16, 0.55) if len(panel.measured) <= 300 else (9, 0.35)
        shown = np.clip(panel.predicted, *ends)
        axes.scatter(panel.measured, shown, s=size, color=OKABE_ITO[0], alpha=ink, lw=0, zorder=2)
    else:
        from matplotlib.colors import LogNorm

        table = np.ma.masked_equal(panel.counts, 0)
        # From a little below 1, so that a single row is pale and yet seen.
        norm = LogNorm(0.4, max(2.0, most))
        extent = (*panel.edges, *panel.edges)
        style = {"cmap": "Blues", "origin": "lower", "aspect": "auto", "zorder": 2}
        image = axes.imshow(table, norm=norm, extent=extent, **style)  # type: ignore[arg-type]
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    if panel.log:
        _mark_values(axes, ends)
    axes.set_aspect("equal")
    axes.set_title(shorten(panel.title, 34), fontsize=10.5)
    light_grid(axes, "both")
    return image
