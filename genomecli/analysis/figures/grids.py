"""What a drawn heat map shows, read off the figure: values, names, and where the cells lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Grid = tuple[str, list[str], list[str], list[list[str]], tuple[float, float, float, float]]
"""Title, names of rows and columns, texts of the cells, and the box, as ``PageGrid`` of ``pages.py`` has."""

MARK = "◂"
"""What a figure writes beside the name of a row that stands out."""


def heat_map_grids(figure: Figure) -> list[Grid]:
    """The heat maps of a figure that is laid out, those whose rows and columns all have names.

    Args:
        figure: after :func:`genomecli.analysis.figures.style.settle`.

    Returns:
        one entry a heat map, as plain values; values with two digits, a dash where there is none.
    """
    bars = [image.colorbar for axes in figure.axes for image in axes.images if image.colorbar is not None]
    labels = [bar.ax.get_xlabel() or bar.ax.get_ylabel() for bar in bars]
    meaning = labels[0].partition(";")[0] if labels else ""
    return [grid for axes in figure.axes if (grid := _grid(axes, meaning)) is not None]


def _grid(axes: Axes, meaning: str) -> Grid | None:
    if len(axes.images) != 1:
        return None
    values = np.ma.filled(np.ma.asarray(axes.images[0].get_array(), dtype=np.float64), np.nan)
    rows, columns = _names(axes.yaxis), _names(axes.xaxis)
    if values.shape != (len(rows), len(columns)) or not all(rows) or not all(columns):
        return None
    place = axes.get_position()
    box = (place.x0, 1.0 - place.y1, place.width, place.height)
    texts = [["–" if np.isnan(value) else f"{value:.2f}" for value in row] for row in values]
    title = " ".join((axes.get_title(loc="left") or axes.get_title()).split())
    return f"{title}: {meaning}" if meaning else title, rows, columns, texts, (box[0], box[1], box[2], box[3])


def _names(axis: Axis) -> list[str]:
    """Names along an axis, also where another panel's stand for them and its own are not drawn."""
    names = axis.get_major_formatter().format_ticks(list(axis.get_ticklocs()))
    return [" ".join(name.replace(MARK, "").split()) for name in names]
