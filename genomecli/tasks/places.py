"""Where sequences lie in a genome: every exact match, on both strands.

A k-mer of each sequence is its anchor. A contig is read in blocks; the k-mers of a block that are an anchor
are sought by a table of bits first and by bisection then, and what they propose is compared letter by letter.
Time grows with the genome, memory with the block and the sequences.

n sequences, B bases of a block, A anchors (two for each sequence: one a strand).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.sketches import mix
from genomecli.sequences.alphabets import DNA, Codes
from genomecli.tasks.examples import Ints, SequenceColumn

ANCHOR = 24
"""Bases of an anchor; shorter where a sequence is."""

SHORTEST = 12
"""Sequences with no stretch of this many plain bases are not sought: they would lie anywhere."""

BLOCK = 1 << 20
_BITS = 22


@dataclass(frozen=True)
class Places:
    """Places on a genome, 0-based half-open.

    Args:
        row: int64[p], the sequence.
        contig: int64[p], its contig's number.
        start, end: int64[p], bases. A place that crosses the origin of a ring ends beyond its length.
        ring: int64[p], length of its contig where that is a ring, 0 where it has two ends.
    """

    row: Ints
    contig: Ints
    start: Ints
    end: Ints
    ring: Ints


@dataclass(frozen=True)
class _Anchors:
    """Anchors of one length, sorted by word: int64[A] each."""

    k: int
    word: Ints
    row: Ints
    offset: Ints
    reverse: NDArray[np.bool_]
    filter: NDArray[np.bool_]


class SequenceFinder:
    """Finds sequences in contig after contig.

    Args:
        column: DNA sequences; letters that are not A, C, G, T match any base.
    """

    def __init__(self, column: SequenceColumn) -> None:
        self._forward = [column[row] for row in range(len(column))]
        self._anchors = _anchors(self._forward)
        self._found: list[tuple[int, int, int, int]] = []
        self._rings: dict[int, int] = {}

    def search(self, contig: int, symbols: Codes, *, circular: bool = False) -> None:
        """Add the places on one contig.

        Args:
            contig: its number, written into the places.
            symbols: uint8[n], codes of its bases.
            circular: it is a ring, and places may cross its origin.
        """
        longest = max((len(sequence) for sequence in self._forward), default=0)
        length = len(symbols)
        if circular:
            self._rings[contig] = length
            symbols = np.concatenate([symbols, symbols[: max(longest - 1, 0)]])
        for anchors in self._anchors:
            for begin in range(0, len(symbols), BLOCK):
                block = symbols[begin : begin + BLOCK + anchors.k - 1]
                self._block(contig, symbols, np.asarray(block), begin, length, anchors)

    def _block(
        self, contig: int, symbols: Codes, block: Codes, begin: int, length: int, anchors: _Anchors
    ) -> None:
        position, word = _words(block, anchors.k)
        likely = anchors.filter[_bucket(word)]
        position, word = position[likely], word[likely]
        first = np.searchsorted(anchors.word, word, side="left")
        last = np.searchsorted(anchors.word, word, side="right")
        for at, low, high in zip(
            position[first < last].tolist(), first[first < last].tolist(), last[first < last].tolist(),
            strict=True,
        ):  # fmt: skip
            for index in range(low, high):
                row = int(anchors.row[index])
                start = begin + at - int(anchors.offset[index])
                sequence = self._forward[row]
                if anchors.reverse[index]:
                    sequence = DNA.reverse_complement(sequence)
                if 0 <= start < length and _equal(symbols[start : start + len(sequence)], sequence):
                    self._found.append((row, contig, start, start + len(sequence)))

    def places(self) -> Places:
        """All places found so far, each once, in order."""
        found = np.array(sorted(set(self._found)), dtype=np.int64).reshape(-1, 4)
        row, contig, start, end = found.T
        numbers, which = np.unique(contig, return_inverse=True)
        rings = np.array([self._rings.get(number, 0) for number in numbers.tolist()], dtype=np.int64)
        return Places(row, contig, start, end, rings[which])


def _equal(there: Codes, sequence: Codes) -> bool:
    plain = sequence < DNA.canonical
    return len(there) == len(sequence) and bool((there[plain] == sequence[plain]).all())


def _words(block: Codes, k: int) -> tuple[Ints, Ints]:
    """Positions of all k-mers of plain bases, and the k-mers: int64[t] each."""
    total = len(block) - k + 1
    if total <= 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    word = np.zeros(total, dtype=np.int64)
    for shift in range(k):
        word = (word << 2) | block[shift : shift + total]
    odd = np.concatenate([[0], np.cumsum(block >= DNA.canonical)])
    good = np.flatnonzero(odd[k:] == odd[:-k])
    return good, word[good]


def _bucket(word: Ints) -> NDArray[np.int64]:
    return (mix(word) >> np.uint64(64 - _BITS)).astype(np.int64)


def _anchors(sequences: list[Codes]) -> list[_Anchors]:
    """The anchors of all sequences, by their length."""
    chosen: dict[int, list[tuple[int, int, int, bool]]] = {}
    for row, sequence in enumerate(sequences):
        for reverse in (False, True):
            text = DNA.reverse_complement(sequence) if reverse else sequence
            anchor = _anchor(text)
            if anchor is not None:
                k, word, offset = anchor
                chosen.setdefault(k, []).append((word, row, offset, reverse))
    return [_table(k, rows) for k, rows in sorted(chosen.items())]


def _anchor(text: Codes) -> tuple[int, int, int] | None:
    """Length, k-mer and offset of the first stretch of plain bases that is long enough, None without one."""
    for k in (min(ANCHOR, len(text)), SHORTEST):
        if k < SHORTEST:
            return None
        position, word = _words(text[:k], k)  # enough, but for sequences that begin with odd letters
        if not len(position):
            position, word = _words(text, k)
        if len(position):
            return k, int(word[0]), int(position[0])
    return None


def _table(k: int, rows: list[tuple[int, int, int, bool]]) -> _Anchors:
    rows.sort()
    word, row, offset = (np.array([one[i] for one in rows], dtype=np.int64) for i in range(3))
    bits = np.zeros(1 << _BITS, dtype=bool)
    bits[_bucket(word)] = True
    return _Anchors(k, word, row, offset, np.array([one[3] for one in rows]), bits)
