"""Surprise along sequences: the mean and the highest value of each stretch, one panel a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from genomecli.analysis.arrays import Floats
from genomecli.analysis.figures.style import (
    BAND,
    GREY,
    OKABE_ITO,
    house_style,
    light_grid,
    new_figure,
    short_number,
    shorten,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_DOTTED = 60
"""Stretches up to which each has a dot: without, a value whose neighbours have none would not be seen."""


@dataclass(frozen=True, eq=False)
class SurpriseTrack:
    """Surprise of one sequence, in stretches of equal length.

    Args:
        name: of the sequence.
        middle: float64[n], the middle of each stretch, as a position from 1.
        mean: float64[n], NaN where no symbol has a value.
        highest: float64[n].
        wide: float64[n], the mean over a wider stretch around.
        length: symbols of a stretch.
    """

    name: str
    middle: Floats
    mean: Floats
    highest: Floats
    wide: Floats
    length: int


def surprise_figure(tracks: Sequence[SurpriseTrack], *, unit: str, left_out: int = 0) -> Figure:
    """Draw a panel a track.

    Args:
        tracks: at least one.
        unit: nats or bits.
        left_out: sequences that are not drawn.
    """
    from matplotlib.ticker import MaxNLocator

    figure: Figure
    with house_style():
        figure, grid = new_figure(10.0, 1.2 + 1.9 * len(tracks), rows=len(tracks))
        for number, track in enumerate(tracks):
            axes = grid[number][0]
            several = track.length > 1
            every = f"mean of {track.length} symbols" if several else "each symbol"
            dots = "." if len(track.middle) <= _DOTTED else None
            axes.plot(track.middle, track.mean, color=GREY, linewidth=0.8, marker=dots, label=every)
            if several:
                ends = (track.mean, track.highest)
                axes.fill_between(
                    track.middle, *ends, color=BAND, linewidth=0, label="up to the highest of them"
                )
            axes.plot(track.middle, track.wide, color=OKABE_ITO[1], linewidth=1.8, label="smoothed")
            axes.set_title(shorten(track.name, 60), fontsize=10.5)
            axes.set_ylabel(f"surprise ({unit})")
            axes.set_ylim(bottom=0)
            axes.set_xlim(*_ends(track))
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
            axes.xaxis.set_major_formatter(short_number)
            light_grid(axes)
        more = f" ({left_out} more sequences are not drawn)" if left_out else ""
        grid[-1][0].set_xlabel(f"position{more}")
        named: dict[str, Any] = {}
        for number in range(len(tracks)):
            handles, labels = grid[number][0].get_legend_handles_labels()
            named.update(zip(labels, handles, strict=True))
        figure.legend(list(named.values()), list(named), loc="outside upper right", ncols=3)
    return figure


def _ends(track: SurpriseTrack) -> tuple[float, float]:
    """Of the axis: the first position, without a tick at 0, and the last one."""
    last = len(track.middle) * track.length
    return 0.4, last + 0.01 * last + 0.6


def make_track(name: str, places: Floats, values: Floats, *, bins: int = 1000) -> SurpriseTrack:
    """A track of single values.

    Args:
        name: of the sequence.
        places: float64[m], 0-based, of the symbols that have a value.
        values: float64[m].
        bins: most stretches.
    """
    length = max(1, -(-(int(places[-1]) + 1) // bins)) if len(places) else 1
    count = (int(places[-1]) // length + 1) if len(places) else 0
    which = (places // length).astype(np.int64)
    total = np.bincount(which, weights=values, minlength=count)
    number = np.bincount(which, minlength=count)
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, which, values)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(number > 0, total / number, np.nan)
        highest = np.where(number > 0, highest, np.nan)
        width = max(1, min(count, max(3, count // 50) | 1))
        window = np.ones(width)
        wide = np.asarray(np.convolve(total, window, "same") / np.convolve(number, window, "same"))
    middle = np.asarray(np.arange(count) * length + (length + 1) / 2, dtype=np.float64)
    return SurpriseTrack(name, middle, mean, highest, wide, length)
