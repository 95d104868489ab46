"""Embedding tables in files: Parquet, TSV, NPY, safetensors and h5ad.

| format | ids | labels | vectors |
|---|---|---|---|
| Parquet | ``id`` | a column each | a column each, fixed-size list of D floats |
| TSV | ``id`` | a column each | D columns each, ``NAME_0`` ...; nine digits, so float32 is exact |
| NPY | ``TABLE.npy.ids.tsv`` | there too | [n, D], or [n, C, D] with several columns |
| safetensors | ``rows_json``: uint8, JSON with a list each | there too | a tensor [n, D] each |
| h5ad | ``obs_names`` | ``obs`` | ``obsm``: an array [n, D] each |

Parquet, safetensors and h5ad also keep the header. A new format is a file with a writer and a reader, its
name in ``TableFormat`` and one line in :data:`KINDS`. Shapes: n rows, C columns, D width.
"""

from __future__ import annotations

import csv
import json
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from tokenize import TokenError  # numpy's, for the header of a broken NPY
from typing import NamedTuple

import numpy as np

from genomecli.errors import FOREIGN, InputError
from genomecli.exchange.table_format import (
    EmbeddingTable,
    Label,
    RowSource,
    TableHeader,
    Vectors,
    beside,
    format_of,
)
from genomecli.exchange.table_h5ad import read_h5ad, write_h5ad
from genomecli.exchange.table_writers import (
    IDS_ENDING,
    META_KEY,
    ROWS_TENSOR,
    write_ids,
    write_npy,
    write_parquet,
    write_safetensors,
    write_tsv,
)
from genomecli.extras import need
from genomecli.files import atomic_path
from genomecli.inference.settings import TableFormat


def save_table(
    path: Path | str,
    header: TableHeader,
    rows: RowSource,
    *,
    kind: TableFormat | None = None,
    force: bool = False,
) -> None:
    """Write a table atomically; with NPY also its ids' file.

    Args:
        path: the file.
        header: of the table.
        rows: its rows.
        kind: the format; None for that of the file's ending.
        force: replace what is there.

    Raises:
        UsageError: if it exists and ``force`` is not given, or its ending is not known.
    """
    target = Path(path)
    kind = kind or format_of(target)
    with atomic_path(target, force=force) as temporary:
        KINDS[kind].write(temporary, header, rows)
        if kind == "npy":
            with atomic_path(beside(target, IDS_ENDING), force=True) as names:
                write_ids(names, header, rows)


def check_kind(kind: TableFormat) -> None:
    """Raise UsageError where a format needs a library that is not installed."""
    needed = KINDS[kind].needs
    if needed is not None:
        need(needed, f".{kind}")


def read_table(path: Path | str) -> EmbeddingTable:
    """Read a whole table that ``embed`` wrote, in any of its formats.

    Raises:
        InputError: if it is absent or no such table.
        UsageError: if its ending is not known.
    """
    source = Path(path)
    kind = format_of(source)
    if not source.is_file():
        raise InputError("no such file", where=source)
    try:
        return KINDS[kind].read(source)
    except (OSError, EOFError, StopIteration, SyntaxError, TokenError, struct.error, *FOREIGN) as error:
        raise InputError(f"is no embedding table: {' '.join(str(error).split())}", where=source) from error


def _read_parquet(path: Path) -> EmbeddingTable:
    from pyarrow import parquet

    table = parquet.read_table(path)
    header = json.loads(table.schema.metadata[META_KEY.encode()])
    columns = tuple(header["columns"])
    labels = {name: table[name].to_pylist() for name, _ in header["labels"]}
    shape = (len(table), header["width"])
    vectors = {
        name: table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(shape)
        for name in columns
    }
    return EmbeddingTable(table["id"].to_pylist(), columns, vectors, labels, header["meta"])


def _read_tsv(path: Path) -> EmbeddingTable:
    with open(path, encoding="utf-8", newline="") as stream:
        lines = csv.reader(stream, delimiter="\t")
        names = next(lines)
        columns = list(dict.fromkeys(name.rpartition("_")[0] for name in names if name.endswith("_0")))
        first = names.index(f"{columns[0]}_0")
        ids, labels, rows = [], [], []
        for line in lines:
            ids.append(line[0])
            labels.append(line[1:first])
            rows.append(np.array(line[first:], dtype=np.float32))
    width = (len(names) - first) // len(columns)
    values = np.array(rows, dtype=np.float32).reshape(len(ids), len(columns), width)
    by_column: dict[str, Vectors] = {name: values[:, i] for i, name in enumerate(columns)}
    return EmbeddingTable(ids, tuple(columns), by_column, _labels(names[1:first], labels))


def _labels(names: list[str], rows: Iterable[list[str]]) -> dict[str, list[Label]]:
    """Label columns by name; one that holds whole numbers only is read as numbers."""
    by_name = dict(zip(names, map(list, zip(*rows, strict=True)), strict=False)) if names else {}
    return {name: _numbers(by_name.get(name, [])) for name in names}


def _numbers(values: list[str]) -> list[Label]:
    whole = all(value.removeprefix("-").isdecimal() for value in values)
    return [int(value) for value in values] if whole else list(values)


def _read_npy(path: Path) -> EmbeddingTable:
    values = np.load(path, allow_pickle=False)
    values = values[:, None] if values.ndim == 2 else values
    with open(beside(path, IDS_ENDING), encoding="utf-8", newline="") as stream:
        lines = csv.reader(stream, delimiter="\t")
        names = next(lines)
        rows = list(lines)
    if len(rows) != len(values):
        raise ValueError(f"{len(values)} vectors and {len(rows)} ids")
    columns = tuple(f"vector{i}" for i in range(values.shape[1]))
    by_column = {name: values[:, i] for i, name in enumerate(columns)}
    ids = [row[0] for row in rows]
    return EmbeddingTable(ids, columns, by_column, _labels(names[1:], (row[1:] for row in rows)))


def _read_safetensors(path: Path) -> EmbeddingTable:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as tensors:
            header = json.loads((tensors.metadata() or {})[META_KEY])
            names = json.loads(tensors.get_tensor(ROWS_TENSOR).tobytes())
            columns = tuple(header["columns"])
            vectors = {name: tensors.get_tensor(name) for name in columns}
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    return EmbeddingTable(names.pop("id"), columns, vectors, names, header["meta"])


class TableKind(NamedTuple):
    """How tables of one format are written and read.

    Args:
        write: to a path, which is replaced.
        read: from a path.
        needs: a library that is not required, if it takes one.
    """

    write: Callable[[Path, TableHeader, RowSource], None]
    read: Callable[[Path], EmbeddingTable]
    needs: str | None = None


KINDS: dict[TableFormat, TableKind] = {
    "parquet": TableKind(write_parquet, _read_parquet),
    "tsv": TableKind(write_tsv, _read_tsv),
    "npy": TableKind(write_npy, _read_npy),
    "safetensors": TableKind(write_safetensors, _read_safetensors),
    "h5ad": TableKind(write_h5ad, read_h5ad, "anndata"),
}
