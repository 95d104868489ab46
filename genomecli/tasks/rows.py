"""Rows of text: what tables and FASTA files have in common, before anything is made of a cell.

Everything is text first. A name such as ``1``, ``NO`` or ``1e-4`` stays a name where classes are wanted, and
only ``labels`` and ``covariates`` turn cells into numbers, deliberately.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from genomecli.errors import InputError
from genomecli.sequences.openers import Location

CLASS = "class"
"""What the label of records is called whose files are classes."""

BATCH = 8192
"""Rows that are held at once while a table is read."""


class Rows(Protocol):
    """Some rows of one input, in order."""

    @property
    def places(self) -> Sequence[str]:
        """Where each row stands, for messages."""
        ...

    @property
    def of_fasta(self) -> bool:
        """Whether they are FASTA records, whose columns are words of headers and may be absent."""
        ...

    def has(self, name: str) -> bool:
        """Whether there is a column of that name; of FASTA, whether any of these headers has it."""
        ...

    def column(self, name: str) -> Sequence[str]:
        """The cells of a column. Raises InputError for a table without it; of FASTA empty where absent."""
        ...


def locate(path: str) -> Location:
    """The place that a setting names: a file, ``-``, or a member of a zip as ``FILE.zip::MEMBER``."""
    file, mark, member = path.partition("::")
    return Location(Path(file), member if mark else None)


def short_name(location: Location) -> str:
    """A file's name without its folder, so that outputs do not depend on where the data lies."""
    if location.is_stdin:
        return str(location)
    name = location.path.name
    return f"{name}:{location.member}" if location.member else name


def named_ids(cells: Sequence[str], first: int) -> list[str]:
    """Ids of a table's rows, ``record_7`` for the seventh of the input if its cell is empty, as in FASTA.

    Args:
        cells: of the column of ids.
        first: number of the first row in the input, from 0.
    """
    return [cell or f"record_{first + row}" for row, cell in enumerate(cells, 1)]


def missing_column(name: str, known: Iterable[str], where: object, hint: str = "") -> InputError:
    """The error for a column that a table does not have, with the nearest name; ``hint`` is more to do."""
    names = list(known)
    lower = {other.lower(): other for other in reversed(names)}
    near = difflib.get_close_matches(name.lower(), lower, 1, 0.5)
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    fix = f"did you mean {lower[near[0]]!r}? It has {shown}" if near else f"it has {shown}"
    return InputError(f"has no column {name!r}", where=where, fix=f"{fix}; {hint}" if hint else fix)


@dataclass(frozen=True)
class TableRows:
    """Rows of a table.

    Args:
        where: the file, for errors.
        columns: cells by column name, stripped.
        places: of each row.
        twice: names that stand twice in the header, so that it is not clear which column is meant.
    """

    where: object
    columns: Mapping[str, Sequence[str]]
    places: Sequence[str]
    twice: frozenset[str] = frozenset()
    of_fasta: bool = False

    def has(self, name: str) -> bool:
        """Whether there is such a column."""
        return name in self.columns

    def column(self, name: str) -> Sequence[str]:
        """Cells. Raises InputError if there is no such column, or two."""
        if name in self.twice:
            raise InputError(f"has two columns {name!r}", where=self.where, fix="rename one")
        if name not in self.columns:
            raise missing_column(name, self.columns, self.where)
        return self.columns[name]


@dataclass(frozen=True)
class FastaRows:
    """Records of a FASTA file. Its columns are what the headers say.

    Args:
        ids: first words of the headers.
        headers: whole headers.
        sequences: letters, in the case in which they are written.
        places: of each record.
        class_name: of all records, where files are classes.
    """

    ids: Sequence[str]
    headers: Sequence[str]
    sequences: Sequence[str]
    places: Sequence[str]
    class_name: str = ""
    of_fasta: bool = True

    def has(self, name: str) -> bool:
        """Whether any header has such a word."""
        return any(self.column(name))

    def column(self, name: str) -> Sequence[str]:
        """``header``, ``header:N`` (the N-th word, 1 is the id), or the value of ``NAME=`` or ``NAME:``.

        Where files are classes, ``class`` is the name of theirs.
        """
        if name == "header":
            return self.headers
        if name == CLASS and self.class_name:
            return [self.class_name] * len(self.headers)
        return [header_value(header, name) for header in self.headers]


def header_value(header: str, name: str) -> str:
    """What a FASTA header says of ``name``; empty where it says nothing.

    ``header:N`` is its N-th word. Otherwise the value behind ``NAME=`` or ``NAME:`` up to the next blank, or
    of ``[NAME=...]`` up to the bracket.
    """
    number = name.removeprefix("header:")
    if number != name and re.fullmatch("0*[1-9][0-9]{0,8}", number):
        words = header.split()
        return words[int(number) - 1] if len(words) >= int(number) else ""
    found = _key(name).search(header)
    return (found.group(1) or found.group(2) or "").strip() if found else ""


@lru_cache(maxsize=64)
def _key(name: str) -> re.Pattern[str]:
    plain = re.escape(name)
    return re.compile(rf"\[{plain}=([^\]]*)\]|(?:^|[\s|;]){plain}[=:]([^\s|;]*)")
