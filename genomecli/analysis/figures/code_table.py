"""The genetic code as the table that every biologist knows, one cell a codon, with what was found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomecli.analysis.figures.style import (
    GREY,
    INK,
    OKABE_ITO,
    PROPERTY_GROUPS,
    house_style,
    new_figure,
    property_colour,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BASES = "TCAG"
_PALE = 0.16


@dataclass(frozen=True)
class CodonCell:
    """What a cell shows.

    Args:
        letter: the answer: an amino acid, ``*`` for a stop, ``?`` for undecided, ``-`` for one never seen.
        support: share of the resamples that agree, 0 to 1; NaN where nothing was drawn.
        stated: what the stated code says.
        leaning: the best reading of an undecided codon.
    """

    letter: str
    support: float
    stated: str
    leaning: str = ""

    @property
    def differs(self) -> bool:
        """It was answered, and otherwise than stated."""
        return self.letter not in "?-" and self.letter != self.stated

    @property
    def leans_elsewhere(self) -> bool:
        """It is undecided, and its best reading is not the stated one."""
        return self.letter == "?" and self.leaning not in ("", self.stated)


def code_table_figure(
    cells: Mapping[str, CodonCell], *, title: str, stated: str, subtitle: str = ""
) -> Figure:
    """Draw the 64 cells, first base down, second across, third within a block.

    Args:
        cells: by codon, written with T.
        title: heading.
        stated: name of the code that answers are compared with.
        subtitle: a line below the heading.
    """
    figure: Figure
    with house_style():
        figure, grid = new_figure(9.2, 8.8)
        axes = grid[0, 0]
        axes.set_xlim(0, 4)
        axes.set_ylim(16, 0)
        axes.set_axis_off()
        for codon, cell in cells.items():
            row = 4 * _BASES.index(codon[0]) + _BASES.index(codon[2])
            _draw_cell(axes, _BASES.index(codon[1]), row, codon, cell)
        for line in range(5):
            axes.plot([0, 4], [4 * line] * 2, color=INK, lw=1.4, clip_on=False)
            axes.plot([line] * 2, [0, 16], color=INK, lw=1.4, clip_on=False)
        for place, base in enumerate("UCAG"):
            axes.text(place + 0.5, -0.25, base, ha="center", va="bottom", fontsize=13, fontweight="bold")
            axes.text(-0.06, 4 * place + 2, base, ha="right", va="center", fontsize=13, fontweight="bold")
        figure.suptitle(title, x=0.01, ha="left", fontsize=12.5, fontweight="bold")
        if subtitle:
            axes.set_title(subtitle, loc="left", fontsize=10, fontweight="normal", pad=32)
        for name, letters, _ in PROPERTY_GROUPS:
            axes.plot([], [], "s", ms=9, color=property_colour(letters[0]), label=name)
        if any(cell.letter == "?" for cell in cells.values()):
            axes.plot([], [], "s", ms=9, color=GREY, alpha=0.3, label="pale, with ?: undecided")
        ring = {"ms": 9, "mfc": "white", "mec": OKABE_ITO[1], "ls": ""}
        if any(cell.differs for cell in cells.values()):
            axes.plot([], [], "s", **ring, mew=2.2, label=f"not as in {stated}")
        if any(cell.leans_elsewhere for cell in cells.values()):
            axes.plot([], [], "s", **ring, mew=1, label=f"best reading not as in {stated}")
        figure.legend(loc="outside lower center", ncols=4, handletextpad=0.2)
    return figure


def _draw_cell(axes: Axes, column: int, row: int, codon: str, cell: CodonCell) -> None:
    from matplotlib.patches import Rectangle

    known = cell.letter not in "?-"
    shown = cell.letter if known else cell.leaning
    colour = property_colour(shown) if shown else GREY
    axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, alpha=_PALE if known else 0.04, lw=0))
    if cell.differs or cell.leans_elsewhere:
        frame = Rectangle((column + 0.015, row + 0.06), 0.97, 0.88, fill=False, zorder=3)
        frame.set(edgecolor=OKABE_ITO[1], linewidth=2.2 if cell.differs else 0.9)
        axes.add_patch(frame)
    axes.text(column + 0.05, row + 0.5, codon.replace("T", "U"), va="center", fontsize=10, color="#444444")
    text = {"*": "stop", "-": "never seen", "?": f"{cell.leaning}?"}.get(cell.letter, cell.letter)
    size = 10 if len(text) > 2 else 15
    axes.text(
        column + 0.42,
        row + 0.52,
        text,
        va="center",
        ha="center",
        fontsize=size,
        color=colour,
        alpha=1 if known else 0.6,
        fontweight="bold" if known else "normal",
    )
    axes.text(column + 0.96, row + 0.5, _note(cell), va="center", ha="right", fontsize=8, color="#444444")


def _note(cell: CodonCell) -> str:
    """How sure; and what the stated code says where that is something else."""
    # The percent of what tables show with two digits: .925 is .93 in both.
    sure = "" if cell.support != cell.support else f"{100 * float(f'{cell.support:.2f}'):.0f} %"
    if not (cell.differs or cell.leans_elsewhere):
        return sure
    return f"{sure}, stated {cell.stated}" if sure else f"stated {cell.stated}"
