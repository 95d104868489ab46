"""Regions of a genome as FASTA text, a record each: by random access, or out of a stream.

Both give the same bytes, regions in the order in which they lie in the file. Only the letters of one region
are held where regions do not overlap, and of those not even all: they go on as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from genomecli.errors import InputError
from genomecli.sequences.fasta import Readable
from genomecli.sequences.headers import split_header
from genomecli.sequences.random_access import RandomAccess
from genomecli.sequences.regions import Region, by_contig, check_contigs, in_order, unknown_contig

CHUNK = 1 << 20
"""Letters fetched, and bytes read, at once."""

_BLANKS = b"\r\n \t"


class Text:
    """Bytes that are made piece by piece, to be read as from a file.

    Args:
        pieces: the bytes, in order.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, fewer only at the end, empty after it."""
        held, length = [self._held], len(self._held)
        while length < size and (piece := next(self._pieces, None)) is not None:
            held.append(piece)
            length += len(piece)
        data = b"".join(held)
        data, self._held = data[:size], data[size:]
        return data


def indexed_text(access: RandomAccess, regions: Iterable[Region]) -> tuple[list[Region], Iterator[bytes]]:
    """Regions in order, and their FASTA text by random access.

    Raises:
        InputError: for an unknown contig, or a place outside it, at once.
    """
    wanted = list(regions)
    check_contigs(wanted, access.lengths, access.path)
    wanted = in_order(wanted, list(access.lengths))
    return wanted, _fetched(access, wanted)


def _fetched(access: RandomAccess, wanted: Iterable[Region]) -> Iterator[bytes]:
    for region in wanted:
        yield b">" + region.id.encode() + b"\n"
        stop = access.lengths[region.contig] if region.stop is None else region.stop
        for start in range(region.start, stop, CHUNK):
            yield access.letters(region.contig, start, min(start + CHUNK, stop))
        yield b"\n"


def streamed_text(
    stream: Readable, regions: Iterable[Region], where: object, started: Callable[[Region], None]
) -> Iterator[bytes]:
    """FASTA text of regions out of a FASTA stream that is read once.

    Args:
        stream: unpacked FASTA.
        regions: what is wanted of it.
        where: the file, for errors.
        started: is told of each region when its text begins.

    Raises:
        InputError: for an unknown contig (at the end), one that comes twice, or a place outside it.
    """
    wanted = by_contig(regions)
    seen: dict[str, None] = {}
    contig: _Contig | None = None
    for header, letters in _parts(stream):
        if header is not None:
            if contig is not None:
                yield from contig.finish()
            name = split_header(header, len(seen))[0]
            if name in seen and name in wanted:
                raise InputError(
                    "this id comes twice", where=f"{where}, record {name!r}", fix="keep ids apart"
                )
            seen[name] = None
            contig = _Contig(wanted[name], where, started) if name in wanted else None
        elif contig is not None:
            yield from contig.feed(letters.translate(None, _BLANKS))
    if contig is not None:
        yield from contig.finish()
    for name, missing in wanted.items():
        if name not in seen:
            raise unknown_contig(missing[0], list(seen), where)


def _parts(stream: Readable) -> Iterator[tuple[bytes | None, bytes]]:
    """Headers (without ``>``) and pieces of what lies between them: (header, b"") or (None, piece)."""
    data, line_start = stream.read(CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip(), True
    old_mac = b"\r" in data and b"\n" not in data
    while data:
        data = data.replace(b"\r", b"\n") if old_mac else data
        at = 0
        while at < len(data):
            if line_start and data.startswith(b">", at):
                while (end := data.find(b"\n", at)) < 0 and (more := stream.read(CHUNK)):
                    data, at = data[at:] + (more.replace(b"\r", b"\n") if old_mac else more), 0
                end = len(data) if end < 0 else end
                yield data[at + 1 : end].rstrip(), b""
                at = end + 1
                continue
            found = data.find(b"\n>", at)
            end = len(data) if found < 0 else found + 1
            yield None, data[at:end]
            line_start, at = data.endswith(b"\n", at, end), end
        data = stream.read(CHUNK)


@dataclass
class _Contig:
    """One contig on its way: what of it lies in regions is given out in order, the rest forgotten."""

    regions: list[Region]
    where: object
    started: Callable[[Region], None]
    _length: int = 0
    _front: int = 0
    _begun: bool = False
    _held: dict[int, list[bytes]] = field(default_factory=dict)

    def feed(self, letters: bytes) -> Iterator[bytes]:
        """Take the next letters."""
        start, self._length = self._length, self._length + len(letters)
        number = self._front
        while number < len(self.regions) and self.regions[number].start < self._length:
            region = self.regions[number]
            end = self._length if region.stop is None else min(region.stop, self._length)
            if (begin := max(region.start, start)) < end:
                self._held.setdefault(number, []).append(letters[begin - start : end - start])
            number += 1
        yield from self._give_out()

    def _give_out(self) -> Iterator[bytes]:
        """All that the foremost region has so far, and the next ones once it is whole."""
        while self._front in self._held:
            region = self.regions[self._front]
            if not self._begun:
                self.started(region)
                yield b">" + region.id.encode() + b"\n"
            self._begun = True
            yield from self._held.pop(self._front)
            if region.stop is None or region.stop > self._length:
                self._held[self._front] = []
                return
            yield b"\n"
            self._begun, self._front = False, self._front + 1

    def finish(self) -> Iterator[bytes]:
        """The contig has ended."""
        while self._front < len(self.regions):
            region = self.regions[self._front]
            region.check(self._length, self.where)
            self._held.setdefault(self._front, [])
            yield from self._give_out()
            if self._begun:
                yield b"\n"
                self._begun, self._front = False, self._front + 1
