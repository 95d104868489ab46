"""States are kept whole or not at all, and given again for the items of the caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from genomecli.inference.items import Item
from genomecli.inference.remembered import Remembered
from genomecli.inference.results import Piece, Pooled


class _Engine:
    """Says an item's length in each coordinate; pieces of two tokens."""

    def __init__(self) -> None:
        self.asked = 0

    def pool(self, items: Iterable[Item], *_: Any) -> Iterator[Pooled]:
        for item in items:
            self.asked += 1
            yield Pooled(item, np.full((1, 1, 4), len(item.tokens), np.float32))

    def pieces(self, items: Iterable[Item], *_: Any) -> Iterator[Piece]:
        for item in items:
            self.asked += 1
            for start in range(0, len(item.tokens), 2):
                hidden = np.full((1, 2, 4), start, np.float32)
                yield Piece(item, start, hidden, hidden[:, 0], start + 2 == len(item.tokens))


def _items(prefix: str = "a") -> list[Item]:
    return [Item(f"{prefix}{n}", np.arange(n, dtype=np.int32), 0) for n in (4, 2, 6)]


@pytest.mark.parametrize("what", ["pool", "pieces"])
def test_the_second_time_asks_nobody(what: str) -> None:
    engine = _Engine()
    memory = Remembered(engine)
    first = list(getattr(memory, what)(_items()))
    again = list(getattr(memory, what)(_items("b")))
    assert engine.asked == 3
    assert [one.item.id for one in again] == [one.item.id.replace("a", "b") for one in first]
    for one, other in zip(first, again, strict=True):
        name = "vectors" if what == "pool" else "hidden"
        assert np.array_equal(getattr(one, name), getattr(other, name))
    with pytest.raises(AssertionError, match="same items"):
        list(getattr(memory, what)(_items()[::-1]))


def test_what_is_too_much_or_was_not_read_to_its_end_is_not_kept() -> None:
    size = 3 * 16 + 12 * 4  # three vectors and twelve tokens
    for most, asked in ((size, 3), (size - 1, 6)):
        engine = _Engine()
        memory = Remembered(engine, most)
        for _ in range(2):
            assert len(list(memory.pool(_items()))) == 3
        assert engine.asked == asked
    engine = _Engine()
    memory = Remembered(engine)
    next(memory.pool(_items()))
    assert len(list(memory.pool(_items()))) == 3
    assert engine.asked == 4
