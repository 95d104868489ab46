"""Windows around variants: what the model reads of a sequence and of its changed copy, and what differs.

A window is centred on the changes, moved only where the sequence ends, and lies on the grid of the tokens in
the frame that is read. So it is a function of the sequence and the variant alone. The old and the new text
have the same symbols on both sides of the changes; the longer of the two fills the window.

Units: where tokens overlap, no single token can be hidden, since its neighbours show its symbols. A unit is
what can be: ``stride`` symbols, and all tokens that share one of them. Without overlap a unit is a token.

Shapes: n symbols and t tokens of a window, m tokens that are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.tokenizers import Tokenizer
from genomecli.sequences.alphabets import Codes
from genomecli.sequences.variants import Change, SequenceView, changed

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Placed:
    """A stretch of a sequence as the model reads it, and the same with the changes made.

    Args:
        start: the sequence's symbol that the window begins with.
        old: uint8[n].
        new: uint8[n], n + g where the changes make the sequence longer by g.
        changes: places counted from ``start``.
    """

    start: int
    old: Codes
    new: Codes
    changes: tuple[Change, ...]


def groups(changes: Sequence[Change], symbols: int) -> list[tuple[Change, ...]]:
    """Changes that one window can hold with half of it to spare, in order.

    Args:
        changes: sorted.
        symbols: of a window.
    """
    found: list[list[Change]] = []
    for change in changes:
        if found and change.stop - found[-1][0].start <= max(symbols // 2, 1):
            found[-1].append(change)
        else:
            found.append([change])
    return [tuple(group) for group in found]


def place(
    sequence: SequenceView, changes: tuple[Change, ...], tokenizer: Tokenizer, frame: int, window: int
) -> Placed | None:
    """The window around ``changes``; None if the sequence is too short for a token.

    Args:
        sequence: on the strand that is read.
        changes: sorted, not overlapping, on that strand.
        tokenizer: of the language.
        frame: symbols left out at the sequence's start.
        window: most tokens of either text.
    """
    changes = _from_frame(sequence, changes, frame)
    growth = sum(change.growth for change in changes)
    longer = max(growth, 0)
    total = tokenizer.count(sequence.length + longer, frame)
    if total < 1:
        return None
    size = min(window, total)
    # In whole steps of the grid, so that all changes of a codon have one window, which is read once.
    low = (changes[0].start - frame) // tokenizer.stride
    high = max(low + 1, -(-(changes[-1].stop + longer - frame) // tokenizer.stride))
    first = min(max((low + high - size) // 2, 0), total - size)
    start = frame + first * tokenizer.stride
    # Symbols that begin one more token and do not fill it stay: a change at the sequence's end may lie there.
    room = tokenizer.symbols(window) + tokenizer.stride - 1
    stop = min(sequence.length, start + room - longer)
    if changes[0].start < start or changes[-1].stop > stop:
        return None
    symbols = sequence.fetch(start, stop)
    local = tuple(change.moved(start) for change in changes)
    return Placed(start, symbols, changed(symbols, local), local)


def _from_frame(sequence: SequenceView, changes: tuple[Change, ...], frame: int) -> tuple[Change, ...]:
    """An indel that begins before ``frame``, as what differs where both texts are read from there."""
    growth = changes[0].growth
    if len(changes) > 1 or not growth or changes[0].start >= frame:
        return changes
    stop = min(sequence.length, max(changes[0].stop, frame, frame - growth))
    made = changed(sequence.fetch(0, stop), changes)
    return (Change(frame, stop, made[frame:]),) if stop >= frame else changes


def covering(tokenizer: Tokenizer, symbol: int, tokens: int) -> range:
    """Tokens of ``tokens`` that hold a symbol of their window."""
    first = max(0, -(-(symbol - tokenizer.k + 1) // tokenizer.stride))
    return range(first, min(tokens, symbol // tokenizer.stride + 1))


def compared(placed: Placed, tokenizer: Tokenizer, tokens: int) -> tuple[Ints, int] | None:
    """Tokens that a substitution changes, and how many of them share one symbol at most.

    Returns:
        int64[m] and a number from 1; None if a changed symbol is in no token.
    """
    symbols = np.flatnonzero(placed.old != placed.new)
    held = [covering(tokenizer, int(symbol), tokens) for symbol in symbols]
    if not held or not all(held):
        return None
    places = np.unique(np.concatenate([np.arange(r.start, r.stop) for r in held]))
    return places.astype(np.int64), max(map(len, held))


def unit_tokens(tokenizer: Tokenizer, unit: int, tokens: int) -> range:
    """Tokens of ``tokens`` that share a symbol with a unit, numbered as the token that begins it."""
    reach = -(-tokenizer.k // tokenizer.stride)
    return range(max(0, unit - reach + 1), min(tokens, unit + 1))


def units_between(tokenizer: Tokenizer, start: int, stop: int, tokens: int) -> range:
    """Units of a window that share a symbol with ``start`` to ``stop``, as far as there are tokens."""
    last = tokens + -(-tokenizer.k // tokenizer.stride) - 1
    return range(max(0, start // tokenizer.stride), min(last, -(-stop // tokenizer.stride)))
