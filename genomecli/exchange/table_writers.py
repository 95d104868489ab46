"""Writers of embedding tables: each goes through the rows once or twice, and holds a few MiB of them.

Equal rows give equal bytes. Paths given here are written to directly: whoever calls makes that atomic.

Shapes: n rows, C columns, D width.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np

from genomecli.exchange.table_format import Label, RowSource, TableBlock, TableHeader, Vectors
from genomecli.files import canonical_json

META_KEY = "genomecli"
IDS_ENDING = ".ids.tsv"
ROWS_TENSOR = "rows_json"
_NEEDS_QUOTES = re.compile(r"[\t\n\r\"]")
_DIGITS = {"float32": "%.9g", "float16": "%.5g"}


def tsv_field(value: Label) -> str:
    """A field of a TSV line: quoted as in CSV if it holds a tab, a line end or a quote."""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def tsv_line(values: Iterable[Label]) -> str:
    """A line of TSV without its end."""
    return "\t".join(map(tsv_field, values))


class TsvWriter:
    """A table as lines of text, to a file or to standard output.

    Args:
        stream: where lines go; opened with ``newline=""`` if it is a file.
        header: of the table.
    """

    def __init__(self, stream: TextIO, header: TableHeader) -> None:
        self._stream = stream
        self._count = len(header.columns) * header.width
        self._numbers = f"\t{_DIGITS[header.dtype]}" * self._count + "\n"
        names = [f"{column}_{i}" for column in header.columns for i in range(header.width)]
        stream.write(tsv_line(["id", *(name for name, _ in header.labels), *names]) + "\n")

    def write(self, block: TableBlock) -> None:
        """Write some rows."""
        rows = block.vectors.reshape(len(block), self._count)
        for names, values in zip(zip(block.ids, *block.labels, strict=True), rows, strict=True):
            self._stream.write(tsv_line(names) + self._numbers % tuple(values.tolist()))


def write_tsv(path: Path, header: TableHeader, rows: RowSource) -> None:
    """Write a table as TSV."""
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = TsvWriter(stream, header)
        for block in rows.blocks():
            writer.write(block)


def write_ids(path: Path, header: TableHeader, rows: RowSource) -> None:
    """Write ids and labels alone, as TSV: what stands beside an NPY file."""
    with open(path, "w", encoding="utf-8", newline="") as stream:
        stream.write(tsv_line(["id", *(name for name, _ in header.labels)]) + "\n")
        for block in rows.blocks():
            stream.writelines(tsv_line(names) + "\n" for names in zip(block.ids, *block.labels, strict=True))


def write_npy(path: Path, header: TableHeader, rows: RowSource) -> None:
    """Write the vectors of a table as NPY; :func:`write_ids` writes what stands beside it."""
    columns = len(header.columns)
    shape = (rows.rows, header.width) if columns == 1 else (rows.rows, columns, header.width)
    dtype = np.dtype(header.dtype).newbyteorder("<")
    with open(path, "wb") as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": dtype.str, "fortran_order": False, "shape": shape}
        )
        for block in rows.blocks():
            stream.write(block.vectors.astype(dtype, copy=False).tobytes())


def write_parquet(path: Path, header: TableHeader, rows: RowSource) -> None:
    """Write a table as Parquet."""
    import pyarrow as pa
    from pyarrow import parquet

    value = pa.float32() if header.dtype == "float32" else pa.float16()
    names = [name for name, _ in header.labels]
    kinds = [pa.string() if kind == "str" else pa.int64() for _, kind in header.labels]
    schema = pa.schema(
        [
            ("id", pa.string()),
            *zip(names, kinds, strict=True),
            *((column, pa.list_(value, header.width)) for column in header.columns),
        ],
        metadata={META_KEY: canonical_json(header.as_dict())},
    )
    options: dict[str, Any] = {
        "compression": "zstd",
        "use_dictionary": ["id", *names],
        "write_statistics": False,
    }
    with parquet.ParquetWriter(path, schema, **options) as writer:
        for block in rows.blocks():
            labels = [pa.array(values, kind) for values, kind in zip(block.labels, kinds, strict=True)]
            vectors = [
                pa.FixedSizeListArray.from_arrays(_flat(block.vectors[:, i], header.dtype), header.width)
                for i in range(len(header.columns))
            ]
            arrays = [pa.array(block.ids, pa.string()), *labels, *vectors]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _flat(vectors: Vectors, dtype: str) -> Any:
    import pyarrow as pa

    return pa.array(np.ascontiguousarray(vectors, dtype=dtype).reshape(-1))


def write_safetensors(path: Path, header: TableHeader, rows: RowSource) -> None:
    """Write a table as safetensors."""
    names = json.dumps(row_names(header, rows), ensure_ascii=False, separators=(",", ":")).encode()
    dtype = np.dtype(header.dtype).newbyteorder("<")
    size = rows.rows * header.width * dtype.itemsize
    entries: dict[str, Any] = {"__metadata__": {META_KEY: json.dumps(header.as_dict(), sort_keys=True)}}
    kind = "F32" if header.dtype == "float32" else "F16"
    for i, column in enumerate(header.columns):
        shape = [rows.rows, header.width]
        entries[column] = {"dtype": kind, "shape": shape, "data_offsets": [i * size, (i + 1) * size]}
    end = len(header.columns) * size
    entries[ROWS_TENSOR] = {"dtype": "U8", "shape": [len(names)], "data_offsets": [end, end + len(names)]}
    head = json.dumps(entries, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as stream:
        stream.write(struct.pack("<Q", len(head)) + head)
        _write_columns(stream, 8 + len(head), size, rows, dtype)
        stream.seek(8 + len(head) + end)
        stream.write(names)


def _write_columns(
    stream: BinaryIO, start: int, size: int, rows: RowSource, dtype: np.dtype[np.floating[Any]]
) -> None:
    done = 0
    for block in rows.blocks():
        for i in range(block.vectors.shape[1]):
            stream.seek(start + i * size + done)
            piece = np.ascontiguousarray(block.vectors[:, i], dtype=dtype)
            stream.write(piece.tobytes())
        done += piece.nbytes


def row_names(header: TableHeader, rows: RowSource) -> dict[str, list[Label]]:
    """Ids (``id``) and labels of all rows, by name."""
    names: dict[str, list[Label]] = {"id": [], **{name: [] for name, _ in header.labels}}
    for block in rows.blocks():
        names["id"] += block.ids
        for (name, _), values in zip(header.labels, block.labels, strict=True):
            names[name] += values
    return names
