"""Tables of scores: one row an allele or a mutant, as lines of TSV, and the same as Parquet.

Every allele and mutant of the input has a row; one without a score says why in ``reason``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genomecli.exchange.table_writers import tsv_field, tsv_line

Kind = Literal["int", "str", "float"]
Floats = NDArray[np.float64]

_SCORES: tuple[tuple[str, Kind], ...] = (
    ("score", "float"),
    ("score_forward", "float"),
    ("score_reverse", "float"),
    ("method", "str"),
    ("tokens", "int"),
    ("reason", "str"),
)

VARIANTS: tuple[tuple[str, Kind], ...] = (
    ("record", "int"),
    ("sequence", "str"),
    ("position", "int"),
    ("id", "str"),
    ("ref", "str"),
    ("alt", "str"),
    *_SCORES,
)
"""Columns of variants: number of the record, CHROM, POS (from 1), ID, REF, ALT as written."""

MUTATIONS: tuple[tuple[str, Kind], ...] = (
    ("record", "int"),
    ("sequence", "str"),
    ("position", "str"),
    ("mutant", "str"),
    ("ref", "str"),
    ("alt", "str"),
    *_SCORES,
)
"""Columns of mutations: number of the row, wild type, places (from 1) and letters parted by ``:``."""

SURPRISES: tuple[tuple[str, Kind], ...] = (
    ("sequence", "str"),
    ("position", "int"),
    ("symbol", "str"),
    ("surprise", "float"),
    ("surprise_forward", "float"),
    ("surprise_reverse", "float"),
)
"""Columns of a scan: record, place (from 1), the letter there, and how little it is expected."""

Cell = str | int | float | None


def header_line(columns: Sequence[tuple[str, Kind]]) -> bytes:
    """The first line of a table."""
    return (tsv_line([name for name, _ in columns]) + "\n").encode()


def row_line(cells: Sequence[Cell]) -> bytes:
    """A line of a table; None and NaN are empty, numbers have nine significant digits."""
    return ("\t".join(map(_text, cells)) + "\n").encode("utf-8", "surrogateescape")


def _text(cell: Cell) -> str:
    if cell is None or cell != cell:
        return ""
    return f"{cell:.9g}" if isinstance(cell, float) else tsv_field(cell)


def to_parquet(body: Path, path: Path, columns: Sequence[tuple[str, Kind]]) -> None:
    """Write a table's TSV as Parquet; empty numbers are null.

    Args:
        body: TSV with its header.
        path: to be written.
        columns: names and types, in order.
    """
    import pyarrow as pa
    from pyarrow import parquet

    types = {"int": pa.int64(), "str": pa.string(), "float": pa.float64()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns])
    options: dict[str, Any] = {"compression": "zstd", "write_statistics": False}
    with parquet.ParquetWriter(path, schema, **options) as writer:
        for batch in _batches(body, schema, columns):
            writer.write_batch(batch)


def _batches(body: Path, schema: Any, columns: Sequence[tuple[str, Kind]]) -> Iterator[Any]:
    from pyarrow import csv

    types = {name: schema.field(name).type for name, _ in columns}
    reader = csv.open_csv(
        body,
        parse_options=csv.ParseOptions(delimiter="\t", newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=False),
    )
    yield from reader


def read_surprises(body: Path, *, bedgraph: bool) -> Iterator[tuple[str, Floats, Floats]]:
    """Sequences of a scan, one after the other: name, 0-based places and values of the symbols that have one.

    Args:
        body: bedGraph, or TSV of :data:`SURPRISES`.
        bedgraph: which of the two.

    Yields:
        Name; float64[n], whole numbers; float64[n] in the unit of the table. Sequences without a value are
        left out.
    """
    with open(body, encoding="utf-8", errors="surrogateescape") as lines:
        next(lines, None)
        rows = (line.rstrip("\n").split("\t") for line in lines)
        for name, group in groupby(rows, key=itemgetter(0)):
            places, values = array("d"), array("d")
            for cells in group:
                if cells[3]:
                    places.append(int(cells[1]) - (0 if bedgraph else 1))
                    values.append(float(cells[3]))
            if places:
                yield name, np.array(places), np.array(values)
