"""Self-contained HTML pages: no network, light and dark, on paper and on a phone.

Everything that comes from data is escaped by the template engine; figures are put in as images. One script of
ours, which the page names by its checksum so that a browser runs no other, sorts tables and reads values off
heat maps; without it the pages say the same.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomecli.version import __version__

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class PageTable:
    """A table of a page.

    Args:
        caption: what it shows.
        columns: headings.
        rows: cells, already as text.
        text: columns that hold text and not figures.
        wrap: columns whose text may run over several lines.
        main: rows that stand out.
        sortable: whether a reader may order the rows by a column: not where rows are different measures.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: frozenset[int] = frozenset({0})
    wrap: frozenset[int] = frozenset()
    main: frozenset[int] = frozenset()
    sortable: bool = True

    def without(self, column: str) -> PageTable:
        """The same table without one column; as it is, if there is no such column."""
        if column not in self.columns:
            return self
        gone = list(self.columns).index(column)

        def shifted(places: frozenset[int]) -> frozenset[int]:
            return frozenset(place - (place > gone) for place in places if place != gone)

        def cut(cells: Sequence[str]) -> list[str]:
            return [cell for place, cell in enumerate(cells) if place != gone]

        rows = [cut(row) for row in self.rows]
        text, wrap = shifted(self.text), shifted(self.wrap)
        return PageTable(self.caption, cut(self.columns), rows, text, wrap, self.main, self.sortable)


@dataclass(frozen=True)
class PageGrid:
    """A heat map of a figure: its values, and where its cells lie in the picture.

    Args:
        title: of the heat map within its figure; may be empty.
        rows: names of the rows, from the top.
        columns: names of the columns.
        values: texts, one a cell.
        box: left, top, width and height, as shares of the picture's width and height.
    """

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[str]]
    box: tuple[float, float, float, float]

    @property
    def place(self) -> str:
        """The box as percentages, for the page's script."""
        return " ".join(f"{100 * share:.3f}" for share in self.box)


@dataclass(frozen=True)
class PageFigure:
    """A figure of a page.

    Args:
        name: file name without ending.
        title: heading in plain words.
        caption: how to read it.
        alt: the same for people who do not see it.
        svg: the drawing.
        narrow: not as wide as the page.
        grids: its heat maps, whose values can be read off.
    """

    name: str
    title: str
    caption: str
    alt: str
    svg: bytes
    narrow: bool = False
    grids: Sequence[PageGrid] = ()

    @property
    def data(self) -> str:
        """The drawing in base64, for a data URL."""
        return base64.b64encode(self.svg).decode("ascii")

    @property
    def adapts(self) -> bool:
        """It is drawn dark on a dark page."""
        return b"prefers-color-scheme" in self.svg


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template of this package; a value that is missing is an error, and all values are escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    own = {"version": __version__, "script": script, "script_digest": digest}
    return environment.get_template(template).render(**own, **values)


def figure_text(value: float | None, digits: int = 2) -> str:
    """A figure with a fixed number of digits; a dash where there is none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def p_text(value: float | None) -> str:
    """A p-value: two significant digits, and never 0."""
    if value is None:
        return "–"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def interval_text(low: float | None, high: float | None, digits: int = 2) -> str:
    """``0.81 to 0.97``; a dash where there is no interval."""
    if low is None or high is None or low != low or high != high:
        return "–"
    return f"{low:.{digits}f} to {high:.{digits}f}"


def count_text(value: int | None) -> str:
    """A count with thin thousands separators; a dash for one that is not known (None, or below 0)."""
    return "–" if value is None or value < 0 else f"{value:,}".replace(",", "\u202f")
