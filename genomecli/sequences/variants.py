"""Variants: what differs from a reference, as replacements of stretches of symbols, whatever file said so.

Places are 0-based and half-open, on the strand that the sequence is written in.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from genomecli.sequences.alphabets import Alphabet, Codes

_BLOCK = 1 << 12
"""Symbols that are read at once where an indel is moved to the left."""


class SequenceView(Protocol):
    """A sequence that can be read from anywhere: held in memory, or a record of an indexed file."""

    @property
    def length(self) -> int:
        """Number of symbols."""
        ...

    def fetch(self, start: int, stop: int) -> Codes:
        """uint8[stop - start]: codes of a stretch that lies within the sequence."""
        ...


@dataclass(frozen=True, eq=False)
class HeldSequence:
    """A sequence in memory.

    Args:
        symbols: uint8[n].
    """

    symbols: Codes

    @property
    def length(self) -> int:
        """Number of symbols."""
        return len(self.symbols)

    def fetch(self, start: int, stop: int) -> Codes:
        """uint8[stop - start]."""
        return self.symbols[start:stop]


@dataclass(frozen=True, eq=False)
class OtherStrand:
    """The reverse complement of a sequence.

    Args:
        sequence: as it is written.
        alphabet: with complements.
    """

    sequence: SequenceView
    alphabet: Alphabet

    @property
    def length(self) -> int:
        """Number of symbols."""
        return self.sequence.length

    def fetch(self, start: int, stop: int) -> Codes:
        """uint8[stop - start], counted from the sequence's end."""
        total = self.sequence.length
        return self.alphabet.reverse_complement(self.sequence.fetch(total - stop, total - start))


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """A stretch of symbols that is replaced.

    Args:
        start: its first symbol.
        stop: one past its last; equal to ``start`` for an insertion before it.
        new: uint8[m], what stands there instead; empty for a deletion.
    """

    start: int
    stop: int
    new: Codes

    @property
    def growth(self) -> int:
        """Symbols that the sequence becomes longer by; negative for a deletion."""
        return len(self.new) - (self.stop - self.start)

    def mirrored(self, length: int, alphabet: Alphabet) -> Change:
        """The same change on the other strand of a sequence of ``length`` symbols."""
        return Change(length - self.stop, length - self.start, alphabet.reverse_complement(self.new))

    def moved(self, by: int) -> Change:
        """The same change where places are counted from ``by``."""
        return Change(self.start - by, self.stop - by, self.new)


def trimmed(start: int, old: Codes, new: Codes) -> Change:
    """The change from ``old`` (uint8[n], at ``start``) to ``new`` (uint8[m]) without the symbols that both
    end with, then without those that both begin with."""
    tail = _shared(old[::-1], new[::-1])
    old, new = old[: len(old) - tail], new[: len(new) - tail]
    head = _shared(old, new)
    return Change(start + head, start + len(old), new[head:])


def leftmost(sequence: SequenceView, change: Change) -> Change:
    """An indel at the first place where it makes the same sequence; any other change as it is.

    One deletion or insertion in a repeat can be written at many places. With the symbols that both texts
    share left out, this is the normal form of Tan et al. 2015 (doi:10.1093/bioinformatics/btv112), which
    proves that it is one for each changed sequence.

    Args:
        sequence: that is changed.
        change: without symbols that both texts begin or end with, as :func:`trimmed` gives it.
    """
    moving, at = _moving(sequence, change), change.start
    while moving is not None and at > 0:
        low = max(0, at - _BLOCK)
        text = np.concatenate([sequence.fetch(low, at), moving])
        size = len(moving)
        steps = _shared(text[:-size][::-1], text[size:][::-1])
        at, moving = at - steps, text[at - low - steps : at - low - steps + size]
        if at > low:
            break
    if moving is None:
        return change
    deletes = change.stop > change.start
    return Change(at, at + len(moving), change.new) if deletes else Change(at, at, moving)


def widened(sequence: SequenceView, change: Change, most: int) -> Change:
    """An indel as the replacement of the whole stretch that it could be written in; other changes stay.

    However it is written, and on whichever strand, it is the same replacement.

    Args:
        sequence: that is changed.
        change: as for :func:`leftmost`; not longer than ``most``.
        most: symbols of the old and of the new text. A longer stretch is taken from its first symbol on.
    """
    first = leftmost(sequence, change)
    moving = _moving(sequence, first)
    if moving is None:
        return first
    stop = min(sequence.length, first.stop + most - len(moving))
    text = np.concatenate([moving, sequence.fetch(first.stop, stop)])
    steps = _shared(text, text[len(moving) :])
    kept = sequence.fetch(first.stop, first.stop + steps)
    return Change(first.start, first.stop + steps, np.concatenate([first.new, kept]))


def _moving(sequence: SequenceView, change: Change) -> Codes | None:
    """What an indel takes away or brings; None for a change that is neither alone, which cannot move."""
    if change.start == change.stop:
        return change.new if len(change.new) else None
    return None if len(change.new) else sequence.fetch(change.start, change.stop)


def _shared(left: Codes, right: Codes) -> int:
    """How many symbols both begin with."""
    size = min(len(left), len(right))
    differ = np.flatnonzero(left[:size] != right[:size])
    return int(differ[0]) if len(differ) else size


def changed(symbols: Codes, changes: Many[Change]) -> Codes:
    """``symbols`` (uint8[n]) with the changes made; they are in order and do not overlap."""
    parts, done = [], 0
    for change in changes:
        parts += [symbols[done : change.start], change.new]
        done = change.stop
    return np.concatenate([*parts, symbols[done:]])
