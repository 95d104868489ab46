"""An embedding table as a value: what its rows are called, and which vectors they hold.

A row has an id, further labels (a position, a token, a count, ...) and one vector for each column. Ids are
data: they may repeat, and may hold any character.

Shapes: n rows, C columns, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import UsageError
from genomecli.inference.settings import TableFormat

ENDINGS: dict[str, TableFormat] = {f".{name}": name for name in get_args(TableFormat)}
DTypeName = Literal["float32", "float16"]
Vectors = NDArray[np.floating[Any]]
Label = str | int


@dataclass(frozen=True)
class TableHeader:
    """What all rows of a table share.

    Args:
        columns: names of the C vectors of a row.
        width: D.
        dtype: of the vectors.
        labels: name and type (``str`` or ``int``) of what a row is called besides its id.
        meta: plain values kept in the table, such as the model's fingerprint.
    """

    columns: tuple[str, ...]
    width: int
    dtype: DTypeName = "float32"
    labels: tuple[tuple[str, Literal["str", "int"]], ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "columns": list(self.columns),
            "width": self.width,
            "dtype": self.dtype,
            "labels": [list(label) for label in self.labels],
            "meta": dict(self.meta),
        }


@dataclass(frozen=True)
class TableBlock:
    """Consecutive rows.

    Args:
        ids: n ids.
        labels: for each label of the header its n values.
        vectors: floating[n, C, D].
    """

    ids: Sequence[str]
    labels: Sequence[Sequence[Label]]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.ids)


class RowSource(Protocol):
    """Rows whose number is known, that can be gone through more than once."""

    @property
    def rows(self) -> int:
        """How many there are."""
        ...

    def blocks(self) -> Iterator[TableBlock]:
        """All rows in order, a few MiB at a time."""
        ...


@dataclass(frozen=True)
class HeldRows:
    """Rows that are held in memory."""

    block: TableBlock

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.block)

    def blocks(self) -> Iterator[TableBlock]:
        """All rows at once."""
        yield self.block


@dataclass(frozen=True)
class EmbeddingTable:
    """A whole table in memory.

    Args:
        ids: n ids, in order.
        columns: names of the C vectors of a row.
        vectors: floating[n, D] for each column.
        labels: for each label its n values.
        meta: what the writer noted, where the format keeps it.
    """

    ids: list[str]
    columns: tuple[str, ...]
    vectors: dict[str, Vectors]
    labels: dict[str, list[Label]] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


def format_of(path: Path) -> TableFormat:
    """The format that a file's ending means. Raises UsageError for an unknown one."""
    try:
        return ENDINGS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(ENDINGS)
        raise UsageError("has an ending of no table format", where=path, fix=f"use one of {known}") from None


def beside(path: Path, ending: str) -> Path:
    """A file that belongs to the table ``path``: ``table.npy`` has its ids in ``table.npy.ids.tsv``."""
    return path.with_name(path.name + ending)
