"""Variants: what differs from a reference, as replacements of stretches of symbols, whatever file said so.

Places are 0-based and half-open, on the strand that the sequence is written in.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from genomecli.sequences.alphabets import Alphabet, Codes


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
