"""Whole contigs from a FASTA stream, in memory that does not grow with them.

A contig longer than ``SPOOL`` goes to an unnamed temporary file and comes back memory-mapped, so that a
chromosome of 250 Mb costs file pages and no anonymous memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from genomecli.errors import RunError
from genomecli.sequences.alphabets import Codes
from genomecli.sequences.blocks import Block
from genomecli.sequences.headers import Header, parse_header

SPOOL = 32 << 20
"""Symbols above which a contig is spooled to a temporary file."""


@dataclass(slots=True)
class Contig:
    """One whole sequence.

    Args:
        header: of its record.
        symbols: uint8[n], codes of its letters.
        soft: uint8[n], 1 for a lower-case letter, else 0; None where that is not kept.
        aliased: letters that were read as another (U in DNA).
    """

    header: Header
    symbols: Codes
    soft: Codes | None
    aliased: int = 0


def read_contigs(blocks: Iterable[Block], *, spool: int = SPOOL) -> Iterator[Contig]:
    """Whole contigs, in order; views into a block where it holds whole records."""
    pieces: _Pieces | None = None
    for block in blocks:
        if block.whole:
            for i, raw in enumerate(block.headers):
                yield Contig(
                    parse_header(raw, block.first + i),
                    block.record_symbols(i),
                    block.record_soft(i),
                    block.record_aliased(i),
                )
            continue
        pieces = pieces or _Pieces(spool)
        pieces.add(block)
        if block.last:
            yield Contig(parse_header(block.headers[0], block.first), *pieces.arrays(), pieces.aliased)
            pieces = None


class _Pieces:
    """Collects a long record's pieces, in memory first, in files beyond the limit."""

    def __init__(self, spool: int) -> None:
        self._symbols = _Spool(spool)
        self._soft = _Spool(spool)
        self._any_soft = False
        self.aliased = 0

    def add(self, block: Block) -> None:
        """Take the next piece."""
        self.aliased += block.record_aliased(0)
        self._symbols.add(block.symbols)
        if block.soft is not None and not self._any_soft:
            self._any_soft = True
            self._soft.add_zeros(block.piece_start)
        if self._any_soft:
            self._soft.add(np.zeros(len(block.symbols), np.uint8) if block.soft is None else block.soft)

    def arrays(self) -> tuple[Codes, Codes | None]:
        """Symbols, uint8[n], and soft mask, uint8[n], None if no piece had one."""
        return self._symbols.array(), self._soft.array() if self._any_soft else None


class _Spool:
    """Bytes that move to a file when they are more than ``limit``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: list[Codes] = []
        self._length = 0
        self._file: BinaryIO | None = None

    def add(self, data: Codes) -> None:
        """Append uint8[n]."""
        self._length += len(data)
        self._held.append(data)
        if self._file is None and self._length <= self._limit:
            return
        with _telling_where():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="genomecli-")  # noqa: SIM115  closed with its mapping
            for held in self._held:
                self._file.write(held.data)
        self._held = []

    def add_zeros(self, count: int) -> None:
        """Append ``count`` zeros."""
        step = 1 << 20
        for start in range(0, count, step):
            self.add(np.zeros(min(step, count - start), np.uint8))

    def array(self) -> Codes:
        """All that was added, uint8[n]; nothing may be added after it."""
        if self._file is None:
            return np.concatenate(self._held) if self._held else np.zeros(0, np.uint8)
        with _telling_where():
            self._file.flush()
        mapped: Codes = np.memmap(self._file, dtype=np.uint8, mode="r", shape=(self._length,))
        self._file.close()  # the mapping keeps the pages
        return mapped


@contextmanager
def _telling_where() -> Iterator[None]:
    """Turn the system's error into one that names the folder, which no file of an output leads to."""
    try:
        yield
    except OSError as error:
        what = f"a long contig cannot be kept there ({error.strerror})"
        fix = "free space, or set TMPDIR to another folder"
        raise RunError(what, where=tempfile.tempdir or "folder of temporary files", fix=fix) from error
