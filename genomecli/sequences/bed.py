"""BED, line by line: 3 to 12 columns parted by tabs, or by blanks where a line has no tab.

Positions are 0-based half-open in the file, as they are here. Of 12 columns the blocks count, not the whole.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from genomecli.errors import InputError

_STRANDS = {"+": 1, "-": -1}
_HEADERS = frozenset({"track", "browser"})


@dataclass(frozen=True, slots=True)
class BedRow:
    """One line.

    Args:
        contig: its first column.
        parts: (start, end), 0-based half-open: the blocks of 12 columns, otherwise the whole.
        name: the fourth column, empty without one.
        strand: +1, -1, or 0 where none is given.
    """

    contig: str
    parts: tuple[tuple[int, int], ...]
    name: str
    strand: int


def read_bed(handle: io.BufferedReader, where: object) -> Iterator[BedRow]:
    """The rows in file order; comments and header lines are left out.

    A header's first word is ``track`` or ``browser``. A contig may begin so too (``track_1``), or have that
    very name where tabs part the columns.

    Raises:
        InputError: with the line of a broken row.
    """
    for number, raw in enumerate(handle, 1):
        line = raw.decode("utf-8", "replace").strip("\r\n")
        if line.strip() and not line.startswith("#") and not _is_header(line):
            yield _row(line, f"{where}, line {number}")


def _is_header(line: str) -> bool:
    if line.split(maxsplit=1)[0] not in _HEADERS:
        return False
    columns = line.split("\t")
    return not (len(columns) >= 3 and columns[1].isdecimal() and columns[2].isdecimal())


def _row(line: str, where: str) -> BedRow:
    columns = line.split("\t") if "\t" in line else line.split()
    try:
        start, end = int(columns[1]), int(columns[2])
        parts = _blocks(columns, start) if len(columns) >= 12 else ((start, end),)
    except (IndexError, ValueError):
        fix = "a line is: contig, start, end, and further columns, parted by tabs"
        raise InputError(f"is no BED line: {line[:60]!r}", where=where, fix=fix) from None
    if start < 0 or any(last < first for first, last in parts):
        raise InputError(f"ends before it starts ({start}..{end})", where=where)
    name = columns[3] if len(columns) > 3 else ""
    return BedRow(columns[0], parts, name, _STRANDS.get(columns[5], 0) if len(columns) > 5 else 0)


def _blocks(columns: list[str], start: int) -> tuple[tuple[int, int], ...]:
    sizes = [int(size) for size in columns[10].rstrip(",").split(",")]
    begins = [int(begin) for begin in columns[11].rstrip(",").split(",")]
    return tuple((start + a, start + a + size) for a, size in zip(begins, sizes, strict=True))
