"""A figure drawn once, as a PNG for its file, an SVG for the page, and the values of its heat maps."""

from __future__ import annotations

from collections.abc import Sequence

from genomecli.analysis.drawing_data import Drawing
from genomecli.analysis.figures.grids import Grid, heat_map_grids
from genomecli.analysis.figures.style import png_bytes, settle, svg_bytes
from genomecli.analysis.pages import PageFigure, PageGrid


def drawn(drawing: Drawing, dpi: int) -> tuple[bytes, bytes, list[Grid]]:
    """Draw a figure.

    Args:
        drawing: the figure.
        dpi: of the PNG.

    Returns:
        the PNG, the SVG, and what can be read off its heat maps: plain values, that can be kept.
    """
    figure = drawing.draw()
    settle(figure)
    return png_bytes(figure, dpi), svg_bytes(figure), heat_map_grids(figure)


def page_figure(drawing: Drawing, svg: bytes, grids: Sequence[Grid]) -> PageFigure:
    """The figure as a page shows it: what is said below it also stands in for it where it is not seen."""
    alt = f"{drawing.title}. {drawing.caption}"
    if grids:
        alt += f" Its values are in the table{'s' if len(grids) > 1 else ''} below."
    shown = tuple(PageGrid(*grid) for grid in grids)
    return PageFigure(drawing.name, drawing.title, drawing.caption, alt, svg, drawing.narrow, shown)
