"""Prepared micro-batches of a step, made one step ahead in a thread where the device computes by itself.

All that would make the device wait is done here: texts are packed, predicted positions chosen, and memory
pinned, so that copies run beside the computation.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from genomecli.corpus.batch import AnyBatch, Batch, each_tensor
from genomecli.corpus.packing import PackSizes, pack
from genomecli.training.distributed import rank, world_size
from genomecli.training.learner import Data, Learner

Place = Callable[[Batch], AnyBatch]
"""A prepared batch in the form in which the device gets it, still on the CPU."""


@dataclass(frozen=True)
class Prepared:
    """A step's micro-batches of this process, on the CPU.

    Args:
        batches: as the learner prepared them, padded.
        texts: the same in the form in which the device gets them.
        totals: total weight of their targets, by name.
    """

    batches: list[Batch]
    texts: list[AnyBatch]
    totals: dict[str, float]


def place_for(device: torch.device, sizes: PackSizes | None) -> Place:
    """How batches are made ready for ``device``: packed if ``sizes`` are given, and pinned for CUDA."""

    def place(batch: Batch) -> AnyBatch:
        texts = batch if sizes is None else pack(batch, sizes)
        return each_tensor(texts, Tensor.pin_memory) if device.type == "cuda" else texts

    return place


def split_rows(batch: Batch, pieces: int) -> list[Batch]:
    """``batch`` cut along its rows into at most ``pieces`` batches, none of them empty."""
    if pieces == 1:
        return [batch]
    size = -(-len(batch.lengths) // pieces)
    return [_rows(batch, begin, begin + size) for begin in range(0, len(batch.lengths), size)]


def pieces_of(batch: Batch, pieces: int) -> int:
    """How many batches :func:`split_rows` gives."""
    rows = len(batch.lengths)
    return -(-rows // -(-rows // pieces))


def _rows(batch: Batch, begin: int, end: int) -> Batch:
    changes: dict[str, Any] = {}
    for field in fields(batch):
        value = getattr(batch, field.name)
        if isinstance(value, Tensor):
            changes[field.name] = value[begin:end]
    changes["extras"] = {name: tensor[begin:end] for name, tensor in batch.extras.items()}
    width = batch.tokens.shape[1]
    chosen = {name: part.within(begin * width, end * width) for name, part in batch.selected.items()}
    return replace(batch, **changes, selected=chosen)


class Feed:
    """Calls ``data`` and ``learner`` for each step. Batches are functions of the step, so order is free.

    Args:
        data: gives raw micro-batches.
        learner: prepares them (masks and such).
        steps: steps of the run; none is prepared beyond.
        ahead: prepare the next step in a thread. On a CPU that trains, the thread would only take its cores.
        place: see :func:`place_for`; by default batches stay as they are.
    """

    def __init__(
        self, data: Data, learner: Learner, steps: int, *, ahead: bool, place: Place | None = None
    ) -> None:
        self.data = data
        self.learner = learner
        self.steps = steps
        self.place = place or place_for(torch.device("cpu"), None)
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
        """The micro-batches of ``step``."""
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
        return Prepared(batches, [self.place(batch) for batch in batches], totals)
