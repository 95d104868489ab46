"""States of a table that is read again and again by a body that does not change: kept from the first time.

The engine's results do not depend on the batch, so what is given again is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

import numpy as np

from genomecli.inference.items import Item
from genomecli.inference.pooling import Pooling
from genomecli.inference.results import Layers, Piece, Pooled

KEPT_BYTES = 1 << 30
"""Memory that kept states may take; of a table that needs more nothing is kept."""

State = TypeVar("State", Piece, Pooled)


class Reads(Protocol):
    """What gives states of items: an engine, or one that remembers."""

    def pieces(self, items: Iterable[Item], layers: Layers = (-1,)) -> Iterator[Piece]:
        """See :meth:`genomecli.inference.engine.Engine.pieces`."""
        ...

    def pool(
        self, items: Iterable[Item], layers: Layers = (-1,), poolings: Sequence[Pooling] = ("mean",)
    ) -> Iterator[Pooled]:
        """See :meth:`genomecli.inference.engine.Engine.pool`."""
        ...


class Remembered:
    """An engine that reads one table, always the same items in the same way, and computes their states once.

    Args:
        engine: computes them the first time.
        most: bytes that are kept at most, with the tokens.
    """

    def __init__(self, engine: Reads, most: int = KEPT_BYTES) -> None:
        self.engine = engine
        self._pieces: _Memory[Piece] = _Memory(most)
        self._pooled: _Memory[Pooled] = _Memory(most)

    def pieces(self, items: Iterable[Item], layers: Layers = (-1,)) -> Iterator[Piece]:
        """See :class:`Reads`; layers as at the first time."""
        if self._pieces.complete:
            return self._pieces.again(items)
        return self._pieces.keep(self.engine.pieces(items, layers))

    def pool(
        self, items: Iterable[Item], layers: Layers = (-1,), poolings: Sequence[Pooling] = ("mean",)
    ) -> Iterator[Pooled]:
        """See :class:`Reads`; layers and poolings as at the first time."""
        if self._pooled.complete:
            return self._pooled.again(items)
        return self._pooled.keep(self.engine.pool(items, layers, poolings))


class _Memory(Generic[State]):
    """States in input order; those of one item follow each other."""

    def __init__(self, most: int) -> None:
        self.complete = False
        self._most = most
        self._kept: list[State] = []

    def keep(self, states: Iterator[State]) -> Iterator[State]:
        """The states as they come; all are kept if there is room for all."""
        self._kept, taken = [], 0
        for state in states:
            taken += _size(state)
            if taken <= self._most:
                self._kept.append(state)
            else:
                self._kept = []
            yield state
        self.complete = taken <= self._most

    def again(self, items: Iterable[Item]) -> Iterator[State]:
        """The kept states; an item is taken from ``items`` just before its first one, as an engine would."""
        given = iter(items)
        last, item = True, None
        for state in self._kept:
            if last:
                item = next(given)
                assert np.array_equal(item.tokens, state.item.tokens), "the same items each time"
            assert item is not None
            yield replace(state, item=item)
            last = not isinstance(state, Piece) or state.last
        assert next(given, None) is None, "the same items each time"


def _size(state: Piece | Pooled) -> int:
    if isinstance(state, Pooled):
        return state.vectors.nbytes + state.item.tokens.nbytes
    first = state.item.tokens.nbytes if state.start == 0 else 0
    return state.hidden.nbytes + state.cls.nbytes + first
