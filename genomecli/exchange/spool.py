"""A spool: rows of a table on their way to a file, kept so that an interrupted run can go on.

A folder beside the table holds three files that only grow: vectors as raw bytes, ids and labels as lines of
JSON, and dropped records likewise. ``state.json`` says how much of them is valid and how many input records
that is; it is written after they are on the disk. NPY and safetensors need the number of rows first: they,
too, are written from here.

Shapes: n rows, C columns, D width.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from genomecli.errors import InputError
from genomecli.exchange.table_format import TableBlock, TableHeader
from genomecli.files import read_json, write_json

STATE = "state.json"
_VECTORS, _ROWS, _DROPPED = "vectors.bin", "rows.jsonl", "dropped.jsonl"
_FILES = (_VECTORS, _ROWS, _DROPPED)
BLOCK_BYTES = 8 << 20
"""Vectors read back at once."""


class Spool:
    """Rows on disk that can be appended to, and gone through once they are complete.

    Args:
        folder: where its files are; made, or taken up if ``resume`` and it is of the same request.
        header: of the table.
        request: what the rows are made from: model, settings, inputs; plain values.
        resume: take up what is there.

    Attributes:
        rows: rows appended.
        records: input records that they and the dropped ones stand for, at the last commit.
        counts: what else is counted of them; kept with each commit.
    """

    def __init__(
        self, folder: Path, header: TableHeader, request: Mapping[str, Any], *, resume: bool = False
    ) -> None:
        self.folder = folder
        self.header = header
        self.rows = 0
        self.records = 0
        self.dropped = 0
        self.counts: Counter[str] = Counter()
        self._request = {"request": dict(request), "header": header.as_dict()}
        sizes = self._take_up() if resume else None
        if sizes is None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            sizes = dict.fromkeys(_FILES, 0)
        self._files = {name: self._open(name, sizes[name]) for name in _FILES}

    def _take_up(self) -> dict[str, int] | None:
        """Sizes of the files' valid parts; None if there is nothing of this request."""
        if not (self.folder / STATE).is_file():
            return None
        state = read_json(self.folder / STATE)
        sizes: dict[str, int] = state["bytes"]
        whole = "counts" in state and all(
            (self.folder / name).is_file() and (self.folder / name).stat().st_size >= size
            for name, size in sizes.items()
        )
        if not whole or {key: state[key] for key in self._request} != json.loads(json.dumps(self._request)):
            return None
        self.rows, self.records, self.dropped = state["rows"], state["records"], state["dropped"]
        self.counts.update(state["counts"])
        return sizes

    def _open(self, name: str, size: int) -> BinaryIO:
        handle = open(self.folder / name, "ab")  # noqa: SIM115 - closed by close()
        handle.truncate(size)
        return handle

    def append(self, block: TableBlock) -> None:
        """Add rows, their vectors cast to the table's dtype.

        Raises:
            InputError: if a vector is not finite in that dtype; nothing is added.
        """
        with np.errstate(over="ignore"):
            values = np.ascontiguousarray(block.vectors, dtype=self.header.dtype)
        if not np.isfinite(values).all():
            bad = int(np.flatnonzero(~np.isfinite(values.reshape(len(block), -1)).all(axis=1))[0])
            raise InputError(
                f"a vector exceeds the range of {self.header.dtype}",
                where=f"record {block.ids[bad]!r}",
                fix="set dtype to float32",
            )
        self._files[_VECTORS].write(values.tobytes())
        names = zip(block.ids, *block.labels, strict=True)
        self._files[_ROWS].write(b"".join(json.dumps(row).encode() + b"\n" for row in names))
        self.rows += len(block)

    def drop(self, record_id: str, reason: str) -> None:
        """Note a record that has no row."""
        self._files[_DROPPED].write(json.dumps([record_id, reason]).encode() + b"\n")
        self.dropped += 1

    def commit(self, records: int) -> None:
        """Make all that was added valid: it stands for the first ``records`` records of the input."""
        for handle in self._files.values():
            handle.flush()
            os.fsync(handle.fileno())
        self.records = records
        write_json(
            self.folder / STATE,
            {
                **self._request,
                "rows": self.rows,
                "records": records,
                "dropped": self.dropped,
                "counts": dict(self.counts),
                "bytes": {name: handle.tell() for name, handle in self._files.items()},
            },
        )

    def blocks(self) -> Iterator[TableBlock]:
        """All rows in order, a few MiB at a time."""
        for handle in self._files.values():
            handle.flush()
        shape = (len(self.header.columns), self.header.width)
        dtype = np.dtype(self.header.dtype)
        size = shape[0] * shape[1] * dtype.itemsize
        step = max(1, BLOCK_BYTES // size)
        with open(self.folder / _VECTORS, "rb") as vectors, open(self.folder / _ROWS, "rb") as names:
            for start in range(0, self.rows, step):
                count = min(step, self.rows - start)
                rows = [json.loads(next(names)) for _ in range(count)]
                values = np.frombuffer(vectors.read(count * size), dtype=dtype).reshape(count, *shape)
                ids, *labels = (list(column) for column in zip(*rows, strict=True))
                yield TableBlock(ids, labels, values)

    def dropped_records(self) -> Iterator[tuple[str, str]]:
        """Id and reason of each dropped record, in order."""
        self._files[_DROPPED].flush()
        with open(self.folder / _DROPPED, "rb") as lines:
            for line in lines:
                record_id, reason = json.loads(line)
                yield record_id, reason

    def close(self) -> None:
        """Close the files, and leave them."""
        for handle in self._files.values():
            handle.close()

    def remove(self) -> None:
        """Close and delete the files."""
        self.close()
        shutil.rmtree(self.folder)
