"""A part: what reading one source leaves for the merge. Symbols as raw files, rows as Parquet, a report.

A part folder holds, for each molecule that occurs, ``MOLECULE.symbols`` (a byte a symbol), ``MOLECULE.soft``
(if any letter was lower case) and ``MOLECULE.parquet`` (its rows, in order), besides ``dropped.tsv``,
``checks.tsv`` (translations) and ``report.json``. It decides nothing that needs other parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.arrow_columns import to_arrow, to_numpy
from genomecli.corpus.digests import DIGITS, hasher
from genomecli.corpus.manifest import MOLECULES, Molecule
from genomecli.corpus.records_table import arrow_schema
from genomecli.corpus.tally import Tally
from genomecli.sequences.alphabets import Codes

ROW_TYPES = {
    "id": "string",
    "description": "string",
    "ordinal": "int64",
    "length": "int64",
    "at": "int64",
    "gene": "string",
    "table": "int32",
    "contig": "string",
    "strand": "int8",
    "cds_start": "int64",
    "cds_end": "int64",
    "frame_ok": "bool",
    "partial5": "bool",
    "partial3": "bool",
    "has_start": "bool",
    "has_stop": "bool",
    "digest": "string",
    "translation": "string",
    "side": "string",
    "whole": "bool",
}
"""Columns of a part's rows. ``ordinal``: of the source record of its molecule; ``at``: first symbol in the
raw file; ``digest``: empty for contigs, which the merge hashes; ``translation``: digest of a cds' protein;
``side``: train, valid or test as the header says, or empty; ``whole``: it is no piece of a record that was
cut."""

ROW_DEFAULTS: dict[str, Any] = {
    "description": "",
    "gene": "",
    "table": 0,
    "contig": "",
    "strand": 0,
    "cds_start": -1,
    "cds_end": -1,
    "frame_ok": True,
    "partial5": False,
    "partial3": False,
    "has_start": False,
    "has_stop": False,
    "translation": "",
    "side": "",
    "whole": True,
}

ROW_GROUP = 1 << 16
_BUFFER = 1 << 20


class MoleculeWriter:
    """Writes the rows of one molecule of a part, symbols as a stream.

    Rows are written one at a time: :meth:`write` any number of times, then :meth:`end_row` or
    :meth:`cancel_row`. A record may have many rows; :meth:`cancel_record` takes all of them back.
    """

    def __init__(self, folder: Path, molecule: Molecule) -> None:
        self.molecule = molecule
        self.tally = Tally()
        self._folder = folder
        self._file: IO[bytes] = open(folder / f"{molecule}.symbols", "wb", buffering=_BUFFER)  # noqa: SIM115
        self._soft: IO[bytes] | None = None
        self._rows: dict[str, list[Any]] = {name: [] for name in ROW_TYPES}
        self._parquet: Any = None
        self._size = 0
        self._row_at = 0
        self._digest = self._new_digest()
        self._record: tuple[int, int] = (0, 0)
        self._ordinal = -1

    def begin_record(self) -> None:
        """What follows, until the next call, is one record of the source."""
        if len(self._rows["id"]) >= ROW_GROUP:
            self._flush()
        self._record = (self._size, len(self._rows["id"]))
        self._ordinal += 1

    def write(self, symbols: Codes, soft: Codes | None) -> None:
        """Add symbols (uint8[n]) and their soft mask to the row."""
        data = np.ascontiguousarray(symbols)
        self._file.write(data.data)
        if self._digest is not None:
            self._digest.update(data.data)
        if soft is not None and self._soft is None and soft.any():
            self._soft = open(self._folder / f"{self.molecule}.soft", "wb", buffering=_BUFFER)  # noqa: SIM115
        if self._soft is not None:
            # What was never written reads zero, and takes no room on the disk.
            self._soft.seek(self._size)
            if soft is not None and soft.any():
                self._soft.write(np.ascontiguousarray(soft).data)
        self._size += len(data)

    def end_row(self, **fields: Any) -> None:
        """Close the row; ``fields`` are columns of :data:`ROW_TYPES` that differ from their defaults."""
        row = ROW_DEFAULTS | fields
        row |= {"at": self._row_at, "length": self._size - self._row_at, "ordinal": self._ordinal}
        row["digest"] = "" if self._digest is None else self._digest.hexdigest()
        for name, column in self._rows.items():
            column.append(row[name])
        self._start_row()

    def write_rows(
        self, symbols: Codes, lengths: NDArray[np.int64], columns: Mapping[str, Sequence[Any]]
    ) -> None:
        """Write whole records of one row each, none of them lower case.

        Args:
            symbols: uint8[N], their symbols joined.
            lengths: int64[n].
            columns: n values of each column of :data:`ROW_TYPES` that differs from its default.
        """
        count = len(lengths)
        if len(self._rows["id"]) + count > ROW_GROUP:
            self._flush()
        data = np.ascontiguousarray(symbols)
        self._file.write(data.data)
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        assert self.molecule != "genome", "contigs are written as streams"
        memory, blake2b, size = memoryview(data), hashlib.blake2b, DIGITS // 2  # type: ignore[arg-type]
        digests = [
            blake2b(memory[begin:end], digest_size=size).hexdigest()
            for begin, end in pairwise(bounds.tolist())
        ]
        made: dict[str, Sequence[Any]] = {
            "at": (self._size + bounds[:-1]).tolist(),
            "length": lengths.tolist(),
            "ordinal": range(self._ordinal + 1, self._ordinal + 1 + count),
            "digest": digests,
        }
        for name, column in self._rows.items():
            given = made.get(name, columns.get(name))
            column.extend([ROW_DEFAULTS[name]] * count if given is None else given)
        self._ordinal += count
        self._size += len(data)
        self._record = (self._size, len(self._rows["id"]))
        self._start_row()

    def name_rows(self, names: list[str]) -> None:
        """Give the rows of the record these ids, one each."""
        first = self._record[1]
        assert len(names) == len(self._rows["id"]) - first
        self._rows["id"][first:] = names

    def cancel_row(self) -> None:
        """Forget the row that is being written."""
        self._truncate(self._row_at)

    def cancel_record(self) -> None:
        """Forget all rows of the record."""
        size, rows = self._record
        for column in self._rows.values():
            del column[rows:]
        self._truncate(size)

    def _truncate(self, size: int) -> None:
        for handle in (self._file, self._soft):
            if handle is not None:
                handle.flush()
                handle.truncate(size)
                handle.seek(size)
        self._size = size
        self._start_row()

    def _start_row(self) -> None:
        self._row_at = self._size
        self._digest = self._new_digest()

    def _new_digest(self) -> hashlib.blake2b | None:
        return None if self.molecule == "genome" else hasher()

    def _flush(self) -> None:
        from pyarrow import Table, parquet

        schema = arrow_schema(ROW_TYPES)
        fields = [to_arrow(self._rows[name], kind) for name, kind in ROW_TYPES.items()]
        if self._parquet is None:  # read once, then gone: not worth packing
            path = self._folder / f"{self.molecule}.parquet"
            self._parquet = parquet.ParquetWriter(
                path, schema, compression="none", use_dictionary=False, write_statistics=False
            )
        self._parquet.write_table(Table.from_arrays(fields, schema=schema))
        for column in self._rows.values():
            column.clear()

    def close(self) -> None:
        """Finish the files."""
        self._flush()
        self._parquet.close()
        if self._soft is not None:
            self._soft.truncate(self._size)
            self._soft.close()
        self._file.close()


class PartWriter:
    """Writes a part folder; a molecule's files appear when it is first asked for. A context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writers: dict[Molecule, MoleculeWriter] = {}
        self._tables: dict[str, IO[str]] = {}

    def __enter__(self) -> PartWriter:
        return self

    def molecule(self, molecule: Molecule) -> MoleculeWriter:
        """The writer of a molecule's rows."""
        if molecule not in self._writers:
            self._writers[molecule] = MoleculeWriter(self.folder, molecule)
        return self._writers[molecule]

    def line(self, table: str, *cells: object) -> None:
        """Add a line to ``TABLE.tsv``."""
        if table not in self._tables:
            path = self.folder / f"{table}.tsv"
            self._tables[table] = open(path, "w", encoding="utf-8", newline="\n")  # noqa: SIM115
        self._tables[table].write("\t".join(" ".join(str(cell).split()) for cell in cells) + "\n")

    def drop(self, molecule: Molecule, record_id: str, reason: str, symbols: int) -> None:
        """Count a record that a policy drops, and name it in ``dropped.tsv``."""
        self.molecule(molecule).tally.note("dropped", reason, symbols)
        self.line("dropped", molecule, record_id, reason, symbols)

    def tallies(self) -> dict[str, Tally]:
        """What became of the records so far, by molecule."""
        return {name: self._writers[name].tally for name in MOLECULES if name in self._writers}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()
        for handle in self._tables.values():
            handle.close()


class PartRows:
    """The rows of one molecule of a finished part: numpy columns, and where their symbols are."""

    def __init__(self, folder: Path, molecule: Molecule) -> None:
        from pyarrow import parquet

        table = parquet.ParquetFile(folder / f"{molecule}.parquet").read()
        self.columns: dict[str, NDArray[Any]] = {name: to_numpy(table.column(name)) for name in ROW_TYPES}
        self.symbols = folder / f"{molecule}.symbols"
        soft = folder / f"{molecule}.soft"
        self.soft = soft if soft.exists() else None

    def __len__(self) -> int:
        return len(self.columns["id"])

    @staticmethod
    def present(folder: Path, molecule: Molecule) -> bool:
        """Whether the part has this molecule."""
        return (folder / f"{molecule}.parquet").exists()
