"""Two-dimensional map of codons and amino acids, coloured by the property of the side chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.figures.labels import spread_labels
from genomecli.analysis.figures.style import PROPERTY_GROUPS, house_style, new_figure, property_colour
from genomecli.analysis.gold import CodonGold

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class PlaneMap:
    """Places in the plane.

    Args:
        codons: float64[n, 2].
        amino_acids: float64[A, 2].
        explained: share of the variance that the plane shows, 0 to 1.
    """

    codons: NDArray[np.float64]
    amino_acids: NDArray[np.float64]
    explained: float


def space_figure(panels: list[tuple[str, PlaneMap, CodonGold]], *, title: str) -> Figure:
    """Draw one panel a reading frame (or run): (heading, places, gold)."""
    with house_style():
        figure, grid = new_figure(5.6 * len(panels), 6.2, columns=len(panels))
        for axes, (heading, places, gold) in zip(grid[0], panels, strict=True):
            _draw(axes, places, gold)
            axes.set_title(f"{heading}\n", fontsize=11)
            axes.text(
                0, 1.01, f"{places.explained:.0%} of the variance", transform=axes.transAxes, fontsize=9
            )
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
        handles = _legend(grid[0][0])
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
        figure.draw_without_rendering()  # the layout settles, and with it the size of the panels
        for axes, (_, places, gold) in zip(grid[0], panels, strict=True):
            _label_codons(axes, places, gold)
    return figure  # type: ignore[no-any-return]


def _draw(axes: Axes, places: PlaneMap, gold: CodonGold) -> None:
    for i in range(gold.n):
        x, y = places.codons[i]
        end = places.amino_acids[gold.classes[i]]
        colour = property_colour(gold.amino[i])
        axes.plot([x, end[0]], [y, end[1]], color=colour, lw=0.5, alpha=0.25, zorder=1)
        axes.plot(x, y, "o", color=colour, ms=3, alpha=0.55, zorder=2)
    for j, letter in enumerate(gold.letters):
        x, y = places.amino_acids[j]
        axes.plot(x, y, "o", ms=15, mfc="white", mec=property_colour(letter), mew=1.6, zorder=4)
        axes.text(
            x,
            y,
            letter,
            ha="center",
            va="center_baseline",
            fontsize=9.5,
            fontweight="bold",
            color=property_colour(letter),
            zorder=5,
        )
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color("#c8c8c8")
    axes.margins(0.08)


LABEL = (15.0, 8.0)
"""Width and height of a codon's label, in points."""

_RING = 8.5


def _label_codons(axes: Axes, places: PlaneMap, gold: CodonGold) -> None:
    """Write each codon beside its dot, labels apart from each other and from the rings; far ones are tied."""
    from matplotlib import patheffects

    halo = [patheffects.withStroke(linewidth=1.6, foreground="white")]
    box = axes.get_window_extent()
    scale = 72.0 / axes.figure.dpi

    def on_page(values: NDArray[np.float64]) -> NDArray[np.float64]:
        shown: NDArray[np.float64] = (axes.transData.transform(values) - (box.x0, box.y0)) * scale
        return shown

    points, rings = on_page(places.codons), on_page(places.amino_acids)
    field = (box.width * scale, box.height * scale)
    centres = spread_labels(points, LABEL, rings[gold.classes], rings, _RING, field)
    for i, (x, y) in enumerate(centres - points):
        tied = np.hypot(x, y) > np.hypot(*LABEL) * 0.75
        colour = property_colour(gold.amino[i])
        line = {"arrowstyle": "-", "color": colour, "lw": 0.4, "alpha": 0.6, "shrinkA": 0, "shrinkB": 1.5}
        note = axes.annotate(
            gold.texts[i],
            places.codons[i],
            (x, y),
            textcoords="offset points",
            ha="center",
            va="center_baseline",
            fontsize=6.2,
            color=colour,
            zorder=3,
            path_effects=halo,
            arrowprops=line if tied else None,
        )
        note.set_in_layout(False)


def _legend(axes: Axes) -> list[object]:
    from matplotlib.lines import Line2D

    handles: list[object] = [
        Line2D([], [], marker="o", ls="", color=colour, label=name)
        for name, _, colour in PROPERTY_GROUPS
        if name != "stop"
    ]
    handles.append(
        Line2D(
            [], [], marker="o", ls="", mfc="white", mec="#444444", ms=11, label="amino acid (ringed letter)"
        )
    )
    handles.append(
        Line2D([], [], marker="o", ls="", color="#444444", ms=3, label="codon, tied to its amino acid")
    )
    return handles
