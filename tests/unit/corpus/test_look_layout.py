"""Panels are placed so that nothing that belongs to one lies on another."""

from __future__ import annotations

from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from genomecli.corpus.look_layout import lay_out


@pytest.mark.parametrize("names", [["a"], ["a species with a rather long name " * 2, "b"]])
def test_no_panel_lies_on_another_or_beyond_the_border(names: list[str]) -> None:
    figure = Figure(figsize=(12, 8), dpi=100)
    canvas = FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2)
    panels = [figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, :])]
    for panel in panels:
        panel.set_yticks(range(len(names)), names)
        panel.set_title("Two\nlines")
        panel.set_xlabel("below")
    image = panels[2].imshow([[0, 1]], aspect="auto")
    figure.colorbar(image, ax=panels[2], label="scale")
    lay_out(figure, grid, above=30, below=20)
    canvas.draw()
    boxes = [panel.get_tightbbox(canvas.get_renderer()) for panel in panels]
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    for box in [axis.get_tightbbox(canvas.get_renderer()) for axis in figure.axes]:
        assert box.x0 >= 0
        assert box.y0 >= 19  # a pixel for rounding
        assert box.x1 <= figure.bbox.width
        assert box.y1 <= figure.bbox.height - 29
