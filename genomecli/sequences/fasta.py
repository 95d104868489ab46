"""FASTA as a stream of blocks: one pass over the bytes, a few MiB at a time, vectorised.

Line ends are dropped and letters turned into codes by one ``bytes.translate`` a chunk; only headers cost a
Python step each. A record longer than a chunk is given out in pieces, so memory does not grow with it.

Accepted: LF, CRLF and old Mac line ends, blank lines, lines of any length, blanks inside lines, empty
records, headers without an id, ``>`` inside headers, a byte order mark. Refused with the line: text before
the first ``>``. Refused by name: FASTQ and annotated formats.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import InputError
from genomecli.sequences.alphabets import INVALID, Alphabet, Codes
from genomecli.sequences.blocks import Block, Counts
from genomecli.sequences.formats import guess_format
from genomecli.sequences.headers import split_header
from genomecli.sequences.openers import Location, open_input
from genomecli.sequences.records import Record

CHUNK = 1 << 20
"""Bytes read at once. A record longer than this comes in pieces."""

MAX_HEADER = 16 << 20
"""Bytes of one header line beyond which the file is no FASTA."""

_BLANKS = b"\r\n \t"
_LOWER = bytes(1 if 97 <= byte <= 122 else 0 for byte in range(256))
_IS_BLANK = bytes(1 if byte in _BLANKS else 0 for byte in range(256))
_OTHERS = {
    "fastq": ("is FASTQ (reads), not FASTA", "assemble the reads first, or turn them into FASTA"),
    "genbank": ("is GenBank, not FASTA", ""),
    "embl": ("is EMBL, not FASTA", ""),
    "gff": ("is GFF or GTF, not FASTA", ""),
}
"""What is said of a file that is something else: what it is, and what to do."""

_CORPUS = "give FASTA, or tokenize it first and give the corpus (--set embed.corpus=FOLDER)"
_KINDS = {
    "genbank": "set kind: annotated",
    "embl": "set kind: annotated",
    "gff": "set kind: annotated, path to the FASTA and annotation to this file",
}
"""What to do with a file that is a source of a corpus."""


class Readable(Protocol):
    """Anything that gives bytes: an :class:`~genomecli.sequences.openers.InputStream`, an open file."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, empty at the end."""


def read_blocks(
    stream: Readable, alphabet: Alphabet, *, where: object = "input", chunk: int = CHUNK
) -> Iterator[Block]:
    """Cut a FASTA stream into blocks of whole records, or of pieces of long ones.

    Args:
        stream: unpacked bytes.
        alphabet: what the letters are read as; others become ``INVALID`` and are counted.
        where: the file, for errors.
        chunk: bytes read at once.

    Raises:
        InputError: no FASTA, or text before the first header.
    """
    parser = _Parser(alphabet, where, chunk)
    data = _normal_start(stream.read(chunk))
    refuse_other_format(data, where)
    old_mac = b"\r" in data and b"\n" not in data
    while data:
        yield from parser.feed(data.replace(b"\r", b"\n") if old_mac else data)
        data = stream.read(chunk)
    yield from parser.finish()


def _normal_start(data: bytes) -> bytes:
    return data.removeprefix(b"\xef\xbb\xbf")


def refuse_other_format(head: bytes, where: object, *, source: bool = False) -> None:
    """Raise InputError if a file is plainly something else than FASTA.

    Args:
        head: its first bytes.
        where: the file.
        source: whether it is a source of a corpus, which has a kind.
    """
    found = guess_format(_normal_start(head)[: 1 << 16])
    if found in _OTHERS:
        what, fix = _OTHERS[found]
        raise InputError(what, where=where, fix=fix or (_KINDS[found] if source else _CORPUS))


class _Parser:
    """Holds what of the input is not yet given out: less than a chunk, and one header."""

    def __init__(self, alphabet: Alphabet, where: object, chunk: int) -> None:
        self._alphabet = alphabet
        self._where = where
        self._chunk = chunk
        self._rest = b""
        self._started = False
        self._lines = 0  # before the first header
        self._count = 0  # records begun
        self._long: _LongRecord | None = None

    def feed(self, data: bytes) -> Iterator[Block]:
        """Take the next bytes."""
        buffer = self._rest + data if self._rest else data
        if not self._started:
            buffer = self._skip_blank_lines(buffer)
        if self._long is not None:
            block, buffer = self._continue(buffer)
            yield block
        if self._long is None and buffer:
            buffer = yield from self._whole_records(buffer)
        self._rest = buffer

    def finish(self) -> Iterator[Block]:
        """Give out what is left."""
        rest, self._rest = self._rest, b""
        if self._long is not None:
            yield self._piece(rest, last=True)
        elif rest.strip():
            yield self._records(rest, _record_starts(rest))
        if not self._started:
            raise InputError("holds no FASTA record", where=self._where, fix="a record starts with >")

    def _skip_blank_lines(self, buffer: bytes) -> bytes:
        body = buffer.lstrip()
        skipped = buffer[: len(buffer) - len(body)]
        self._lines += skipped.count(b"\n")
        if body and not body.startswith(b">"):
            shown = body.split(b"\n", 1)[0][:40].decode("utf-8", "replace").rstrip()
            raise InputError(
                f"text before the first '>': {shown!r}",
                where=f"{self._where}, line {self._lines + 1}",
                fix="give a FASTA file: each record starts with a line '>id'",
            )
        self._started = bool(body)
        return body

    def _whole_records(self, buffer: bytes) -> Generator[Block, None, bytes]:
        """Give out the records that end inside ``buffer``; returns what is left of it."""
        starts = _record_starts(buffer)
        end = int(starts[-1])
        if end:
            yield self._records(buffer[:end], starts[:-1])
            return buffer[end:]
        if len(buffer) < self._chunk:
            return buffer
        line_end = buffer.find(b"\n")
        if line_end < 0:
            if len(buffer) > MAX_HEADER:
                raise InputError("has a header line without an end", where=self._where, fix="is it FASTA?")
            return buffer
        self._long = _LongRecord(buffer[1:line_end].rstrip(), self._count)
        self._count += 1
        piece, rest = self._continue(buffer[line_end:])
        yield piece
        return rest

    def _continue(self, buffer: bytes) -> tuple[Block, bytes]:
        """The next piece of the long record, and what is left of ``buffer``."""
        next_record = _next_record(buffer)
        if next_record:
            return self._piece(buffer[:next_record], last=True), buffer[next_record:]
        # A last line end stays behind, so that "\n>" is never cut in two.
        cut = len(buffer) - 1 if buffer.endswith(b"\n") else len(buffer)
        return self._piece(buffer[:cut], last=False), buffer[cut:]

    def _piece(self, body: bytes, *, last: bool) -> Block:
        record = self._long
        assert record is not None
        symbols = np.frombuffer(body.translate(self._alphabet.encode_table, _BLANKS), dtype=np.uint8)
        soft = _soft(body)
        offsets = np.array([0, len(symbols)], dtype=np.int64)
        block = _block(self._alphabet, [record.header], record.ordinal, symbols, offsets, soft)
        aliased = _aliased(body, self._alphabet, offsets)
        start, record.length = record.length, record.length + len(symbols)
        if last:
            self._long = None
        return replace(block, piece_start=start, whole=False, last=last, aliased=aliased)

    def _records(self, buffer: bytes, starts: Counts) -> Block:
        """A block of the whole records that ``buffer`` consists of."""
        headers, bodies = _split(buffer, starts)
        joined = b"".join(bodies)
        symbols = np.frombuffer(joined.translate(self._alphabet.encode_table, _BLANKS), dtype=np.uint8)
        offsets = _offsets(joined, bodies, len(symbols))
        first, self._count = self._count, self._count + len(headers)
        block = _block(self._alphabet, headers, first, symbols, offsets, _soft(joined))
        aliased = _aliased(joined, self._alphabet, offsets)
        return block if aliased is None else replace(block, aliased=aliased)


@dataclass(slots=True)
class _LongRecord:
    header: bytes
    ordinal: int
    length: int = 0


def _next_record(buffer: bytes) -> int:
    """Where the first ``>`` at a line start is, 0 if there is none; ``buffer`` starts inside a record."""
    at = buffer.find(b">", 1)  # one byte is sought three times as fast as two
    while at > 0 and buffer[at - 1] != 10:
        at = buffer.find(b">", at + 1)
    return max(at, 0)


def _record_starts(buffer: bytes) -> Counts:
    """int64[n]: where records start; ``buffer`` itself starts with one."""
    raw = np.frombuffer(buffer, dtype=np.uint8)
    marks = np.flatnonzero(raw == 62)
    starts = marks[(marks == 0) | (raw[marks - 1] == 10)]
    return np.asarray(starts, dtype=np.int64)


def _split(buffer: bytes, starts: Counts) -> tuple[list[bytes], list[bytes]]:
    bounds = [*starts.tolist(), len(buffer)]
    headers, bodies = [], []
    find = buffer.find
    for start, end in pairwise(bounds):
        line_end = find(b"\n", start, end)
        if line_end < 0:
            line_end = end
        headers.append(buffer[start + 1 : line_end].rstrip())
        bodies.append(buffer[line_end:end])
    return headers, bodies


def _offsets(joined: bytes, bodies: list[bytes], total: int) -> Counts:
    """int64[n + 1]: record bounds once line ends and blanks are gone."""
    ends = np.zeros(len(bodies) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, bodies), dtype=np.int64, count=len(bodies)), out=ends[1:])
    raw = np.frombuffer(joined, dtype=np.uint8)
    blanks = np.flatnonzero(raw == 10)
    if len(joined) - len(blanks) != total:  # blanks other than line feeds
        blanks = np.flatnonzero(np.frombuffer(joined.translate(_IS_BLANK), dtype=np.uint8))
    return np.asarray(ends - np.searchsorted(blanks, ends), dtype=np.int64)


def _soft(body: bytes) -> Codes | None:
    """uint8 per letter, 1 where lower case; None without lower case."""
    raw = np.frombuffer(body, dtype=np.uint8)
    if not len(raw) or raw.max() < 97:  # one cheap pass settles most files
        return None
    soft = np.frombuffer(body.translate(_LOWER, _BLANKS), dtype=np.uint8)
    return soft if soft.any() else None


def _aliased(body: bytes, alphabet: Alphabet, offsets: Counts) -> Counts | None:
    """int64[n]: letters of each record that are read as another; None where there is none."""
    if not any(letter in body for letter in alphabet.alias_letters):  # most files have none
        return None
    found = np.frombuffer(body.translate(alphabet.alias_table, _BLANKS), dtype=np.uint8)
    return _per_record(np.flatnonzero(found), offsets)


def _block(
    alphabet: Alphabet, headers: list[bytes], first: int, symbols: Codes, offsets: Counts, soft: Codes | None
) -> Block:
    n = len(headers)
    zeros = np.zeros(n, dtype=np.int64)
    invalid, first_invalid, ambiguous = zeros, np.full(n, -1, dtype=np.int64), zeros
    if len(symbols) and symbols.max() >= alphabet.canonical:
        odd = np.flatnonzero(symbols >= alphabet.canonical)
        bad = odd[symbols[odd] == INVALID]
        invalid = _per_record(bad, offsets)
        ambiguous = _per_record(odd, offsets) - invalid
        if len(bad):
            at = np.searchsorted(bad, offsets[:-1])
            has = np.flatnonzero(invalid)
            first_invalid[has] = bad[at[has]] - offsets[has]
    lower = zeros if soft is None else _per_record(np.flatnonzero(soft), offsets)
    return Block(alphabet, headers, first, symbols, offsets, invalid, first_invalid, ambiguous, soft, lower)


def _per_record(positions: NDArray[np.intp], offsets: Counts) -> Counts:
    """int64[n]: how many of the sorted positions lie in each record."""
    return np.diff(np.searchsorted(positions, offsets)).astype(np.int64, copy=False)


def read_fasta(
    location: Location | Path | str,
    alphabet: Alphabet,
    *,
    invalid: Literal["error", "unknown", "keep"] = "error",
    max_ratio: float = 200.0,
    stdin: BinaryIO | None = None,
) -> Iterator[Record]:
    """Whole records of a FASTA file, one by one. For big genomes use :func:`read_blocks`.

    Args:
        location: file, zip member or ``-``.
        alphabet: what the letters are read as.
        invalid: what a letter of no meaning becomes: an error, the alphabet's unknown letter (N or X), or
            the code ``INVALID``.
        max_ratio: see :func:`~genomecli.sequences.openers.open_input`.
        stdin: what ``-`` reads.

    Raises:
        InputError: no FASTA, or an invalid letter under ``error``, named with record and position.
    """
    with open_input(location, max_ratio=max_ratio, stdin=stdin) as stream:
        blocks = read_blocks(stream, alphabet, where=stream.location)
        for block in join_pieces(blocks):
            for i, header in enumerate(block.headers):
                if block.invalid[i] and invalid == "error":
                    raise invalid_letter(block, i, stream.location)
                yield _record(block, i, header, unknown=invalid == "unknown")


def join_pieces(blocks: Iterable[Block]) -> Iterator[Block]:
    """Blocks of whole records only: the pieces of a long record become one block, held in memory whole."""
    pieces: list[Block] = []
    for block in blocks:
        if block.whole:
            yield block
            continue
        pieces.append(block)
        if block.last:
            yield _joined(pieces)
            pieces = []


def _joined(pieces: list[Block]) -> Block:
    symbols = np.concatenate([piece.symbols for piece in pieces])
    soft = None
    if any(piece.soft is not None for piece in pieces):
        empty = [np.zeros(len(p.symbols), np.uint8) if p.soft is None else p.soft for p in pieces]
        soft = np.concatenate(empty)
    offsets = np.array([0, len(symbols)], dtype=np.int64)
    head = pieces[0]
    block = _block(head.alphabet, head.headers, head.first, symbols, offsets, soft)
    aliased = sum(piece.record_aliased(0) for piece in pieces)
    return replace(block, aliased=np.array([aliased], dtype=np.int64)) if aliased else block


def _record(block: Block, i: int, header: bytes, *, unknown: bool) -> Record:
    record_id, description = split_header(header, block.first + i)
    symbols, soft = block.record_symbols(i), block.record_soft(i)
    if unknown and block.invalid[i]:
        letter = "N" if "N" in block.alphabet.symbols[block.alphabet.canonical :] else "X"
        symbols = np.where(symbols == INVALID, block.alphabet.symbols.index(letter), symbols).astype(np.uint8)
    columns: dict[str, NDArray[np.generic]] = {} if soft is None else {"soft": soft}
    return Record(record_id, block.alphabet, symbols, columns, {"description": description})


def invalid_letter(block: Block, i: int, where: object) -> InputError:
    """The error for the first letter of record ``i`` that the alphabet does not know."""
    record_id, _ = split_header(block.headers[i], block.first + i)
    first = block.piece_start + int(block.first_invalid[i])
    return InputError(
        f"has {block.alphabet.foreign_letters(int(block.invalid[i]), first)}",
        where=f"{where}, record {record_id!r}",
        fix="remove gaps and other signs, or check that the kind is right",
    )


def guess_alphabet(letters: bytes) -> Literal["dna", "protein", "unclear"]:
    """What a stretch of sequence letters (headers and line ends left out) looks like.

    DNA: 95 % or more of A, C, G, T, U, N. Protein: more than 5 % letters that no IUPAC base code uses
    (E, F, I, J, L, O, P, Q, X, Z). Under 60 letters nothing is said.
    """
    upper = letters.upper()
    total = len(upper)
    if total < 60:
        return "unclear"
    if total - len(upper.translate(None, b"ACGTUN")) >= 0.95 * total:
        return "dna"
    if total - len(upper.translate(None, b"EFIJLOPQXZ")) > 0.05 * total:
        return "protein"
    return "unclear"
