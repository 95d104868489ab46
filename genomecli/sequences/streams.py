"""What openers are put together from: a hashed file, gzip of any number of members, read-ahead."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, BinaryIO, Protocol
from zipfile import BadZipFile

from genomecli.errors import InputError

try:
    from isal import isal_zlib as _zlib
except ImportError:
    _zlib = zlib

_GZIP = 31  # zlib's wbits for a gzip header and trailer, both checked
_IN_THREAD = 1 << 18  # below this a hand-over to the hashing thread costs more than the hash
_LENIENT = 64 << 20  # a ratio is judged only beyond this many unpacked bytes


class ByteSource(Protocol):
    """Something that gives bytes until it gives none."""

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; fewer is allowed; empty means the end."""

    def close(self) -> None:
        """Give back what is held."""


def fill(source: ByteSource, size: int, start: bytes = b"") -> bytes:
    """``start`` and then what ``source`` gives, until ``size`` bytes or its end."""
    parts, total = [start] if start else [], len(start)
    while total < size:
        data = source.read(size - total)
        if not data:
            break
        parts.append(data)
        total += len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)  # one read is not copied


class Limit:
    """Refuses compressed input that grows too much.

    Args:
        where: what to name in the error.
        max_ratio: unpacked bytes allowed for each packed byte.
        known: packed bytes, where they are known beforehand.
    """

    def __init__(self, where: object, max_ratio: float, known: int = 0) -> None:
        self.where = where
        self.max_ratio = max_ratio
        self.packed = known
        self.unpacked = 0

    def grow(self, unpacked: int, packed: int = 0) -> None:
        """Count bytes. Raises InputError beyond the ratio."""
        self.packed += packed
        self.unpacked += unpacked
        if self.unpacked > _LENIENT and self.unpacked > self.max_ratio * max(self.packed, 1):
            raise InputError(
                f"unpacks to more than {self.max_ratio:g} times its size",
                where=self.where,
                fix="raise max_ratio if the file is sound",
            )


class FileSource:
    """A raw file (or zip member) whose bytes are hashed as they are read.

    Args:
        raw: what is read.
        where: what to name in errors.
        limit: counts the bytes of a zip member.
        close: close ``raw`` in the end.
        also_close: something else to close then.
    """

    def __init__(
        self,
        raw: BinaryIO | Any,
        where: object,
        *,
        limit: Limit | None = None,
        close: bool = True,
        also_close: Any = None,
    ) -> None:
        self._raw = raw
        self._where = where
        self._limit = limit
        self._closing = [raw, also_close] if close else []
        self._hash = hashlib.sha256()
        self._size = 0
        self._held = b""
        self._worker: ThreadPoolExecutor | None = None
        self._pending: Future[None] | None = None

    @property
    def size_on_disk(self) -> int:
        """Bytes of the file that was opened, whatever has become of its name; 0 of a pipe."""
        return os.fstat(self._raw.fileno()).st_size

    def peek(self, size: int) -> bytes:
        """The first ``size`` bytes, or all of a shorter file, left to be read again.

        Raises:
            InputError: if the file cannot be read so far.
        """
        while len(self._held) < size and (data := self._take(size - len(self._held))):
            self._held += data
        return self._held

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes. Raises InputError if the file cannot be read on."""
        if self._held:
            data, self._held = self._held[:size], self._held[size:]
            return data
        return self._take(size)

    def _take(self, size: int) -> bytes:
        try:
            data: bytes = self._raw.read(size) or b""
        except (OSError, EOFError, BadZipFile, zlib.error) as error:
            raise InputError(f"cannot be read to its end ({error})", where=self._where) from error
        self._size += len(data)
        if self._limit is not None:
            self._limit.grow(len(data))
        self._digest_in_background(data)
        return data

    def _digest_in_background(self, data: bytes) -> None:
        if self._pending is not None:
            self._pending.result()
            self._pending = None
        if len(data) < _IN_THREAD:
            self._hash.update(data)
            return
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="sha256")
        self._pending = self._worker.submit(self._hash.update, data)

    def digest(self) -> tuple[int, str]:
        """Bytes and sha256 (hex) of the whole file; reads on to its end first.

        Raises:
            InputError: if the file cannot be read to its end.
        """
        while self._take(1 << 20):
            pass
        return self._size, self._hash.hexdigest()

    def close(self) -> None:
        """Close the file and stop the hashing thread."""
        if self._worker is not None:
            self._worker.shutdown(wait=True)
        for item in self._closing:
            if item is not None:
                item.close()


class GzipSource:
    """Unpacks gzip of any number of members (bgzip included), in bounded memory.

    Args:
        file: packed bytes.
        limit: counts both sides; its ``where`` is named in errors.
    """

    def __init__(self, file: FileSource, limit: Limit) -> None:
        self._file = file
        self._limit = limit
        self._member: Any = None
        self._packed = b""
        self._fed = 0
        self._ended = False

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes. Raises InputError where the data is broken or ends early."""
        while not self._ended:
            if self._member is None and not self._next_member():
                break
            data = self._step(size)
            if data:
                return data
        return b""

    def _feed(self) -> bool:
        if not self._packed:
            # Small pieces: after each of a bgzip's 64 kB members the rest is copied.
            self._packed = self._file.read(1 << 16)
            self._limit.grow(0, len(self._packed))
        return bool(self._packed)

    def _next_member(self) -> bool:
        while self._feed():
            self._packed = self._packed.lstrip(b"\0") if self._fed else self._packed
            if self._packed:
                self._member = _zlib.decompressobj(_GZIP)
                self._fed += 1
                return True
        self._ended = True
        return False

    def _step(self, size: int) -> bytes:
        member = self._member
        if not self._feed():
            raise InputError(
                "ends in the middle of its gzip data", where=self._limit.where, fix="fetch it again"
            )
        try:
            data: bytes = member.decompress(self._packed, size)
        except (zlib.error, _zlib.error) as error:
            raise InputError(
                f"is broken gzip ({error})", where=self._limit.where, fix="fetch it again"
            ) from error
        self._packed = member.unused_data if member.eof else member.unconsumed_tail
        if member.eof:
            self._member = None
        self._limit.grow(len(data))
        return data

    def close(self) -> None:
        """Nothing is held."""


class ReadAhead:
    """Reads a source in a thread of its own, at most two chunks ahead.

    Args:
        source: read by the thread only, from now on.
        chunk: bytes a step.
    """

    def __init__(self, source: ByteSource, chunk: int = 1 << 20) -> None:
        self._source = source
        self._chunk = chunk
        self._queue: queue.Queue[bytes | Exception] = queue.Queue(maxsize=2)
        self._stop = threading.Event()
        self._held = b""
        self._done = False
        self._thread = threading.Thread(target=self._work, name="unpack", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                data = fill(self._source, self._chunk)
                self._put(data)
                if not data:
                    return
        except Exception as error:  # handed to the reader, which raises it
            self._put(error)

    def _put(self, item: bytes | Exception) -> None:
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=0.1)
                return

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes. Raises what the source raised."""
        if not self._held and not self._done:
            item = self._queue.get()
            if isinstance(item, Exception):
                self._done = True
                raise item
            self._held, self._done = item, not item
        data, self._held = self._held[:size], self._held[size:]
        return data

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()
        self._thread.join()
        self._source.close()
