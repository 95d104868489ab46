"""From the files that the settings name to columns of text: which cells are the sequence, the id, the labels.

A table is read in batches, and only the columns that are wanted are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from genomecli.errors import InputError
from genomecli.sequences.formats import guess_format
from genomecli.sequences.openers import InputStream, open_input
from genomecli.tasks.reading_fasta import fasta_rows
from genomecli.tasks.reading_tables import table_rows
from genomecli.tasks.rows import CLASS, FastaRows, Rows, TableRows, locate, missing_column, named_ids
from genomecli.tasks.settings import DataSettings, TargetSettings
from genomecli.tasks.sides import header_sides, side

TARGET = "TARGET"
"""What FASTA headers call the label where nothing else is said."""

UNREADABLE = "\ufffd"
"""What a byte that is no UTF-8 is read as."""

GROUP = "group"
"""The column of groups of a table where the settings name none."""


@dataclass
class Gathered:
    """Columns of text, n cells each, of all files one after the other.

    Args:
        ids, sequences, places: of each row.
        pair, group, split: None where no row has any.
        covariates: by name.
        labels: by target, one list a column.
        columns: of each target, by name.
        files: of each file: path, bytes, sha256, compression.
        nameless: rows of tables whose id is empty; they are called ``record_N``.
    """

    ids: list[str] = field(default_factory=list)
    sequences: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    pair: list[str] | None = None
    group: list[str] | None = None
    split: list[str] | None = None
    covariates: dict[str, list[str]] = field(default_factory=dict)
    labels: dict[str, list[list[str]]] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    files: list[dict[str, object]] = field(default_factory=list)
    nameless: int = 0


def read_rows(
    data: DataSettings, files: list[dict[str, object]], *, stdin: BinaryIO | None = None
) -> Iterator[Rows]:
    """Batches of rows of all files that the settings name, in order, in constant memory (but for Parquet).

    Args:
        data: the settings.
        files: what was read to its end is added here: path, bytes, sha256, compression.
        stdin: what ``-`` reads.

    Raises:
        InputError: for a file that cannot be read.
    """
    sources = [(path, "") for path in data.path]
    sources += [(path, name) for name, paths in data.classes.items() for path in paths]
    for path, class_name in sources:
        with open_input(locate(path), stdin=stdin) as stream:
            if _is_fasta(stream, data.format, class_name):
                yield from fasta_rows(stream, class_name)
            else:
                yield from table_rows(stream, data)
            files.append(stream.finish())


def _is_fasta(stream: InputStream, wanted: str, class_name: str) -> bool:
    head = stream.peek(1 << 16)
    found = guess_format(head)
    if found == "embl" and not head.lstrip().startswith(b"ID   "):
        found = "unknown"  # a table whose first column is called ID
    if found in ("fastq", "gff") and wanted == "auto":
        raise InputError(f"is {found.upper()}, no table and no FASTA", where=stream.location)
    if class_name and found != "fasta":
        raise InputError("is no FASTA", where=stream.location, fix="data.classes names FASTA files")
    return wanted == "fasta" or (wanted == "auto" and found in ("fasta", "genbank", "embl"))


def gather(
    data: DataSettings, targets: Mapping[str, TargetSettings], *, stdin: BinaryIO | None = None
) -> Gathered:
    """Read all files and keep the columns that are wanted.

    Args:
        data: the settings.
        targets: those whose labels are cells, by name.
        stdin: what ``-`` reads.

    Raises:
        InputError: for a file that cannot be read, or a column that is not there.
    """
    found = Gathered()
    unnamed: list[str] = []
    tables = True
    for rows in read_rows(data, found.files, stdin=stdin):
        assert isinstance(rows, TableRows | FastaRows)
        if isinstance(rows, FastaRows):
            tables = False
            _take_fasta(found, rows, data)
        else:
            _take_table(found, rows, data, _group_column(rows, data, targets))
        for name, settings in targets.items():
            columns, cells = label_cells(rows, name, settings, alone=len(targets) == 1)
            found.columns[name] = columns
            kept = found.labels.setdefault(name, [[] for _ in columns])
            for column, more in zip(kept, cells, strict=True):
                _check_letters(name, more, rows.places)
                column.extend(more)
        for name in data.covariates:
            found.covariates.setdefault(name, []).extend(rows.column(name))
        found.places.extend(rows.places)
        fasta = isinstance(rows, FastaRows)
        unnamed.extend(rows.column(TARGET) if fasta and len(targets) > 1 else [""] * len(rows.places))
    _give_unnamed(found, targets, unnamed)
    _check_columns(found, data, tables=tables)
    return found


def _check_letters(name: str, cells: Sequence[str], places: Sequence[str]) -> None:
    """Refuse labels with letters that could not be read: classes that differ in them would be one."""
    for cell, place in zip(cells, places, strict=True):
        if UNREADABLE in cell:
            what = f"its {name} is {cell!r}, with letters that are no UTF-8"
            raise InputError(what, where=place, fix="save the file as UTF-8")


def _group_column(rows: TableRows, data: DataSettings, targets: Mapping[str, TargetSettings]) -> str | None:
    """The column of groups: that of the settings, or ``group`` where it is there and serves nothing else."""
    if data.group is not None or not rows.has(GROUP):
        return data.group
    labels = (column for name, one in targets.items() for column in one.columns or (name,))
    taken = (data.sequence, data.pair, data.id, data.split, *data.covariates, *labels)
    return None if GROUP in taken else GROUP


def _take_table(found: Gathered, rows: TableRows, data: DataSettings, group: str | None) -> None:
    first = len(found.ids)
    if not rows.has(data.sequence):
        hint = "name that of the sequences with --set finetune.data.sequence=COLUMN"
        raise missing_column(data.sequence, rows.columns, rows.where, hint)
    found.sequences.extend(rows.column(data.sequence))
    if data.id is not None or rows.has("id"):
        cells = rows.column(data.id or "id")
        found.ids.extend(named_ids(cells, first))
        found.nameless += sum(not cell for cell in cells)
    else:
        found.ids.extend(f"row_{first + i + 1}" for i in range(len(rows.places)))
    if data.pair is not None:
        found.pair = [*(found.pair or []), *rows.column(data.pair)]
    given = data.split is not None or rows.has("split")
    sides = [side(word) for word in rows.column(data.split or "split")] if given else []
    _extend(found, rows, sides, rows.column(group) if group is not None else [], first)


def _take_fasta(found: Gathered, rows: FastaRows, data: DataSettings) -> None:
    if data.pair is not None:
        raise InputError("FASTA has no pairs", where=rows.places[0], fix="give a table with both columns")
    first = len(found.ids)
    found.sequences.extend(rows.sequences)
    found.ids.extend(_fasta_ids(rows, data))
    sides = header_sides(rows) if data.split is None else [side(word) for word in rows.column(data.split)]
    _extend(found, rows, sides, rows.column(data.group) if data.group is not None else [], first)


def _fasta_ids(rows: FastaRows, data: DataSettings) -> Sequence[str]:
    """Ids by a word of the headers where that is asked for; records without it keep their own."""
    if data.id is None:
        return rows.ids
    return [word or own for word, own in zip(rows.column(data.id), rows.ids, strict=True)]


def _extend(found: Gathered, rows: Rows, sides: Sequence[str], groups: Sequence[str], first: int) -> None:
    """Add sides and groups; where only some files or records give them, the others have empty ones."""
    for name, cells in (("split", sides), ("group", groups)):
        before = getattr(found, name)
        if any(cells) or before is not None:
            if before is None:
                setattr(found, name, before := [""] * first)
            before.extend(cells or [""] * len(rows.places))


def label_cells(
    rows: TableRows | FastaRows, name: str, settings: TargetSettings, *, alone: bool = True
) -> tuple[tuple[str, ...], list[Sequence[str]]]:
    """The label columns of one target, and their cells.

    Args:
        rows: a batch.
        name: of the target.
        settings: of the target.
        alone: there is no other target, so that TARGET of FASTA headers means this one.
    """
    if settings.columns or isinstance(rows, TableRows):
        columns = settings.columns or (name,)
        return columns, [rows.column(column) for column in columns]
    if rows.class_name:
        return (CLASS,), [rows.column(CLASS)]
    own = rows.column(name)
    if not alone:
        return (name,), [own]
    return (name,), [[a or b for a, b in zip(own, rows.column(TARGET), strict=True)]]


def _give_unnamed(found: Gathered, targets: Mapping[str, TargetSettings], cells: list[str]) -> None:
    """Give what TARGET says to the one of several targets that has no word of its own in any header."""
    if not any(cells):
        return
    lacking = [
        name
        for name, settings in targets.items()
        if not settings.columns and found.columns[name] == (name,) and not any(found.labels[name][0])
    ]
    if len(lacking) > 1:
        named = " and ".join(f"targets.{name}.columns" for name in lacking[1:])
        raise InputError(
            f"the headers have one TARGET= for {len(lacking)} targets: {', '.join(lacking)}",
            where=", ".join(str(file["path"]) for file in found.files[:3]),
            fix=f"set {named} to other words of the headers",
        )
    for name in lacking:
        found.columns[name], found.labels[name] = (TARGET,), [cells]


def _check_columns(found: Gathered, data: DataSettings, *, tables: bool) -> None:
    """Refuse a column that not one FASTA header has, or that is empty in every row of ``tables``."""
    where = ", ".join(str(file["path"]) for file in found.files[:3])
    for target, columns in found.columns.items():
        for column, cells in zip(columns, found.labels[target], strict=True):
            if not any(cells):
                raise _no_label(target, column, where, tables=tables)
    for name, cells in found.covariates.items():
        if not any(cells):
            raise InputError(f"has no covariate {name!r} in any row", where=where)
    if data.group is not None and found.group is None:
        raise InputError(f"has no group {data.group!r} in any row", where=where, fix="correct data.group")
    if data.split is not None and found.split is None:
        raise InputError(f"has no split {data.split!r} in any row", where=where, fix="correct data.split")


def _no_label(target: str, column: str, where: str, *, tables: bool) -> InputError:
    if tables:
        fix = f"fill it, or name the column of the labels in targets.{target}.columns"
        return InputError(f"its column {column!r} is empty in every row", where=where, fix=fix)
    fix = f"write {column}= or TARGET= into the headers, or set targets.{target}.columns"
    return InputError(f"has no label {column!r} in any row", where=where, fix=fix)
