"""From places on a contig to the bases they spell: joins, complements, trans-splicing, rings.

Positions are 0-based and half-open.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from genomecli.sequences.alphabets import DNA, INVALID, Codes
from genomecli.sequences.annotation import Part

_N = DNA.symbols.index("N")


def resolve_parts(parts: Iterable[Part], length: int, *, circular: bool) -> tuple[list[Part], str]:
    """Parts that lie inside ``0..length``, in the order of transcription, and a problem (empty if none).

    A part of a ring that runs beyond its end is cut in two at the origin.

    Args:
        parts: as annotated; on a ring ``end`` may exceed ``length``.
        length: bases of the contig.
        circular: the contig is a ring.
    """
    found: list[Part] = []
    for start, end, strand in parts:
        if start < 0 or start >= end:
            return [], "empty or reversed location"
        if end <= length:
            found.append((start, end, strand))
        elif circular and start < 2 * length and end - start <= length:
            found.extend(_around(start % length, end - start, length, strand))
        else:
            return [], "beyond the contig's end"
    return found, "" if found else "no location"


def _around(start: int, size: int, length: int, strand: int) -> list[Part]:
    if start + size <= length:
        return [(start, start + size, strand)]
    pieces: list[Part] = [(start, length, strand), (0, start + size - length, strand)]
    return pieces if strand > 0 else pieces[::-1]


def splice(symbols: Codes, parts: Iterable[Part]) -> Codes:
    """The bases of the parts in the order of transcription, uint8[n]; letters of no meaning read N.

    Args:
        symbols: uint8[length], the contig's DNA codes.
        parts: inside the contig, as :func:`resolve_parts` gives them.
    """
    pieces = []
    for start, end, strand in parts:
        piece = symbols[start:end]
        if piece.max(initial=0) == INVALID:
            piece = np.where(piece == INVALID, _N, piece).astype(np.uint8)
        pieces.append(DNA.reverse_complement(piece) if strand < 0 else piece)
    return np.concatenate(pieces) if pieces else np.zeros(0, np.uint8)


def spliced_position(parts: Iterable[Part], position: int) -> int | None:
    """Where a contig's base lies in the spliced sequence, None if no part holds it.

    Args:
        parts: as :func:`resolve_parts` gives them.
        position: on the contig.
    """
    before = 0
    for start, end, strand in parts:
        if start <= position < end:
            return before + (position - start if strand > 0 else end - 1 - position)
        before += end - start
    return None
