"""Species by species (or run by run): one MRR in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.figures.style import house_style, new_figure, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def matrix_figure(
    tables: Sequence[tuple[str, NDArray[np.float64]]],
    names: Sequence[str],
    *,
    title: str,
    rows: str,
    columns: str,
) -> Figure:
    """Draw square tables side by side.

    Args:
        tables: (heading, float[S, S]) each, values 0 to 1; NaN where nothing was measured.
        names: S names of rows and columns.
        title: heading in plain words.
        rows: what a row is.
        columns: what a column is.
    """
    size = max(2.6, 0.62 * len(names))
    with house_style():
        figure, grid = new_figure(len(tables) * (size + 1.9) + 0.6, size + 1.5, columns=len(tables))
        image = None
        for axes, (heading, table) in zip(grid[0], tables, strict=True):
            image = axes.imshow(table, cmap="cividis", vmin=0, vmax=1)
            _cells(axes, table)
            labels = [shorten(name, 18) for name in names]
            axes.set_xticks(range(len(names)), labels, rotation=35, ha="right", rotation_mode="anchor")
            axes.set_yticks(range(len(names)), labels)
            axes.tick_params(length=0)
            axes.set_xlabel(columns)
            axes.set_ylabel(rows)
            axes.set_title(heading, fontsize=10.5)
        bar = figure.colorbar(image, ax=list(grid[0]), shrink=0.8, pad=0.02)
        bar.set_label("mean reciprocal rank (MRR)")
        bar.outline.set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
    return figure  # type: ignore[no-any-return]


def _cells(axes: Axes, table: NDArray[np.float64]) -> None:
    for (row, column), value in np.ndenumerate(table):
        text = "–" if np.isnan(value) else f"{value:.2f}"
        shade = "#1f1f1f" if np.isnan(value) or value > 0.55 else "white"
        axes.text(column, row, text, ha="center", va="center", fontsize=10, color=shade)
