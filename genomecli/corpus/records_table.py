"""The records table of a corpus: one row a record, as Parquet on disk and as numpy columns in memory.

n rows. Places are 0-based and half-open. A column is read from the file when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.arrow_columns import to_arrow
from genomecli.errors import FOREIGN, InputError

if TYPE_CHECKING:
    import pyarrow

RECORDS_FILE = "records.parquet"
SPLITS = ("train", "valid", "test")

COLUMNS: dict[str, tuple[str, str]] = {
    "row": ("int64", "number of the record in the corpus, from 0; rows of a group follow one another"),
    "species": ("string", "species"),
    "molecule": ("string", "genome, cds or protein"),
    "id": ("string", "the record's own id; with :first-last (1-based, inclusive) where a record was cut"),
    "description": ("string", "the rest of its header, or the product"),
    "length": ("int64", "symbols"),
    "shard": ("int32", "index of the shard in which it starts, in the manifest's list of shards"),
    "start": ("int64", "its first symbol in that shard; a longer one goes on at the start of the next shard"),
    "split": ("string", "train, valid or test"),
    "family": ("int64", "gene family, over all species; -1 where there is none"),
    "gene": ("string", "what pairs a cds with its protein within a species; empty where nothing does"),
    "table": ("int32", "genetic code"),
    "source": ("int32", "index of the source in the manifest"),
    "contig": ("string", "the sequence that it was cut from, empty if not known"),
    "strand": ("int8", "+1 or -1 on the contig, 0 if not known"),
    "cds_start": ("int64", "first base on the contig, -1 if not known"),
    "cds_end": ("int64", "one past its last base on the contig, -1 if not known"),
    "frame_ok": ("bool", "cds: frame 0 has no internal stop under its code; true for others"),
    "partial5": ("bool", "its start is not the gene's"),
    "partial3": ("bool", "its end is not the gene's"),
    "has_start": ("bool", "cds: the first codon may start a protein; protein: starts with M"),
    "has_stop": ("bool", "cds: a stop codon ended it in the source, trimmed or not"),
    "gc": ("float32", "share of G and C among A, C, G, T; 0 for protein"),
    "gc3": ("float32", "the same at third codon positions of a cds; 0 for others"),
    "digest": (
        "string",
        "16 hex digits of the BLAKE2b, of contigs the SHA-256, of the symbols: the same for equal ones",
    ),
}
"""Type and meaning of each column."""


class RecordTable:
    """Some rows of a records table, as numpy columns: ``table.length``, ``table.id``, ...

    Args:
        columns: whole columns, or where to load them from.
        rows: int64[n], which rows, in order.
    """

    def __init__(self, columns: Columns, rows: NDArray[np.int64]) -> None:
        self._columns = columns
        self.row = rows

    def __len__(self) -> int:
        return len(self.row)

    def column(self, name: str) -> NDArray[Any]:
        """One column, [n]; strings are object arrays. Raises KeyError."""
        return self._columns.load(name)[self.row]

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name.startswith("_") or name not in COLUMNS:
            raise AttributeError(name)
        return self.column(name)

    def __getitem__(self, chosen: NDArray[Any] | slice) -> RecordTable:
        """The rows of a boolean mask [n], of indices into this table, or of a slice."""
        return RecordTable(self._columns, self.row[chosen])


class Columns:
    """Whole columns of a table, loaded from Parquet when first asked for, or held in memory.

    Args:
        path: of the table.
        held: columns that are in memory.
        size: rows that each column on disk has to have; None for any.
    """

    def __init__(
        self,
        path: Path | None = None,
        held: Mapping[str, NDArray[Any]] | None = None,
        size: int | None = None,
    ) -> None:
        self._path = path
        self._size = size
        self._held: dict[str, NDArray[Any]] = dict(held or {})

    def load(self, name: str) -> NDArray[Any]:
        """One whole column. Raises KeyError for an unknown one, InputError if the file is broken."""
        if name not in self._held:
            if self._path is None or name not in COLUMNS:
                raise KeyError(name)
            found = _read_column(self._path, name)
            if self._size not in (None, len(found)):
                what = f"has {len(found)} rows where the manifest has {self._size}"
                raise InputError(what, where=self._path, fix="tokenize again")
            self._held[name] = found
        return self._held[name]

    def __getstate__(self) -> dict[str, Any]:
        return {
            "_path": self._path,
            "_size": self._size,
            "_held": {} if self._path is not None else self._held,
        }


def _read_column(path: Path, name: str) -> NDArray[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        column = parquet.read_table(path, columns=[name]).column(0)
        values: NDArray[Any] = column.to_numpy()
    except (OSError, pa.ArrowException, *FOREIGN) as error:
        said = " ".join(str(error).split())
        raise InputError(f"column {name} cannot be read: {said}", where=path, fix="tokenize again") from None
    expected = COLUMNS[name][0].replace("string", "object")
    if values.dtype != expected:
        what = f"column {name} holds {values.dtype}, not {COLUMNS[name][0]}"
        raise InputError(what, where=path, fix="tokenize again")
    values.setflags(write=False)
    return values


def arrow_schema(names: Mapping[str, str]) -> pyarrow.Schema:
    """The Arrow schema of columns given as name to type."""
    import pyarrow as pa

    return pa.schema([(name, pa.type_for_alias(kind)) for name, kind in names.items()])


def write_records(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write a whole records table; ``columns`` holds every column of :data:`COLUMNS`, [n] each.

    Equal columns give equal bytes.
    """
    from pyarrow import Table, parquet

    schema = arrow_schema({name: kind for name, (kind, _) in COLUMNS.items()})
    fields = [to_arrow(columns[name], kind) for name, (kind, _) in COLUMNS.items()]
    parquet.write_table(
        Table.from_arrays(fields, schema=schema),
        path,
        compression="zstd",
        row_group_size=1 << 16,
        store_schema=False,
    )
