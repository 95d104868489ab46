"""MRR layer by layer, with the null band, the frames that are controls, and the untrained network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomecli.analysis.figures.style import BAND, GREY, OKABE_ITO, house_style, light_grid, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class LayerCurve:
    """One line: a value for each layer.

    Args:
        label: its name in the legend.
        layers: layer numbers; -1 stands for the static rows, drawn apart on the left.
        values: MRR of each.
        low: lower bounds of the intervals, or empty.
        high: upper bounds, or empty.
        control: drawn thin and dashed.
    """

    label: str
    layers: tuple[int, ...]
    values: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    control: bool = False


@dataclass(frozen=True)
class LayerPanel:
    """One endpoint: its curves, the chance level and the 95th percentile of its null."""

    title: str
    curves: tuple[LayerCurve, ...]
    chance: float
    null_95: float
    headline: int | None = None


def layers_figure(panels: Sequence[LayerPanel], *, title: str) -> Figure:
    """Draw one panel an endpoint, side by side, on the same scale of 0 to 1."""
    with house_style():
        figure, grid = new_figure(4.3 * len(panels) + 0.6, 4.4, columns=len(panels), sharey=True)
        handles: dict[str, object] = {}
        for number, (axes, panel) in enumerate(zip(grid[0], panels, strict=True)):
            handles.update(_draw(axes, panel))
            if number == 0:
                axes.set_ylabel("mean reciprocal rank (MRR)")
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
        figure.legend(
            list(handles.values()), list(handles), loc="outside lower center", ncols=min(4, len(handles))
        )
    return figure  # type: ignore[no-any-return]


def _draw(axes: Axes, panel: LayerPanel) -> dict[str, object]:
    handles: dict[str, object] = {}
    # Layer -1 (static rows) needs its own place; 0 is the network's input.
    places = sorted({layer for curve in panel.curves for layer in curve.layers})
    x_of = {layer: (layer - 0.6 if layer < 0 else layer) for layer in places}
    handles["95 % of shuffled codes lie below"] = axes.axhspan(0, panel.null_95, color=BAND, lw=0, zorder=0)
    handles["mean of chance"] = axes.axhline(panel.chance, color=GREY, lw=1, ls=":", zorder=1)
    if panel.headline is not None and panel.headline in x_of:
        axes.axvline(x_of[panel.headline], color="#bdbdbd", lw=6, alpha=0.35, zorder=0.5)
    for number, curve in enumerate(panel.curves):
        colour = OKABE_ITO[number % len(OKABE_ITO)]
        handles[curve.label] = _curve(axes, curve, colour, x_of)
    axes.set_xticks([x_of[p] for p in places], ["static" if p < 0 else str(p) for p in places])
    axes.set_xlabel("layer of the network (0: its input)")
    axes.set_ylim(0, 1.03)
    axes.set_title(panel.title, fontsize=11)
    light_grid(axes)
    return handles


def _curve(axes: Axes, curve: LayerCurve, colour: str, x_of: dict[int, float]) -> object:
    order = sorted(range(len(curve.layers)), key=lambda i: curve.layers[i])
    style = {"color": colour, "ls": "--" if curve.control else "-", "lw": 1.4 if curve.control else 2.2}
    marker = {"marker": "s" if curve.control else "o", "ms": 4.5 if curve.control else 6}
    deep = [i for i in order if curve.layers[i] >= 0]
    handle = None
    for part in (deep, [i for i in order if curve.layers[i] < 0]):
        if not part:
            continue
        x = [x_of[curve.layers[i]] for i in part]
        (line,) = axes.plot(x, [curve.values[i] for i in part], **style, **marker, zorder=3)  # type: ignore[arg-type]
        handle = handle or line
        if curve.low and not curve.control:
            low, high = [curve.low[i] for i in part], [curve.high[i] for i in part]
            if len(part) > 1:
                axes.fill_between(x, low, high, color=colour, alpha=0.15, lw=0, zorder=2)
            else:
                axes.plot([x[0], x[0]], [low[0], high[0]], color=colour, lw=1.2, zorder=2)
    return handle
