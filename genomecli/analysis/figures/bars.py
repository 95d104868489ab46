"""Which genetic code explains the vectors best: one bar a class of NCBI tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomecli.analysis.figures.style import GREY, OKABE_ITO, house_style, light_grid, new_figure, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure


BEATEN = 0.35
"""Opacity of the bar of a class that is clearly beaten."""


@dataclass(frozen=True)
class CodeBar:
    """A class of NCBI tables that read the codons at hand alike.

    Args:
        label: its tables and a name.
        score: sum of log odds.
        assumed: it is the one given for the species.
        kept: it is not clearly beaten by the best.
    """

    label: str
    score: float
    assumed: bool
    kept: bool = True


def codes_figure(
    bars: Sequence[CodeBar],
    *,
    title: str,
    verdict: str,
    shown: int = 12,
    scale: str = "score of the code (higher: it explains the vectors better)",
) -> Figure:
    """Draw the best ``shown`` classes, best on top; the assumed code is always among them.

    Args:
        bars: all classes.
        title: heading.
        verdict: what they say, in a sentence.
        shown: how many are drawn.
        scale: what scores are, in words.
    """
    ordered = sorted(bars, key=lambda bar: (-bar.score, bar.label))
    kept = ordered[:shown]
    kept += [bar for bar in ordered[shown:] if bar.assumed]
    with house_style():
        figure, grid = new_figure(8.2, 2.0 + 0.34 * len(kept))
        axes = grid[0, 0]
        colours = [OKABE_ITO[1] if bar.assumed else OKABE_ITO[0] for bar in kept]
        places = range(len(kept))
        low = min(0.0, *(bar.score for bar in kept))
        drawn = axes.barh(places, [bar.score for bar in kept], color=colours, height=0.68)
        for patch, bar in zip(drawn, kept, strict=True):
            patch.set_alpha(1.0 if bar.kept else BEATEN)
        for place, bar in zip(places, kept, strict=True):
            axes.annotate(
                f"{bar.score:.1f}",
                (max(bar.score, 0), place),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
        axes.set_yticks(places, [shorten(bar.label, 58) for bar in kept], fontsize=9)
        axes.invert_yaxis()
        axes.set_xlim(left=low)
        axes.margins(x=0.12)
        axes.tick_params(axis="y", length=0)
        more = f"; {len(kept)} of {len(bars)} classes" if len(kept) < len(bars) else ""
        axes.set_xlabel(f"{scale}{more}")
        figure.suptitle(f"{title}\n", x=0.01, ha="left", fontsize=12, fontweight="bold")
        figure.text(0.01, 1.0, f"\n\n{verdict}", fontsize=9.5, va="top")
        light_grid(axes, "x")
        axes.plot([], [], "s", color=OKABE_ITO[1], label="code given for this species")
        axes.plot([], [], "s", color=OKABE_ITO[0], label="other codes of NCBI")
        axes.plot([], [], "s", color=OKABE_ITO[0], alpha=BEATEN, label="pale: clearly beaten by the best")
        figure.legend(loc="outside lower center", handletextpad=0.1, ncols=3)
        axes.axvline(0, color=GREY, lw=0.8)
    return figure  # type: ignore[no-any-return]
