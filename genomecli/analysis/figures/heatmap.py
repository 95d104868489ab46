"""Codon by amino acid: every similarity in one picture, ordered by the property of the side chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.figures.style import (
    PROPERTY_GROUPS,
    house_style,
    new_figure,
    property_colour,
    property_rank,
)
from genomecli.analysis.gold import CodonGold

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def codon_heat_map(
    similarity: NDArray[np.float64],
    gold: CodonGold,
    *,
    title: str,
    scale: str = "similarity",
    marked: frozenset[int] = frozenset(),
) -> Figure:
    """Draw a similarity matrix with the species' code framed.

    Args:
        similarity: float[n, A], rows as ``gold.codons``, columns as ``gold.letters``.
        gold: the code that is framed.
        title: heading in plain words.
        scale: what the colour means.
        marked: codon indices whose label gets an arrow: codons that look reassigned.
    """
    columns = sorted(range(len(gold.letters)), key=lambda j: property_rank(gold.letters[j]))
    rows = sorted(range(gold.n), key=lambda i: (property_rank(gold.amino[i]), gold.texts[i]))
    table = similarity[np.ix_(rows, columns)]
    with house_style():
        figure, grid = new_figure(7.2, 11.5)
        axes = grid[0, 0]
        limit = float(np.nanmax(np.abs(table))) or 1.0
        low = -limit if float(np.nanmin(table)) < 0 else 0.0
        image = axes.imshow(
            table, aspect="auto", cmap="cividis", vmin=low, vmax=limit, interpolation="nearest"
        )
        _label(axes, gold, rows, columns, marked)
        _frame(axes, gold, rows, columns)
        axes.set_title(
            title.replace(": ", ":\n", 1), pad=34, loc="left"
        )  # one line is wider than the picture
        bar = figure.colorbar(image, ax=axes, location="bottom", shrink=0.6, aspect=30, pad=0.015)
        bar.set_label(f"{scale}; orange boxes: the genetic code")
        bar.outline.set_visible(False)
    return figure  # type: ignore[no-any-return]


def _label(axes: Axes, gold: CodonGold, rows: list[int], columns: list[int], marked: frozenset[int]) -> None:
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(columns)), [gold.letters[j] for j in columns])
    names = [f"{gold.texts[i]}  {gold.amino[i]}{'◂' if int(gold.codons[i]) in marked else ' '}" for i in rows]
    axes.set_yticks(range(len(rows)), names, family="DejaVu Sans Mono", fontsize=8)
    for tick, j in zip(axes.get_xticklabels(), columns, strict=True):
        tick.set_color(property_colour(gold.letters[j]))
        tick.set_fontweight("bold")
    for tick, i in zip(axes.get_yticklabels(), rows, strict=True):
        tick.set_color(property_colour(gold.amino[i]))
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    place = {gold.letters[j]: x for x, j in enumerate(columns)}
    for name, letters, colour in PROPERTY_GROUPS:
        present = [place[letter] for letter in letters if letter in place]
        if present:
            centre = (present[0] + present[-1]) / 2
            axes.annotate(
                name.replace(", ", ",\n") if len(present) < 4 else name,
                (centre, 1.0),
                (0, 19),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=8.5,
                color=colour,
            )


def _frame(axes: Axes, gold: CodonGold, rows: list[int], columns: list[int]) -> None:
    from matplotlib.patches import Rectangle

    place = {gold.letters[j]: x for x, j in enumerate(columns)}
    amino = [gold.amino[i] for i in rows]
    start = 0
    for y in range(1, len(rows) + 1):
        if y == len(rows) or amino[y] != amino[start]:
            box = Rectangle((place[amino[start]] - 0.5, start - 0.5), 1, y - start, fill=False)
            box.set(edgecolor="#E69F00", linewidth=1.8, joinstyle="miter")
            axes.add_patch(box)
            axes.axhline(y - 0.5, color="white", linewidth=0.6)
            start = y
