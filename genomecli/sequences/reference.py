"""A reference genome that variants refer to: through an index where the file allows it, else held in memory.

Plain and bgzip FASTA are read by :class:`~genomecli.sequences.random_access.RandomAccess`. Plain gzip has no
random access: a small file is read whole, a big one is refused with the command that packs it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA, Alphabet, Codes
from genomecli.sequences.fasta import read_fasta
from genomecli.sequences.openers import open_input
from genomecli.sequences.random_access import RandomAccess
from genomecli.sequences.variants import HeldSequence, SequenceView

SMALL = 64 << 20
"""Bytes of a gzip file up to which it is read whole: about 250 million bases."""

AHEAD = 1 << 16
"""Symbols read at once from an indexed file, since variants come in order as a rule."""


class Reference:
    """Records of a FASTA file by id.

    Args:
        path: plain, bgzip, or small gzip FASTA.
        alphabet: what the letters are read as.
        cache: folder for the index; see :class:`RandomAccess`.

    Attributes:
        lengths: symbols of each record by id, in file order.

    Raises:
        InputError: absent, no FASTA, big and plain gzip, or an id that comes twice.
    """

    def __init__(self, path: Path, *, alphabet: Alphabet = DNA, cache: Path | None = None) -> None:
        self.path = path
        with open_input(path) as stream:
            packing = stream.compression
        self._held: dict[str, HeldSequence] = {}
        self._views: dict[str, SequenceView] = {}
        self._access: RandomAccess | None = None
        if packing in ("gzip", "zip"):
            self._held = _read_whole(path, alphabet, packing)
            self.lengths: Mapping[str, int] = {name: held.length for name, held in self._held.items()}
        else:
            self._access = RandomAccess(path, alphabet=alphabet, cache=cache)
            self.lengths = self._access.lengths

    def record(self, name: str) -> SequenceView | None:
        """A record; None if there is none of that id."""
        if self._access is None:
            return self._held.get(name)
        if name not in self._views and name in self.lengths:
            self._views[name] = _Indexed(self._access, name)
        return self._views.get(name)

    def close(self) -> None:
        """Close the file."""
        if self._access is not None:
            self._access.close()

    def __enter__(self) -> Reference:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Indexed:
    """A record of an indexed file; remembers the stretch that was read last."""

    def __init__(self, access: RandomAccess, name: str) -> None:
        self._access = access
        self._name = name
        self._start = 0
        self._symbols = access.alphabet.encode(b"")
        self.length = access.lengths[name]

    def fetch(self, start: int, stop: int) -> Codes:
        """uint8[stop - start]."""
        if start < self._start or stop > self._start + len(self._symbols):
            begin = max(0, start - AHEAD // 4)
            end = min(self.length, max(stop, begin + AHEAD))
            self._symbols, self._start = self._access.fetch(self._name, begin, end), begin
        return self._symbols[start - self._start : stop - self._start]


def _read_whole(path: Path, alphabet: Alphabet, packing: str) -> dict[str, HeldSequence]:
    size = path.stat().st_size
    if size > SMALL:
        plain = path.with_suffix("") if path.suffix else path
        raise InputError(
            f"is {packing} of {size >> 20} MiB, which has no random access",
            where=path,
            fix=f"pack it with: gunzip -c {path} | bgzip > {plain}.bgz",
        )
    held: dict[str, HeldSequence] = {}
    for record in read_fasta(path, alphabet, invalid="keep"):
        if record.id in held:
            raise InputError(
                "this id comes twice", where=f"{path}, record {record.id!r}", fix="keep ids apart"
            )
        held[record.id] = HeldSequence(record.symbols)
    return held
