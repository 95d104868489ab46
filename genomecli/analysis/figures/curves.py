"""Curves over an amount of data: MRR along training, and the encoder against static embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from genomecli.analysis.figures.style import (
    BAND,
    GREY,
    OKABE_ITO,
    house_style,
    light_grid,
    new_figure,
    short_number,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class DataCurve:
    """MRR over tokens or steps.

    Args:
        label: its name in the legend.
        x: tokens or steps, rising.
        y: MRR.
        layer: share of depth, 0 to 1, which colours encoder curves; None for others.
        style: ``static`` curves are dashed, with squares.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    layer: float | None = None
    style: Literal["encoder", "static"] = "encoder"


@dataclass(frozen=True)
class DataPanel:
    """One pair of languages and one endpoint."""

    title: str
    curves: tuple[DataCurve, ...]
    chance: float
    null_95: float


def data_figure(
    panels: Sequence[DataPanel], *, title: str, xlabel: str, logarithmic: bool = True, columns: int = 2
) -> Figure:
    """Draw the panels in rows of ``columns``; all share the axes and one legend."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    with house_style():
        size = (4.9 * columns + 0.4, 3.6 * rows + 1.3)
        figure, grid = new_figure(*size, rows=rows, columns=columns, sharex=True, sharey=True)
        handles: dict[str, object] = {}
        for number, axes in enumerate(grid.flat):
            if number >= len(panels):
                axes.set_visible(False)
                continue
            handles.update(_draw(axes, panels[number], logarithmic))
            if number % columns == 0:
                axes.set_ylabel("mean reciprocal rank (MRR)")
            if number + columns >= len(panels):
                axes.set_xlabel(xlabel)
                axes.tick_params(labelbottom=True)
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
        figure.legend(
            list(handles.values()), list(handles), loc="outside lower center", ncols=min(4, len(handles))
        )
    return figure  # type: ignore[no-any-return]


def _draw(axes: Axes, panel: DataPanel, logarithmic: bool) -> dict[str, object]:
    from matplotlib import colormaps

    handles: dict[str, object] = {}
    handles["95 % of shuffled codes lie below"] = axes.axhspan(0, panel.null_95, color=BAND, lw=0, zorder=0)
    handles["mean of chance"] = axes.axhline(panel.chance, color=GREY, lw=1, ls=":", zorder=1)
    others = 0
    for curve in panel.curves:
        if curve.layer is None:
            colour: object = OKABE_ITO[(1, 3, 4, 6)[others % 4]]
            others += 1
        else:
            colour = colormaps["viridis"](0.9 * (1.0 - curve.layer))
        dashed = curve.style == "static"
        (handles[curve.label],) = axes.plot(
            curve.x,
            curve.y,
            color=colour,  # type: ignore[arg-type]
            ls="--" if dashed else "-",
            marker="s" if dashed else "o",
            ms=5,
            lw=1.8,
            zorder=3,
        )
    _scale(axes, [x for curve in panel.curves for x in curve.x], logarithmic)
    axes.set_ylim(0, 1.03)
    axes.set_title(panel.title, fontsize=11)
    light_grid(axes)
    return handles


def _scale(axes: Axes, values: list[float], logarithmic: bool) -> None:
    """Ticks that people read: 10 k, 100 k; also 20 k and 50 k where the range is short."""
    from matplotlib.ticker import LogLocator, NullFormatter

    if logarithmic:
        axes.set_xscale("log")
        short = max(values) < 100 * min(values)
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if short else (1.0,)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(short_number)
