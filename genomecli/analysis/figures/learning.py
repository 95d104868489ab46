"""Losses along training, one panel a model, one pair of lines a seed or fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomecli.analysis.figures.style import GREY, OKABE_ITO, house_style, light_grid, new_figure, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class LearningPanel:
    """A model's losses.

    Args:
        title: its heading.
        train: (epoch, loss) pairs of each training.
        valid: likewise.
        best: epoch of the kept weights of each training; None if it is not known.
    """

    title: str
    train: Sequence[Points]
    valid: Sequence[Points]
    best: Sequence[float | None]


def learning_figure(
    panels: Sequence[LearningPanel], *, title: str, columns: int = 3, ylabel: str = "loss"
) -> Figure:
    """Draw the panels on one scale of losses, so that overfitting and slow learning are seen."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    with house_style():
        figure, grid = new_figure(
            3.6 * columns + 0.6, 3.0 * rows + 1.0, rows=rows, columns=columns, sharey=True
        )
        handles: dict[str, object] = {}
        for number, axes in enumerate(grid.flat):
            if number >= len(panels):
                axes.set_visible(False)
                continue
            handles.update(_draw(axes, panels[number]))
            axes.set_xlabel("epoch")
            if number % columns == 0:
                axes.set_ylabel(ylabel)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
        # One panel is narrower than all names in a line.
        ncols = len(handles) if columns > 1 else min(2, len(handles))
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=ncols)
    return figure  # type: ignore[no-any-return]


def _draw(axes: Axes, panel: LearningPanel) -> dict[str, object]:
    handles: dict[str, object] = {}
    thin = 1.8 if len(panel.valid) == 1 else 1.1
    for lines, name, colour in (
        (panel.train, "training", OKABE_ITO[0]),
        (panel.valid, "validation", OKABE_ITO[1]),
    ):
        for points in lines:
            if points:
                x, y = zip(*points, strict=True)
                dots = "o" if len(points) < 25 and name == "validation" else None
                (handles[name],) = axes.plot(x, y, color=colour, lw=thin, marker=dots, ms=3.5)
    for best in panel.best:
        if best is not None:
            handles["weights that were kept"] = axes.axvline(best, color=GREY, lw=1, ls="--", zorder=0)
    axes.set_title(shorten(panel.title, 30), fontsize=10.5)
    light_grid(axes)
    return handles
