"""Confusion matrices: what each class is taken for, model beside model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.figures.style import INK, house_style, new_figure, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WRITTEN = 14
"""More classes than these have no counts in their cells."""


def confusion_figure(
    panels: Sequence[tuple[str, NDArray[np.float64]]],
    classes: Sequence[str],
    *,
    title: str,
    unit: str = "rows",
) -> Figure:
    """Draw one matrix a model: colour is the share of a class's rows, figures are counts.

    Args:
        panels: name of the model, and float64[C, C] with labels in rows and predictions in columns.
        classes: C names.
        title: of the whole.
        unit: what is counted.
    """
    slanted = _slanted(classes)
    side = min(8.0, max(2.3, 0.5 * len(classes) + 0.4))
    with house_style():
        names = 0.08 * min(16, max(map(len, classes)))
        size = (side * len(panels) + 1.6 + names, side + 1.2 + (0.75 * names if slanted else 0.0))
        figure, grid = new_figure(*size, columns=len(panels), sharey=True)
        image = None
        for number, (axes, (name, table)) in enumerate(zip(grid[0], panels, strict=True)):
            image = _draw(axes, table, classes)
            axes.set_title(shorten(name, 30), fontsize=10.5)
            axes.set_xlabel("predicted")
            if number == 0:
                axes.set_ylabel("label")
        bar = figure.colorbar(image, ax=list(grid[0]), shrink=0.9, pad=0.02)
        bar.set_label(f"share of the label's {unit}")
        bar.outline.set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure  # type: ignore[no-any-return]


def _draw(axes: Axes, table: NDArray[np.float64], classes: Sequence[str]) -> object:
    total = table.sum(axis=1, keepdims=True)
    share = np.divide(table, total, out=np.zeros_like(table), where=total > 0)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    names = [shorten(name, 16) for name in classes]
    slanted = _slanted(classes)
    axes.set_xticks(
        range(len(names)), names, rotation=45 if slanted else 0, ha="right" if slanted else "center"
    )
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0, labelsize=9 if len(names) <= _WRITTEN else 7)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if len(classes) <= _WRITTEN:
        size = 10 if len(classes) <= 6 else 8
        for row, column in np.ndindex(table.shape):
            ink = "white" if share[row, column] > 0.6 else INK
            count = f"{int(table[row, column]):,}".replace(",", "\u2009")
            axes.text(column, row, count, ha="center", va="center", color=ink, fontsize=size)
    return image


def _slanted(classes: Sequence[str]) -> bool:
    """Whether names are too long to stand side by side."""
    return len(classes) * min(16, max(map(len, classes))) > 22
