"""GFF3 and GTF, line by line, into rows; what the rows mean together is ``gene_models``'s matter.

Positions are 1-based inclusive in the file and 0-based half-open here. GFF3's percent signs are decoded.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from genomecli.errors import InputError
from genomecli.sequences.fasta import Readable


@dataclass(frozen=True, slots=True)
class GffRow:
    """One line of nine columns.

    Args:
        seqid: the contig.
        type: such as ``CDS``.
        start, end: 0-based half-open; ``end`` may lie beyond a circular contig's length.
        strand: +1, -1, or 0 where none is given.
        phase: bases before the first whole codon, None where the column holds a dot.
        attributes: decoded values; a GFF3 value list stays one text with commas.
    """

    seqid: str
    type: str
    start: int
    end: int
    strand: int
    phase: int | None
    attributes: dict[str, str]


@dataclass(slots=True)
class GffReader:
    """Reads rows until the end or a FASTA section.

    Args:
        handle: the file, binary.
        where: its name, for errors.

    Attributes:
        fasta: after the rows: what follows ``##FASTA`` (or the first ``>``), None if nothing does.
    """

    handle: io.BufferedReader
    where: object
    fasta: Readable | None = field(default=None, init=False)

    def rows(self) -> Iterator[GffRow]:
        """The rows in file order. Raises InputError with the line of a broken one."""
        for number, raw in enumerate(iter(self.handle.readline, b""), 1):
            if raw.startswith(b"#"):
                if raw.startswith(b"##FASTA"):
                    self.fasta = self.handle
                    return
                continue
            if raw.startswith(b">"):
                self.fasta = _Pushed(raw, self.handle)
                return
            if raw.strip():
                yield _row(raw.decode("utf-8", "replace").rstrip("\r\n"), self.where, number)


class _Pushed:
    """A handle with a line put back in front."""

    def __init__(self, line: bytes, handle: io.BufferedReader) -> None:
        self._line = line
        self._handle = handle

    def read(self, size: int, /) -> bytes:
        """As of a file; the first call gives the whole line, and more only if ``size`` leaves room."""
        line, self._line = self._line, b""
        return line + self._handle.read(max(size - len(line), 0))


def _row(line: str, where: object, number: int) -> GffRow:
    columns = line.split("\t")
    if len(columns) not in (8, 9):
        raise InputError(
            f"has {len(columns)} columns, GFF3 and GTF have 9",
            where=f"{where}, line {number}",
            fix="separate columns by tabs",
        )
    seqid, _, kind, start, end, _, strand, phase = columns[:8]
    try:
        first, last = int(start) - 1, int(end)
    except ValueError:
        raise InputError(f"positions {start!r}, {end!r}", where=f"{where}, line {number}") from None
    if first < 0 or last < first:
        raise InputError(f"ends before it starts ({start}..{end})", where=f"{where}, line {number}")
    return GffRow(
        sys.intern(unquote(seqid)),
        sys.intern(kind),
        first,
        last,
        {"+": 1, "-": -1}.get(strand, 0),
        int(phase) if phase in ("0", "1", "2") else None,
        parse_attributes(columns[8]) if len(columns) == 9 else {},
    )


_GTF = re.compile(r'\s*([\w.]+)\s+("(?:[^"\\]|\\.)*"|[^";\s]+)\s*(?:;|$)')
_GTF_START = re.compile(r"\s*[\w.]+\s+[\"\d]")


def parse_attributes(text: str) -> dict[str, str]:
    """Column nine, of GFF3 (``key=value;``, percent-encoded) or GTF (``key "value";``).

    A GTF key that comes twice, such as ``tag``, holds its values with commas between.
    """
    if _GTF_START.match(text):
        return _gtf_attributes(text)
    found: dict[str, str] = {}
    for item in text.split(";"):
        key, equals, value = item.strip().partition("=")
        if equals:
            found[sys.intern(unquote(key))] = unquote(value) if "%" in value else value
    return found


def _gtf_attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in _GTF.findall(text):
        plain = value[1:-1] if value.startswith('"') else value
        found[sys.intern(key)] = f"{found[key]},{plain}" if key in found else plain
    return found
