"""The reader of a corpus: records by row, symbols by memory map. Imports no torch.

n rows or windows. Positions within a record are 0-based and half-open.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeGuard

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.manifest import KIND, MOST, CorpusInfo, Group, Molecule, SpeciesInfo
from genomecli.corpus.records_table import RECORDS_FILE, Columns, RecordTable
from genomecli.corpus.shards import Column, Counts, ShardedColumns
from genomecli.errors import InputError, refusing
from genomecli.files import read_json, read_manifest, verify_manifest
from genomecli.sequences.alphabets import Codes

LEXICON_FILE = "tokenizer.json"
Verify = Literal["none", "size", "sha256"]


def _are_sizes(values: object) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


class CorpusReader:
    """A corpus on disk. Use :meth:`open`. Can be pickled; maps are opened anew in another process.

    Attributes:
        path: its folder.
        manifest: the whole manifest, as plain values.
        info: species, groups and shards of it.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest
        self.info = CorpusInfo.from_dict(manifest, where=path)
        sizes = manifest.get("shard_symbols")
        if not _are_sizes(sizes) or len(sizes) != len(self.info.shards) or sum(sizes) >= MOST:
            raise InputError("is no manifest of a corpus (shard_symbols do not fit its shards)", where=path)
        if unknown := [name for name in self.info.shards if name not in manifest["files"]]:
            raise InputError(f"names shard {unknown[0]!r}, which is none of its files", where=path)

    @classmethod
    def open(cls, path: Path | str, verify: Verify = "size") -> CorpusReader:
        """Open a finished corpus.

        Args:
            path: its folder.
            verify: check presence and size of every file, also its sha256, or nothing.

        Raises:
            InputError: if it is no finished corpus, or a file is missing or altered.
        """
        folder = Path(path)
        manifest = read_manifest(folder, KIND)
        if verify != "none":
            verify_manifest(folder, deep=verify == "sha256")
        return cls(folder, manifest)

    @property
    def species(self) -> tuple[SpeciesInfo, ...]:
        """The species, in order."""
        return self.info.species

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups that hold records, in row order."""
        return self.info.groups

    def group(self, species: str, molecule: str) -> Group:
        """One group. Raises InputError naming what there is."""
        for group in self.groups:
            if (group.species, group.molecule) == (species, molecule):
                return group
        known = ", ".join(group.name for group in self.groups)
        raise InputError(f"holds no {molecule} of {species!r}", where=self.path, fix=f"it holds {known}")

    def __len__(self) -> int:
        return sum(group.records for group in self.groups)

    @cached_property
    def lexicon(self) -> Lexicon:
        """The default vocabulary and tokenizers that were chosen when the corpus was made."""
        where = self.path / LEXICON_FILE
        return Lexicon.from_dict(read_json(where), where=where)

    @cached_property
    def _columns(self) -> Columns:
        return Columns(self.path / RECORDS_FILE, size=len(self))

    @cached_property
    def _length(self) -> Counts:
        lengths: Counts = self._columns.load("length")
        return lengths

    @cached_property
    def _store(self) -> ShardedColumns:
        paths = [self.path / name for name in self.info.shards]
        return ShardedColumns(paths, self.manifest["shard_symbols"])

    @cached_property
    def _place(self) -> Counts:
        """int64[n]: first symbol of each record in the row of all shards."""
        lengths = self._length
        with refusing("has places that are no numbers", where=self.path / RECORDS_FILE):
            shard = self._columns.load("shard").astype(np.int64)
            start = self._columns.load("start").astype(np.int64)
        if len(shard) and not 0 <= shard.min() <= shard.max() < len(self.info.shards):
            raise InputError("names a shard that is not there", where=self.path / RECORDS_FILE)
        place: Counts = self._store.base[shard] + start
        if len(place) and (min(place.min(), lengths.min()) < 0 or (place > len(self._store) - lengths).any()):
            raise InputError("has a record outside of the shards", where=self.path / RECORDS_FILE)
        return place

    def records(
        self, species: str | None = None, molecule: Molecule | None = None, split: str | None = None
    ) -> RecordTable:
        """The records of a species, molecule or split; all where nothing is given. May be empty."""
        _ = self._length  # refuses a table that has not the rows of the manifest
        ranges = [
            np.arange(group.first_row, group.first_row + group.records, dtype=np.int64)
            for group in self.groups
            if species in (None, group.species) and molecule in (None, group.molecule)
        ]
        rows = np.concatenate(ranges) if ranges else np.zeros(0, dtype=np.int64)
        table = RecordTable(self._columns, rows)
        return table if split is None else table[table.split == split]

    def _interval(self, row: int, start: int, stop: int | None) -> tuple[int, int]:
        length = int(self._length[row])
        stop = length if stop is None else stop
        if not 0 <= start <= stop <= length:
            raise IndexError(f"{start} to {stop} is outside of record {row} of length {length}")
        place = int(self._place[row])
        return place + start, place + stop

    def symbols(self, row: int, start: int = 0, stop: int | None = None) -> Codes:
        """Codes of a record or a part of it: uint8, a view of the memory map within a shard.

        Raises:
            IndexError: outside of the record.
        """
        return self._store.read(*self._interval(row, start, stop))

    def soft(self, row: int, start: int = 0, stop: int | None = None) -> Codes | None:
        """1 where the letter was lower case: uint8; None where its group holds no soft mask."""
        interval = self._interval(row, start, stop)
        if not next(g.soft for g in self.groups if g.first_row <= row < g.first_row + g.records):
            return None
        return self._store.read(*interval, column="soft")

    def gather(
        self,
        rows: NDArray[np.int64],
        starts: NDArray[np.int64],
        lengths: NDArray[np.int64],
        column: Column = "symbols",
    ) -> tuple[Codes, Counts]:
        """Many windows at once.

        Args:
            rows: int64[n], the records.
            starts: int64[n], first position within each record.
            lengths: int64[n], symbols of each window.
            column: ``symbols`` or ``soft`` (zeros where there is no mask).

        Returns:
            The windows one after the other, uint8[cu[n]], and where each starts, ``cu`` int64[n + 1].

        Raises:
            IndexError: if a window is not inside of its record.
        """
        rows, starts, lengths = (np.asarray(a, dtype=np.int64) for a in (rows, starts, lengths))
        cu = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(lengths, out=cu[1:])
        if len(rows) and (
            starts.min() < 0 or lengths.min() < 0 or (starts + lengths > self._length[rows]).any()
        ):
            raise IndexError("a window is outside of its record")
        return self._store.gather(self._place[rows] + starts, lengths, column), cu
