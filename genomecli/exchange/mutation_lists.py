"""Lists of mutations: a table with a header, parted by tabs or commas, or one a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from genomecli.errors import InputError
from genomecli.sequences.mutations import Substitution, parse_mutations, undone
from genomecli.sequences.openers import InputStream

MISSING = ("", "NA", "NAN", "N/A", "NULL", ".")
"""How a table says that a value is not known, in any case of letters."""


@dataclass(frozen=True, slots=True)
class MutationRow:
    """A row.

    Args:
        number: of the row, from 1, the header not counted.
        text: the mutations as written.
        mutations: sorted by place; none for the wild type itself.
        wild_type: name of the sequence that they change; empty where the list names none.
        mutated: the changed sequence, if asked for; otherwise empty.
        measured: the measured value, NaN if it is not known; None where none is asked for.
    """

    number: int
    text: str
    mutations: tuple[Substitution, ...]
    wild_type: str = ""
    mutated: str = ""
    measured: float | None = None

    def __str__(self) -> str:
        return f"row {self.number} ({self.text})"


@dataclass(frozen=True)
class MutationColumns:
    """Names of the columns that are wanted; None for one that is not.

    Args:
        mutant: of the mutations.
        wild_type: of the name of the sequence that they change.
        mutated: of the changed sequence.
        measured: of the measured value.
    """

    mutant: str = "mutant"
    wild_type: str | None = None
    mutated: str | None = None
    measured: str | None = None

    @property
    def all(self) -> list[str]:
        """Those that are wanted."""
        chosen = (self.mutant, self.wild_type, self.mutated, self.measured)
        return [name for name in chosen if name is not None]


def read_mutations(stream: InputStream, columns: MutationColumns) -> list[MutationRow]:
    """All rows of a list.

    Args:
        stream: of the text.
        columns: that are wanted; a list without header has the mutations alone.

    Raises:
        InputError: for a missing column, or a row that cannot be read, naming it.
    """
    where = stream.location
    text = io.StringIO(stream.text().read().removeprefix("\ufeff"), newline="")
    first = text.readline()
    text.seek(0)
    delimiter = "\t" if "\t" in first else ","
    if delimiter not in first and first.strip() != columns.mutant:
        if columns.all != [columns.mutant]:
            missing = ", ".join(columns.all)
            raise InputError("has no header with columns", where=where, fix=f"its columns must be {missing}")
        lines = [line.strip() for line in text]
        return [_row(i, {columns.mutant: v}, columns, where) for i, v in _numbered(lines)]
    rows = csv.reader(text, delimiter=delimiter)
    header = [name.strip() for name in next(rows)]
    for name in columns.all:
        if name not in header:
            held = ", ".join(header[:12])
            raise InputError(f"has no column {name!r}", where=where, fix=f"it has {held}")
    found = []
    for count, cells in enumerate((cells for cells in rows if cells), start=1):
        if len(cells) != len(header):
            what = f"has {len(cells)} cells, and the header {len(header)}"
            raise InputError(what, where=f"{where}, row {count}")
        found.append(_row(count, dict(zip(header, cells, strict=True)), columns, where))
    return found


def _numbered(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Lines that hold something, numbered; a comment begins with #."""
    return list(enumerate((line for line in lines if line and not line.startswith("#")), start=1))


def _row(count: int, cells: dict[str, str], columns: MutationColumns, where: object) -> MutationRow:
    text = cells[columns.mutant].strip()
    try:
        mutations = parse_mutations(text)
        measured = None if columns.measured is None else _value(cells[columns.measured])
    except ValueError as error:
        raise InputError(str(error), where=f"{where}, row {count}") from None
    name = "" if columns.wild_type is None else cells[columns.wild_type].strip()
    mutated = "" if columns.mutated is None else cells[columns.mutated].strip()
    return MutationRow(count, text, mutations, name, mutated, measured)


def _value(text: str) -> float:
    if text.strip().upper() in MISSING:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"its measured value {text!r} is no number") from None


def inferred_wild_types(rows: Sequence[MutationRow], where: object) -> dict[str, str]:
    """The sequence that each row's mutated sequence was made from, by name; all rows must agree.

    Raises:
        InputError: naming a row whose sequence does not hold its mutations, or that disagrees.
    """
    found: dict[str, str] = {}
    for row in rows:
        try:
            sequence = undone(row.mutations, row.mutated)
        except ValueError as error:
            raise InputError(str(error), where=f"{where}, {row}") from None
        if found.setdefault(row.wild_type, sequence) != sequence:
            raise InputError(
                "its sequence without its mutations is not that of the rows before it",
                where=f"{where}, {row}",
                fix="name the wild type's file with --wildtype",
            )
    return found
