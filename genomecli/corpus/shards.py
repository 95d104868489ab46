"""Shards: safetensors files of named, aligned columns, read by memory map and written as a stream.

Seen through its shards a corpus is one long row of symbols: the shards, one after the other. A record is
an interval of it. Records lie whole in one shard, save those that alone exceed a shard: these
start a shard of their own and go on in the next. N symbols in a shard, n records or pieces of one:
``symbols`` uint8[N], ``soft`` uint8[N] (optional), ``offsets`` int64[n + 1].
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import InputError

Column = Literal["symbols", "soft"]
Counts = NDArray[np.int64]
HEADER_ROOM = 4096
"""Bytes set aside in a shard for its header."""

_DTYPES = {"U8": np.uint8, "I64": np.int64}
COPY = 1 << 19
"""Bytes copied at a time, through one buffer: fresh memory for each piece costs more than the copying."""


def plan_shards(lengths: Counts, *, columns: int, limit: int) -> Counts:
    """Where a group's symbols are cut into shards.

    Args:
        lengths: int64[n], symbols of each record, all above zero.
        columns: bytes a symbol: 1, or 2 with a soft mask.
        limit: bytes that a shard may have.

    Returns:
        int64[shards + 1], first symbol of each shard, and the number of all symbols.
    """
    room = limit - HEADER_ROOM - 8
    cost = np.concatenate([[0], np.cumsum(lengths * columns + 8)])
    ends = np.concatenate([[0], np.cumsum(lengths)])
    bounds, record, begin = [0], 0, 0
    while record < len(lengths):
        # A record cut before has only its rest in this shard.
        spent = cost[record] + (begin - ends[record]) * columns
        stop = int(np.searchsorted(cost, spent + room, side="right")) - 1
        if stop > record:
            record, begin = stop, int(ends[stop])
        else:
            begin += (room - 8) // columns
        bounds.append(begin)
    return np.array(bounds, dtype=np.int64)


@dataclass(frozen=True)
class Span:
    """Symbols ``start`` to ``stop`` of raw column files, one byte a symbol; no ``soft`` file is all zeros."""

    symbols: Path
    soft: Path | None
    start: int
    stop: int


def write_shard(path: Path, spans: Sequence[Span], offsets: Counts, *, soft: bool) -> None:
    """Write one shard from pieces of raw files, in bounded memory.

    Args:
        path: the new file.
        spans: where its symbols come from, in order.
        offsets: int64[n + 1], where its records start, and their end.
        soft: whether it holds a soft mask.
    """
    total = int(offsets[-1])
    assert total == sum(span.stop - span.start for span in spans)
    header: dict[str, Any] = {}
    place = 0
    for name, dtype, size in (
        ("offsets", "I64", len(offsets)),
        *((("soft", "U8", total),) if soft else ()),
        ("symbols", "U8", total),
    ):
        stop = place + size * np.dtype(_DTYPES[dtype]).itemsize
        header[name] = {"dtype": dtype, "shape": [size], "data_offsets": [place, stop]}
        place = stop
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        out.write(np.ascontiguousarray(offsets, dtype="<i8").tobytes())
        if soft:
            _copy(out, [(span.soft, span.start, span.stop) for span in spans])
        _copy(out, [(span.symbols, span.start, span.stop) for span in spans])


def _copy(out: BinaryIO, pieces: Sequence[tuple[Path | None, int, int]]) -> None:
    buffer, zeros = memoryview(bytearray(COPY)), memoryview(bytes(COPY))
    with ExitStack() as stack:
        opened: dict[Path, FileIO] = {}
        for path, start, stop in pieces:
            if path is not None and path not in opened:
                opened[path] = stack.enter_context(open(path, "rb", buffering=0))
            while start < stop:
                size = min(COPY, stop - start)
                data = zeros[:size] if path is None else _read(opened[path], start, buffer[:size])
                out.write(data)
                start += len(data)


def _read(file: FileIO, start: int, room: memoryview) -> memoryview:
    """Bytes of ``file`` from ``start`` on: as many as there is room for, or fewer."""
    file.seek(start)
    size = file.readinto(room)
    assert size, "a part file is shorter than its rows say"
    return room[:size]


def open_shard(path: Path) -> dict[str, NDArray[Any]]:
    """The columns of a shard, memory-mapped and read-only.

    Raises:
        InputError: if the file is no shard, or damaged.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as handle:
            length = int.from_bytes(handle.read(8), "little")
            if not 2 <= length <= min(size - 8, HEADER_ROOM):
                raise ValueError("the header's length is impossible")
            header = json.loads(handle.read(length))
        data = np.memmap(path, dtype=np.uint8, mode="r", offset=0)[8 + length :]
        arrays = {name: _column(data, entry) for name, entry in header.items() if name != "__metadata__"}
        symbols, offsets = arrays["symbols"], arrays["offsets"]
        if offsets[0] != 0 or offsets[-1] != len(symbols) or len(arrays.get("soft", symbols)) != len(symbols):
            raise ValueError("its columns do not fit each other")
    except FileNotFoundError:
        raise InputError("is missing", where=path, fix="tokenize again") from None
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(f"is no shard of a corpus ({error})", where=path, fix="tokenize again") from None
    return arrays


def _column(data: NDArray[np.uint8], entry: dict[str, Any]) -> NDArray[Any]:
    begin, end = entry["data_offsets"]
    (length,) = entry["shape"]
    dtype = np.dtype(_DTYPES[entry["dtype"]])
    if not 0 <= begin <= end <= len(data) or (end - begin) != length * dtype.itemsize:
        raise ValueError("a column lies outside of the file")
    # A plain array over the map: indexing np.memmap itself is several times slower.
    return np.asarray(data[begin:end]).view(dtype)


class ShardedColumns:
    """The shards of a corpus as one long row of symbols, memory-mapped when first touched.

    Args:
        paths: the files in order.
        sizes: int64[shards], symbols in each.
    """

    def __init__(self, paths: Sequence[Path], sizes: Sequence[int] | Counts) -> None:
        self.paths = list(paths)
        self.base: Counts = np.concatenate([[0], np.cumsum(np.asarray(sizes, dtype=np.int64))]).astype(
            np.int64
        )
        self._maps: list[dict[str, NDArray[Any]] | None] = [None] * len(self.paths)

    def __len__(self) -> int:
        return int(self.base[-1])

    def shard(self, index: int) -> dict[str, NDArray[Any]]:
        """The columns of one shard. Raises InputError."""
        columns = self._maps[index]
        if columns is None:
            columns = open_shard(self.paths[index])
            expected = int(self.base[index + 1] - self.base[index])
            if len(columns["symbols"]) != expected:
                raise InputError(
                    f"holds {len(columns['symbols'])} symbols where the records table has {expected}",
                    where=self.paths[index],
                    fix="tokenize again",
                )
            self._maps[index] = columns
        return columns

    def read(self, start: int, stop: int, column: Column = "symbols") -> NDArray[np.uint8]:
        """Symbols ``start`` to ``stop``: uint8; a view within a shard, a copy across shards.

        A column that a shard does not hold reads zero.
        """
        index = int(np.searchsorted(self.base, start, side="right")) - 1
        if stop <= self.base[min(index + 1, len(self.paths))]:
            offset = int(self.base[index]) if index < len(self.paths) else start
            return self._piece(index, start - offset, stop - offset, column)
        out = np.empty(stop - start, dtype=np.uint8)
        self._read_into(out, start, index, column)
        return out

    def _piece(self, index: int, start: int, stop: int, column: Column) -> NDArray[np.uint8]:
        if start == stop:
            return np.zeros(0, dtype=np.uint8)
        found = self.shard(index).get(column)
        return np.zeros(stop - start, dtype=np.uint8) if found is None else found[start:stop]

    def _read_into(self, out: NDArray[np.uint8], start: int, index: int, column: Column) -> None:
        done = 0
        while done < len(out):
            offset = start + done - int(self.base[index])
            size = min(len(out) - done, int(self.base[index + 1] - self.base[index]) - offset)
            out[done : done + size] = self._piece(index, offset, offset + size, column)
            done += size
            index += 1

    def gather(self, starts: Counts, lengths: Counts, column: Column = "symbols") -> NDArray[np.uint8]:
        """Many intervals, one after the other: uint8[sum(lengths)].

        Long intervals are copied one by one, short ones by one indexing a shard: measured on one core,
        the first is faster from about 100 symbols on.
        """
        total = int(lengths.sum())
        out = np.empty(total, dtype=np.uint8)
        if total == 0:
            return out
        ends = np.cumsum(lengths)
        first = np.searchsorted(self.base, starts, side="right") - 1
        whole = starts + lengths <= self.base[np.minimum(first + 1, len(self.paths))]
        if total < SHORT * len(starts) and whole.all():
            self._index_into(out, starts, lengths, ends, first, column)
            return out
        if whole.all() and (first == first[0]).all():
            found = self.shard(int(first[0])).get(column)
            if found is None:
                out[:] = 0
                return out
            begins = starts - self.base[first[0]]
            pieces = [found[a:b] for a, b in zip(begins.tolist(), (begins + lengths).tolist(), strict=True)]
            return np.concatenate(pieces, out=out)
        base = self.base.tolist()
        places = zip((ends - lengths).tolist(), ends.tolist(), starts.tolist(), first.tolist(), strict=True)
        for (begin, end, start, index), inside in zip(places, whole.tolist(), strict=True):
            if inside:
                offset = start - base[index]
                out[begin:end] = self._piece(index, offset, offset + end - begin, column)
            else:
                self._read_into(out[begin:end], start, index, column)
        return out

    def _index_into(
        self,
        out: NDArray[np.uint8],
        starts: Counts,
        lengths: Counts,
        ends: Counts,
        first: Counts,
        column: Column,
    ) -> None:
        within = np.arange(len(out)) - np.repeat(ends - lengths, lengths)
        for index in np.unique(first[lengths > 0]).tolist():
            found = self.shard(index).get(column)
            mine = first == index
            place = np.repeat(starts - self.base[index], lengths) + within
            if mine.all():
                out[:] = 0 if found is None else found[place]
                continue
            chosen = np.repeat(mine, lengths)
            out[chosen] = 0 if found is None else found[place[chosen]]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": [None] * len(self.paths)}


SHORT = 100
"""Mean length of intervals below which one indexing is faster than copies one by one."""
