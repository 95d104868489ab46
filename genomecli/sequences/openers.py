"""Open any input by its content: plain, gzip, bgzip, a zip member, or standard input.

Bytes come out in a stream of bounded memory. The sha256 is that of the bytes on disk (not of what they unpack
to), taken once, while they are read, in a second thread. Decompression runs in a thread of its own too, by
``isal`` where that is installed (2 to 3 times as fast), else by ``zlib``; so does the reading of large files.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from genomecli.errors import InputError
from genomecli.sequences.streams import ByteSource, FileSource, GzipSource, Limit, ReadAhead, fill

CHUNK = 1 << 20
"""Bytes asked of a source at once."""

AHEAD_FROM = 16 << 20
"""Bytes of a plain file from which on it is read by a thread of its own."""

_REFUSED = {
    b"BZh": ("is compressed with bzip2", "unpack it with bunzip2, or pack it with gzip"),
    b"\xfd7zXZ\x00": ("is compressed with xz", "unpack it with unxz, or pack it with gzip"),
    b"\x28\xb5\x2f\xfd": ("is compressed with zstd", "unpack it with unzstd, or pack it with gzip"),
    b"\x1f\x9d": ("is compressed with compress", "unpack it with uncompress, or pack it with gzip"),
    b"CRAM": ("is a CRAM file", "give FASTA, GenBank, EMBL or GFF3"),
    b"\x89HDF": ("is an HDF5 file", "give FASTA, GenBank, EMBL or GFF3"),
    b"%PDF": ("is a PDF file", "give FASTA, GenBank, EMBL or GFF3"),
    b"\xff\xfe": ("is UTF-16 text", "save it as plain text (UTF-8 or ASCII)"),
    b"\xfe\xff": ("is UTF-16 text", "save it as plain text (UTF-8 or ASCII)"),
}


@dataclass(frozen=True, slots=True)
class Location:
    """A file, or one member of a zip.

    Args:
        path: the file; ``Path("-")`` is standard input.
        member: name inside a zip, None where the file is no zip or has one member only.
    """

    path: Path
    member: str | None = None

    @property
    def is_stdin(self) -> bool:
        """Whether this is standard input."""
        return str(self.path) == "-"

    @property
    def name(self) -> str:
        """The place without its folder: for notes that are kept, which no machine's paths belong into."""
        return self._shown(self.path.name)

    def __str__(self) -> str:
        return self._shown(str(self.path))

    def _shown(self, path: str) -> str:
        if self.is_stdin:
            return "standard input"
        return f"{path}:{self.member}" if self.member else path


class InputStream:
    """Unpacked bytes of one input, in order, once.

    Attributes:
        location: what was opened.
        compression: ``none``, ``gzip``, ``bgzip`` or ``zip``.
        unpacked: bytes given out so far.
    """

    def __init__(self, location: Location, source: ByteSource, files: list[FileSource], compression: str):
        self.location = location
        self.compression = compression
        self.unpacked = 0
        self._source = source
        self._files = files
        self._held = b""

    def read(self, size: int = CHUNK) -> bytes:
        """Up to ``size`` bytes, fewer only near the end, empty at the end. Raises InputError."""
        if len(self._held) >= size:
            data, self._held = self._held[:size], self._held[size:]
        else:
            data = fill(self._source, size, self._held)
            data, self._held = data[:size], data[size:]
        self.unpacked += len(data)
        return data

    def peek(self, size: int = 4096) -> bytes:
        """The next bytes (up to ``size``) without moving on."""
        if len(self._held) < size:
            self._held = fill(self._source, size, self._held)
        return self._held[:size]

    def text(self) -> io.TextIOWrapper:
        """The rest as text (UTF-8, undecodable bytes replaced), line by line."""
        return io.TextIOWrapper(_Chunks(_Raw(self), CHUNK), encoding="utf-8", errors="replace", newline=None)

    def buffered(self) -> io.BufferedReader:
        """The rest as a buffered binary file, for reading line by line."""
        return io.BufferedReader(_Raw(self), buffer_size=CHUNK)

    def finish(self) -> dict[str, object]:
        """Read what is left of the file, and describe it: path, member, bytes, sha256, compression.

        ``bytes`` and ``sha256`` are those of the file on disk. Raises InputError if the rest is broken.
        """
        while self.read(CHUNK):
            pass
        row: dict[str, object] = {"path": str(self.location.path), "compression": self.compression}
        if self.location.member:
            row["member"] = self.location.member
        size, digest = self._files[0].digest()
        return {**row, "bytes": size, "sha256": digest}

    def close(self) -> None:
        """Stop the threads and close the file."""
        self._source.close()
        for file in self._files:
            file.close()


class _Raw(io.RawIOBase):
    """An input stream as Python's readers want it."""

    def __init__(self, stream: InputStream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the start of ``buffer``; how many bytes, 0 at the end."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Chunks(io.BufferedReader):
    """Gives a reader of text a whole chunk at once, where it asks for 8 kB each time."""

    def read1(self, size: int = -1, /) -> bytes:
        """What one read of the stream gives."""
        return super().read1(CHUNK)


@contextmanager
def open_input(
    location: Location | Path | str, *, max_ratio: float = 200.0, stdin: BinaryIO | None = None
) -> Iterator[InputStream]:
    """Open an input by its content, for reading once.

    Args:
        location: file, zip member, or ``-``.
        max_ratio: how many times compressed input may grow before it is refused.
        stdin: what ``-`` reads; the process's own standard input by default.

    Raises:
        InputError: absent, unreadable, empty, truncated, of an unknown compression, or growing beyond
            ``max_ratio``.
    """
    place = location if isinstance(location, Location) else Location(Path(location))
    stream = _open(place, max_ratio, stdin)
    try:
        yield stream
    finally:
        stream.close()


def _open(place: Location, max_ratio: float, stdin: BinaryIO | None) -> InputStream:
    file = FileSource(_raw_file(place, stdin), place, close=not place.is_stdin)
    try:
        head = file.peek(64)
        _refuse(head, place)
        if head.startswith(b"PK\x03\x04"):
            return _open_zip(place, file, max_ratio)
        if place.member is not None:
            raise InputError("is no zip, so it has no members", where=place.path)
        source, compression = _unpacked(file, head, Limit(place, max_ratio))
        if source is file and not place.is_stdin and file.size_on_disk >= AHEAD_FROM:
            source = ReadAhead(file)
        return InputStream(place, source, [file], compression)
    except BaseException:
        file.close()
        raise


def _raw_file(place: Location, stdin: BinaryIO | None) -> BinaryIO:
    if place.is_stdin:
        return stdin if stdin is not None else sys.stdin.buffer
    if place.path.is_dir():
        raise InputError("is a folder", where=place.path, fix="name a file in it")
    try:
        return place.path.open("rb", buffering=0)
    except FileNotFoundError:
        raise InputError("no such file", where=place.path) from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=place.path) from error


def _refuse(head: bytes, place: Location) -> None:
    for magic, (what, fix) in _REFUSED.items():
        if head.startswith(magic):
            raise InputError(what, where=place, fix=fix)
    if not head:
        raise InputError("is empty", where=place)


def _unpacked(file: FileSource, head: bytes, limit: Limit) -> tuple[ByteSource, str]:
    if not head.startswith(b"\x1f\x8b"):
        return file, "none"
    blocked = len(head) > 13 and head[3] & 4 and head[12:14] == b"BC"
    return ReadAhead(GzipSource(file, limit)), "bgzip" if blocked else "gzip"


def zip_members(path: Path) -> list[str]:
    """Names of the files in a zip, sorted, without folders and what macOS adds. Raises InputError."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _broken_zip(path, error) from error
    return sorted(name for name in names if not name.startswith("__MACOSX/"))


def _broken_zip(path: Path, error: Exception) -> InputError:
    return InputError(f"is a broken zip ({error})", where=path, fix="fetch it again")


def is_zip(path: Path) -> bool:
    """Whether the file's first bytes are those of a zip."""
    if not path.is_file():
        return False
    with path.open("rb") as handle:
        return handle.read(4) == b"PK\x03\x04"


def _open_zip(place: Location, file: FileSource, max_ratio: float) -> InputStream:
    if place.is_stdin:
        raise InputError("a zip cannot be read from a stream", where=place, fix="name the file")
    member = place.member or _only_member(place.path)
    inner = Location(place.path, member)
    try:
        archive = zipfile.ZipFile(place.path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _broken_zip(place.path, error) from error
    try:
        handle = archive.open(member)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        archive.close()
        raise _broken_zip(place.path, error) from error
    except KeyError:
        archive.close()
        raise InputError(f"has no member {member!r}", where=place.path) from None
    except (RuntimeError, NotImplementedError) as error:
        archive.close()
        raise InputError(f"cannot be unpacked ({error})", where=inner, fix="unpack it by hand") from error
    limit = Limit(inner, max_ratio, known=archive.getinfo(member).compress_size)
    content = FileSource(handle, inner, limit=limit, also_close=archive)
    head = content.peek(64)
    _refuse(head, inner)
    source, _ = _unpacked(content, head, Limit(inner, max_ratio))
    return InputStream(inner, source, [file, content], "zip")


def _only_member(path: Path) -> str:
    members = [name for name in zip_members(path) if not name.rsplit("/", 1)[-1].startswith(".")]
    if len(members) == 1:
        return members[0]
    shown = ", ".join(members[:5]) or "none"
    raise InputError(f"holds {len(members)} files ({shown})", where=path, fix="unpack it and name one")
