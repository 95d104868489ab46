"""Tables as rows of text: TSV, CSV, semicolons, blanks; Parquet. Plain, gzip, a zip member, a stream.

A text table is read line by line, so that every place is the line in the file; blank lines are passed over.
Without ``delimiter`` it is the first of tab, comma, semicolon and blank that the first line holds. A column
without a name (as pandas writes its index) is ``column_1`` and so on by its place.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TextIO

from genomecli.errors import FOREIGN, InputError
from genomecli.sequences.openers import InputStream
from genomecli.tasks.rows import BATCH, TableRows, short_name
from genomecli.tasks.settings import DataSettings

MAGIC_PARQUET = b"PAR1"
LONGEST_CELL = 1 << 30
_SIGNS = {"tab": "\t", "comma": ",", "semicolon": ";", "space": " "}
Line = tuple[int, list[str]]


def table_rows(stream: InputStream, settings: DataSettings) -> Iterator[TableRows]:
    """The rows of an open table, in batches.

    Raises:
        InputError: no table, a line with too few or too many cells, or an unclosed quote.
    """
    if stream.peek(4) == MAGIC_PARQUET:
        if settings.columns:
            what = "is Parquet, which names its columns itself"
            raise InputError(what, where=stream.location, fix="leave out data.columns")
        yield from _parquet(stream)
        return
    yield from _text(stream, settings)


def _text(stream: InputStream, settings: DataSettings) -> Iterator[TableRows]:
    lines = _lines(stream, settings.delimiter)
    names = list(settings.columns)
    if not names:
        _, first = next(lines, (0, []))
        names = _named(first)
    twice = _twice(names)
    where = short_name(stream.location)
    empty = True
    while batch := list(islice(lines, BATCH)):
        for number, cells in batch:
            if len(cells) != len(names):
                raise _ragged(number, cells, names, settings, stream)
        columns = dict(zip(names, ([cell.strip() for cell in c] for c in _columns(batch)), strict=True))
        yield TableRows(stream.location, columns, [f"{where}, line {n}" for n, _ in batch], twice)
        empty = False
    if empty:
        raise InputError("holds no row below its header", where=stream.location)


def _columns(batch: list[Line]) -> Iterator[Sequence[str]]:
    return zip(*(cells for _, cells in batch), strict=True)


def _named(header: list[str]) -> list[str]:
    return [name.strip() or f"column_{i}" for i, name in enumerate(header, 1)]


def _twice(names: Sequence[str]) -> frozenset[str]:
    return frozenset(name for name, count in Counter(names).items() if count > 1)


def _ragged(
    number: int, cells: list[str], names: list[str], settings: DataSettings, stream: InputStream
) -> InputError:
    said = "data.columns" if settings.columns else "the header"
    return InputError(
        f"has {len(cells)} cells, and {said} {len(names)}",
        where=f"{stream.location}, line {number}",
        fix="correct the line, or set data.delimiter",
    )


def _lines(stream: InputStream, delimiter: str) -> Iterator[Line]:
    """Cells of each line that is not blank, with its number from 1."""
    text = stream.text()
    first = text.readline().removeprefix("\ufeff")
    before = 1
    while first and not first.strip():
        first = text.readline()
        before += 1
    if "\0" in first:
        raise InputError("is no text table", where=stream.location, fix="give TSV, CSV, Parquet or FASTA")
    sign = _sign(first) if delimiter == "auto" else _SIGNS[delimiter]
    rest = _Continued(first, text)
    if sign == " ":
        cells: Iterator[Line] = ((n, line.split()) for n, line in enumerate(rest, before))
    else:
        cells = _delimited(rest, sign, before - 1, stream)
    return ((number, row) for number, row in cells if len(row) > 1 or any(cell.strip() for cell in row))


class _Continued:
    """Lines with a first one put back."""

    def __init__(self, first: str, rest: TextIO) -> None:
        self._first = first
        self._rest = rest

    def __iter__(self) -> Iterator[str]:
        yield self._first
        yield from self._rest


def _sign(line: str) -> str:
    return next((sign for sign in "\t,; " if sign in line.strip("\r\n ")), "\t")


def _delimited(lines: _Continued, sign: str, before: int, stream: InputStream) -> Iterator[Line]:
    csv.field_size_limit(LONGEST_CELL)  # the default of 128 kB is shorter than some genes
    reader = csv.reader(iter(lines), delimiter=sign, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            yield before + reader.line_num, row
    except csv.Error as error:
        raise InputError(
            f"cannot be read as a table ({error})",
            where=f"{stream.location}, line {before + reader.line_num}",
            fix="close its quotes, or set data.delimiter",
        ) from error


def _parquet(stream: InputStream) -> Iterator[TableRows]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    content = io.BytesIO()
    while data := stream.read():
        content.write(data)
    where = short_name(stream.location)
    try:
        table = ParquetFile(content)
        names = _named(list(table.schema_arrow.names))
        done = 0
        for batch in table.iter_batches(batch_size=BATCH):
            columns = {name: _texts(batch.column(i), name) for i, name in enumerate(names)}
            places = [f"{where}, row {n}" for n in range(done + 1, done + 1 + len(batch))]
            yield TableRows(stream.location, columns, places, _twice(names))
            done += len(batch)
    except (ArrowException, OSError, *FOREIGN) as error:
        raise InputError(
            f"is a broken Parquet file ({' '.join(str(error).split())})", where=stream.location
        ) from error
    if not done:
        raise InputError("holds no row", where=stream.location)


def _texts(column: Any, name: str) -> list[str]:
    """Cells as text: null is empty, numbers as Python writes them, lists joined by semicolons."""
    return [_text_of(value) for value in column.to_pylist()]


def _text_of(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if isinstance(value, list):
        return ";".join(_text_of(item) for item in value)
    return str(value).strip()
