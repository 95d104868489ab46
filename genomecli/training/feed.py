"""Prepared micro-batches of a step, made one step ahead in a thread where the device computes by itself."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields, replace
from types import TracebackType
from typing import Any

from torch import Tensor

from genomecli.corpus.batch import Batch
from genomecli.training.distributed import rank, world_size
from genomecli.training.learner import Data, Learner

Prepared = tuple[list[Batch], dict[str, float]]
"""Micro-batches, and the total weight of their targets by name."""


def split_rows(batch: Batch, pieces: int) -> list[Batch]:
    """``batch`` cut along its rows into at most ``pieces`` batches, none of them empty."""
    if pieces == 1:
        return [batch]
    size = -(-len(batch.lengths) // pieces)
    return [_rows(batch, slice(begin, begin + size)) for begin in range(0, len(batch.lengths), size)]


def _rows(batch: Batch, rows: slice) -> Batch:
    changes: dict[str, Any] = {}
    for field in fields(batch):
        value = getattr(batch, field.name)
        if isinstance(value, Tensor):
            changes[field.name] = value[rows]
        elif isinstance(value, dict):
            changes[field.name] = {name: tensor[rows] for name, tensor in value.items()}
    return replace(batch, **changes)


class Feed:
    """Calls ``data`` and ``learner`` for each step. Batches are functions of the step, so order is free.

    Args:
        data: gives raw micro-batches.
        learner: prepares them (masks and such).
        steps: steps of the run; none is prepared beyond.
        ahead: prepare the next step in a thread. On a CPU that trains, the thread would only take its cores.
    """

    def __init__(self, data: Data, learner: Learner, steps: int, *, ahead: bool) -> None:
        self.data = data
        self.learner = learner
        self.steps = steps
        self._pool = ThreadPoolExecutor(1, "feed") if ahead else None
        self._next: tuple[int, Future[Prepared]] | None = None

    def __enter__(self) -> Feed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __call__(self, step: int) -> Prepared:
        """The micro-batches of ``step``, on the CPU, and the step's target weights by name."""
        if self._pool is None:
            return self._prepare(step)
        if self._next is not None and self._next[0] == step:
            found = self._next[1].result()
        else:
            found = self._prepare(step)
        if step + 1 < self.steps:
            self._next = (step + 1, self._pool.submit(self._prepare, step + 1))
        return found

    def _prepare(self, step: int) -> Prepared:
        raw = self.data.step(step, rank(), world_size())
        batches = [
            self.learner.prepare(batch, step, rank() + place * world_size())
            for place, batch in enumerate(raw)
        ]
        totals: dict[str, float] = {}
        for batch in batches:
            for name, weight in self.learner.count(batch).items():
                totals[name] = totals.get(name, 0.0) + weight
        return batches, totals
