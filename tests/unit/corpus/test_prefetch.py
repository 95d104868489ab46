from __future__ import annotations

import threading
import time
from itertools import count

import pytest

from genomecli.corpus.prefetch import Prefetcher


def prefetch_threads() -> int:
    return sum(thread.name == "prefetch" for thread in threading.enumerate())


def test_items_come_in_order_and_the_thread_ends() -> None:
    with Prefetcher(lambda n: n * n, range(50), depth=3) as items:
        assert list(items) == [n * n for n in range(50)]
    assert prefetch_threads() == 0


def test_leaving_an_endless_loop_ends_the_thread() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    with Prefetcher(make, count(), depth=2) as items:
        for item in items:
            if item == 5:
                break
    assert prefetch_threads() == 0
    assert len(made) <= 5 + 1 + 2 + 1  # used, in the queue, and in the hand of the thread


def test_it_works_ahead() -> None:
    ready = threading.Event()

    def make(number: int) -> int:
        if number == 2:
            ready.set()
        return number

    with Prefetcher(make, range(5), depth=2) as items:
        iterator = iter(items)
        assert next(iterator) == 0
        assert ready.wait(5)


def test_an_error_comes_out_where_it_happened() -> None:
    def make(number: int) -> int:
        if number == 3:
            raise ValueError("third")
        return number

    seen: list[int] = []
    with Prefetcher(make, range(9)) as items, pytest.raises(ValueError, match="third"):
        seen.extend(items)
    assert seen == [0, 1, 2]
    assert prefetch_threads() == 0


def test_an_error_in_the_loop_ends_the_thread() -> None:
    with pytest.raises(RuntimeError, match="mine"), Prefetcher(lambda n: n, count()) as items:
        for _ in items:
            time.sleep(0.01)
            raise RuntimeError("mine")
    assert prefetch_threads() == 0


def test_closing_unused_or_twice_does_nothing() -> None:
    items = Prefetcher(lambda n: n, range(3))
    items.close()
    items.close()
    assert list(items) == []
