"""What all figures share: colours for every eye, fonts, sizes, and files that repeat byte for byte."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from genomecli.analysis.figures.dark import with_dark

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours that people with any colour vision tell apart (Okabe and Ito 2008), without the yellow."""

GREY = "#8a8a8a"
BAND = "#d9d9d9"
INK = "#1f1f1f"

PROPERTY_GROUPS = (
    ("small, aliphatic", "GAVLIMP", "#7a5c00"),
    ("aromatic", "FYW", "#8b3a8b"),
    ("polar", "STCNQ", "#00694c"),
    ("acidic", "DE", "#b23a00"),
    ("basic", "KRH", "#00528a"),
    ("stop", "*", "#555555"),
)
"""Amino acids by the property of their side chain: name, letters in order of drawing, colour."""

PROPERTY_ORDER = "".join(letters for _, letters, _ in PROPERTY_GROUPS)

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10.5,
    "axes.edgecolor": "#4d4d4d",
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 2.0,
    "lines.markersize": 6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "genomecli",
    "svg.fonttype": "path",
    "path.simplify": False,
    "text.usetex": False,
    "text.parse_math": False,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with this package's look, whatever the user's matplotlibrc says."""
    import matplotlib

    settings: Any = _RC
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


def new_figure(width: float, height: float, *, rows: int = 1, columns: int = 1, **grid: Any) -> Any:
    """A figure of ``width`` by ``height`` inches and its axes [rows, columns] (never squeezed).

    Made without pyplot, so that no window system or global state is involved.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **grid)


def property_colour(letter: str) -> str:
    """Colour of an amino acid's property group."""
    return next((colour for _, letters, colour in PROPERTY_GROUPS if letter in letters), GREY)


def property_rank(letter: str) -> int:
    """Place of an amino acid in the order of properties."""
    return PROPERTY_ORDER.index(letter)


def light_grid(axes: Axes, axis: str = "y") -> None:
    """Thin lines that help the eye and stay behind the data."""
    axes.grid(axis=axis, color="#e6e6e6", linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def shorten(text: str, limit: int = 28) -> str:
    """``text``, cut in the middle if it has more than ``limit`` characters."""
    if len(text) <= limit:
        return text
    head = (limit - 1) // 2
    return f"{text[:head]}…{text[-(limit - 1 - head) :]}"


def short_number(value: float, _: object = None) -> str:
    """``value`` as people say it: 200, 10 k, 2.5 M, 1 G."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def settle(figure: Figure) -> None:
    """Lay the figure out once and keep that, so that PNG and SVG are alike and neither does it again."""
    with house_style():
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def png_bytes(figure: Figure, dpi: int) -> bytes:
    """The figure as PNG without date or version, so that equal figures are equal bytes."""
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG without date or version; with colours for dark pages too, where that is safe."""
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return with_dark(buffer.getvalue())
