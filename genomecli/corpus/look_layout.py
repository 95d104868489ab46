"""Places for the panels of a figure: each is measured once, and margins follow what stands out of it.

Matplotlib's own engine for this measures all panels twice, which took a third of the drawing.
"""

from __future__ import annotations

from typing import Any

GAP = 14
"""Pixels between neighbouring panels, and to the border."""


def lay_out(figure: Any, grid: Any, *, above: float, below: float) -> None:
    """Set the margins and gaps of ``grid`` so that nothing overlaps, and put its panels there.

    Args:
        figure: with its final dots an inch and a canvas of Agg.
        grid: matplotlib's GridSpec, in which every panel of the figure lies.
        above: pixels for what stands above all panels.
        below: pixels for what stands below all.
    """
    width, height = figure.bbox.width, figure.bbox.height
    rows, columns = grid.get_geometry()
    sides = {name: [0.0] * count for name, count in zip("lrbt", (columns, columns, rows, rows), strict=True)}
    renderer = figure.canvas.get_renderer()
    for axis in figure.axes:
        place, plain, full = _place(axis), axis.bbox, axis.get_tightbbox(renderer)
        for name, at, size in (
            ("l", place.colspan.start, plain.x0 - full.x0),
            ("r", place.colspan.stop - 1, full.x1 - plain.x1),
            ("b", place.rowspan.stop - 1, plain.y0 - full.y0),
            ("t", place.rowspan.start, full.y1 - plain.y1),
        ):
            sides[name][at] = max(sides[name][at], size)
    across = max((a + b for a, b in zip(sides["r"][:-1], sides["l"][1:], strict=True)), default=0) + GAP
    down = max((a + b for a, b in zip(sides["b"][:-1], sides["t"][1:], strict=True)), default=0) + GAP
    left, right = sides["l"][0] + GAP, width - sides["r"][-1] - GAP
    bottom, top = sides["b"][-1] + GAP + below, height - sides["t"][0] - GAP - above
    # Matplotlib counts gaps in mean panels.
    grid.left, grid.right, grid.bottom, grid.top = left / width, right / width, bottom / height, top / height
    grid.wspace = across / max((right - left - (columns - 1) * across) / columns, 1)
    grid.hspace = down / max((top - bottom - (rows - 1) * down) / rows, 1)
    for axis in figure.axes:
        axis.set_position(axis.get_subplotspec().get_position(figure))


def _place(axis: Any) -> Any:
    """Where in the outermost grid a panel lies; a scale lies in a grid inside of its panel's place."""
    return axis.get_subplotspec().get_topmost_subplotspec()
