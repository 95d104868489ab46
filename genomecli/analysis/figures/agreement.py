"""Scores against measured values: one point a mutant, the model and each baseline side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from genomecli.analysis.arrays import Floats
from genomecli.analysis.figures.style import OKABE_ITO, house_style, light_grid, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def agreement_figure(measured: Floats, scores: Mapping[str, Floats], titles: Mapping[str, str]) -> Figure:
    """Draw one panel a score.

    Args:
        measured: float64[n], NaN where not known.
        scores: by name float64[n].
        titles: by name, what stands above the panel.
    """
    figure: Figure
    with house_style():
        figure, grid = new_figure(4.0 * len(scores) + 0.4, 4.0, columns=len(scores), sharey=True)
        for number, (name, values) in enumerate(scores.items()):
            axes = grid[0][number]
            kept = ~(np.isnan(measured) | np.isnan(values))
            dots = {"s": 14, "alpha": 0.45, "linewidths": 0}
            axes.scatter(values[kept], measured[kept], color=OKABE_ITO[min(number, 1)], **dots)
            axes.set_xlabel(name)
            axes.set_title(titles.get(name, name), fontsize=10.5)
            light_grid(axes, "both")
        grid[0][0].set_ylabel("measured")
    return figure
