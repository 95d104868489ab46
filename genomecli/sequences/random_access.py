"""Random access to big genomes through pyfaidx, plain or bgzip, its index in our own cache folder.

Nothing is ever written beside the input: pyfaidx is shown a link in the cache folder, under a name that says
how the file is packed, which pyfaidx wants to know by name and we know by content. The index belongs to the
file's path, size and time of change. Plain gzip has no random access: stream it instead.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA, Alphabet, Codes
from genomecli.sequences.openers import open_input


def default_cache() -> Path:
    """``$GENOMECLI_CACHE``, else ``$XDG_CACHE_HOME/genomecli``, else ``~/.cache/genomecli``."""
    own = os.environ.get("GENOMECLI_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genomecli"


class CacheError(InputError):
    """The index cannot be kept. The file itself is fine."""


class RandomAccess:
    """A FASTA file whose records can be read from anywhere.

    Args:
        path: plain or bgzip FASTA, its lines of equal length within a record.
        alphabet: what the letters are read as.
        cache: folder for the index, made if absent; :func:`default_cache` if left out.

    Attributes:
        lengths: symbols of each record by id, in file order.
        compression: ``none`` or ``bgzip``.

    Raises:
        InputError: absent, plain gzip, another packing, ragged lines, or an id that comes twice.
        CacheError: if the index cannot be kept.
    """

    def __init__(self, path: Path, *, alphabet: Alphabet = DNA, cache: Path | None = None) -> None:
        self.path = path
        self.alphabet = alphabet
        self.compression = _packing(path)
        folder = (cache or default_cache()) / "fasta-index" / _key(path)
        self._faidx = _open(path, folder, "input.fa.gz" if self.compression == "bgzip" else "input.fa")
        self.lengths: dict[str, int] = {name: int(row.rlen) for name, row in self._faidx.index.items()}

    def fetch(self, record: str, start: int = 0, stop: int | None = None) -> Codes:
        """Codes of ``record[start:stop]``, uint8; other letters are ``INVALID``. See :meth:`letters`."""
        return self.alphabet.encode(self.letters(record, start, stop))

    def letters(self, record: str, start: int = 0, stop: int | None = None) -> bytes:
        """The letters of ``record[start:stop]`` as they stand in the file, without line ends.

        Args:
            record: its id.
            start: first symbol, 0-based.
            stop: one past the last, the record's end if left out.

        Raises:
            InputError: no such record, a place outside it, or blanks within its lines.
        """
        length = self.lengths.get(record)
        if length is None:
            raise InputError("no such record", where=f"{self.path}, record {record!r}")
        end = length if stop is None else stop
        if not 0 <= start <= end <= length:
            raise InputError(
                f"{start}..{end} is outside 0..{length}", where=f"{self.path}, record {record!r}"
            )
        if start == end:
            return b""
        found = str(self._faidx.fetch(record, start + 1, end)).encode("latin-1", "replace")
        if b" " in found or b"\t" in found:  # they were counted as letters, so places are not what they seem
            where = f"{self.path}, record {record!r}"
            raise InputError("has blanks within its lines", where=where, fix="remove them")
        return found

    def close(self) -> None:
        """Close the file."""
        self._faidx.close()

    def __enter__(self) -> RandomAccess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _packing(path: Path) -> str:
    with open_input(path) as stream:
        if stream.compression in ("gzip", "zip"):
            raise InputError(
                f"is {stream.compression}, which has no random access",
                where=path,
                fix="pack it with bgzip, or unpack it; streaming commands read it as it is",
            )
        return stream.compression


def _key(path: Path) -> str:
    real = path.resolve()
    facts = real.stat()
    text = f"{real}|{facts.st_size}|{facts.st_mtime_ns}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _open(path: Path, folder: Path, name: str) -> Any:
    """Open through the index in ``folder``; it is built elsewhere and renamed, so it is always whole."""
    from pyfaidx import Faidx, FastaIndexingError, UnsupportedCompressionFormat

    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".building-", dir=folder.parent) as draft:
                built = Path(draft) / "index"
                built.mkdir()
                (built / name).symlink_to(path.resolve())
                Faidx(str(built / name), as_raw=True).close()
                with suppress(OSError):  # another process was faster, else the next line fails
                    built.rename(folder)
        return Faidx(str(folder / name), as_raw=True)
    except (FastaIndexingError, UnsupportedCompressionFormat, ValueError) as error:
        raise InputError(
            f"cannot be indexed ({error})", where=path, fix="wrap its lines evenly and keep ids apart"
        ) from error
    except OSError as error:
        raise CacheError(
            f"cannot keep its index ({error.strerror})", where=folder, fix="set GENOMECLI_CACHE to a folder"
        ) from error
