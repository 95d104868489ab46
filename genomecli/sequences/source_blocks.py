"""Blocks with what their headers say, read only where somebody asks: most blocks need just the codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import InputError, UsageError
from genomecli.sequences.blocks import Block
from genomecli.sequences.codes import genetic_code
from genomecli.sequences.headers import Header, TableRules, decode_header
from genomecli.sequences.many_headers import Headers
from genomecli.sequences.openers import Location
from genomecli.sequences.regions import Region
from genomecli.sequences.settings import SourceSettings

_NAMELESS = re.compile(rb"\n(?=[ \t\n\v\f])")


@dataclass(frozen=True)
class SourceBlock:
    """A block with what its headers say.

    Args:
        block: symbols, offsets, counts; see :class:`~genomecli.sequences.blocks.Block`.
        tables: int32[n], genetic codes: the header's own, else a rule's, else the source's.
        circular: bool[n]: the setting, else what the header says, else False.
        location: the file.
        key_pattern: what finds the pairing key in a header, see :class:`SourceSettings`.
        regions: the n regions of contigs that the records are; None where they are whole contigs.
    """

    block: Block
    tables: NDArray[np.int32]
    circular: NDArray[np.bool_]
    location: Location
    key_pattern: re.Pattern[str] | None = None
    regions: Sequence[Region] | None = None

    @cached_property
    def headers(self) -> Headers:
        """The n headers, read."""
        return Headers(self.block.headers, self.block.first, self.key_pattern)


class HeaderPolicy:
    """Turns blocks into source blocks, and counts what their headers changed.

    Args:
        options: rules, key pattern and topology.
        table: the source's genetic code.
        counts: what is counted into.
    """

    def __init__(self, options: SourceSettings, table: int, counts: Counter[str]) -> None:
        self._kind = options.kind
        self._ring = options.circular
        self._rules = TableRules(options.table_rules) if options.table_rules else None
        self._key_pattern = re.compile(options.key_pattern) if options.key_pattern else None
        self._table = table
        self._counts = counts

    def apply(self, block: Block, location: Location) -> SourceBlock:
        """The block with its genetic codes and topology; counts each record once, at its end.

        Raises:
            InputError: if a header states a genetic code that there is not.
        """
        tables = np.full(len(block), self._table, np.int32)
        circular = np.full(len(block), bool(self._ring), np.bool_)
        found = SourceBlock(block, tables, circular, location, self._key_pattern)
        joined = b"\n".join([b"", *block.headers, b""])
        if b"transl_table" in joined or self._rules is not None:
            self._set_tables(found)
        if self._ring is None and (b"ircular" in joined or b"opology" in joined):
            circular[:] = [bool(header.circular) for header in found.headers]
        if block.last:
            self._count(found, joined)
        return found

    def _set_tables(self, found: SourceBlock) -> None:
        for i, header in enumerate(found.headers):
            ruled = None if self._rules is None else self._rules.table(decode_header(found.block.headers[i]))
            found.tables[i] = _known(header, found.location) or ruled or self._table
            if found.block.last and header.table not in (None, self._table):
                name = f"{self._kind}: header states genetic code {header.table}, settings {self._table}"
                self._counts[name] += 1

    def _count(self, found: SourceBlock, joined: bytes) -> None:
        self._counts[f"{self._kind} read"] += len(found.block)
        if nameless := len(_NAMELESS.findall(joined)):
            self._counts[f"{self._kind} changed: header without an id, named by its place"] += nameless


def _known(header: Header, where: Location) -> int | None:
    """The genetic code that the header states, checked."""
    if header.table is None:
        return None
    try:
        return genetic_code(header.table).table
    except UsageError as error:
        raise InputError(error.what, where=f"{where}, record {header.id!r}", fix=error.fix) from error
