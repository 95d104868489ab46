"""Make the next items in a thread while the present one is used; in order, and without loose ends."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K")

_POLL = 0.1
"""Seconds after which a waiting thread looks whether it is to stop."""


@dataclass(frozen=True)
class _Failure:
    error: BaseException


class _Finished:
    """The mark behind the last item."""


class Prefetcher(Generic[T]):
    """Iterates over ``make(key)`` for each key, made ahead in one thread.

    Use it as a context manager, so that the thread ends however the loop does. An exception of ``make`` is
    raised at the item where it happened, with its own traceback.

    Args:
        make: makes an item.
        keys: what to make, in order; may be endless.
        depth: items made ahead.
    """

    def __init__(self, make: Callable[[K], T], keys: Iterable[K], depth: int = 2) -> None:
        self._items: queue.Queue[T | _Failure | _Finished] = queue.Queue(maxsize=max(1, depth))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(make, keys), name="prefetch", daemon=True)
        self._started = False

    def __enter__(self) -> Prefetcher[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[T]:
        if not self._started:
            self._started = True
            self._thread.start()
        while not self._stop.is_set():
            item = self._items.get()
            if isinstance(item, _Finished):
                self.close()
            elif isinstance(item, _Failure):
                self.close()
                raise item.error
            else:
                yield item

    def close(self) -> None:
        """Stop the thread and wait until it has ended. May be called twice."""
        self._stop.set()
        if self._started and self._thread is not threading.current_thread():
            self._thread.join()

    def _work(self, make: Callable[[K], T], keys: Iterable[K]) -> None:
        try:
            for key in keys:
                if self._stop.is_set() or not self._put(make(key)):
                    return
            self._put(_Finished())
        except BaseException as error:  # it is raised again in the thread that asked for the item
            self._put(_Failure(error))

    def _put(self, item: T | _Failure | _Finished) -> bool:
        """Hand an item over; False if nobody wants it any more."""
        while not self._stop.is_set():
            try:
                self._items.put(item, timeout=_POLL)
            except queue.Full:
                continue
            return True
        return False
