"""Runs a model over windows: one forward pass a batch, halved when memory does not suffice.

On a CPU each thread takes batches of its own. Threads that share a batch wait for each other after every
product of matrices; those that do not are a tenth faster on two cores, and a text's states are the same bits
(see ``batching``).

Shapes: B texts, L padded length, C layers, D width.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genomecli.corpus.batch import Batch
from genomecli.corpus.packing import pack, real_places, unpack
from genomecli.errors import RunError
from genomecli.inference.batching import GRAIN, Window, make_batch, padded_length, plan_batches
from genomecli.models.encode import encode, packs
from genomecli.models.memory import ran_out
from genomecli.models.timing import HALF
from genomecli.runtime import log

if TYPE_CHECKING:
    from genomecli.models.language_model import LanguageModel

Floats = NDArray[np.float32]
States = list[Tensor]
"""A float32[B, L, D] a layer."""

Made = TypeVar("Made")

SHARE = 1024
"""Tokens of the budget that a thread takes for batches of its own, at least."""


class Runner:
    """A model in evaluation mode, without dropout and gradients while it runs.

    Args:
        model: on its device.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        budget: tokens a batch, padding included; lowered when memory does not suffice.
    """

    def __init__(self, model: LanguageModel, precision: str, budget: int) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        self.budget = budget
        self._alone = False
        self._half = HALF.get(precision)
        self._packed = packs(model.settings, self.device, precision, training=False)

    def batches(self, windows: Sequence[Window], layers: Sequence[int]) -> Iterator[tuple[list[int], States]]:
        """Indices of the windows of each batch, and their states.

        Raises:
            RunError: if a single window does not fit into memory.
        """
        return self.mapped(windows, layers, lambda members, states: (members, states), ahead=1)

    def mapped(
        self,
        windows: Sequence[Window],
        layers: Sequence[int],
        use: Callable[[list[int], States], Made],
        ahead: int = 4,
    ) -> Iterator[Made]:
        """What ``use`` makes of each batch: of the indices of its windows, and of their states.

        Args:
            windows: what to read.
            layers: whose states are wanted.
            use: called from several threads, which spares the states the way to this one; never gives None.
            ahead: batches a thread that may wait while one before them is not ready: with ``batches``, states
                of up to three budgets of tokens are held at a time, of one where texts are few or long.

        Raises:
            RunError: if a single window does not fit into memory.
        """
        lengths = [window.length for window in windows]
        context = self.model.settings.context
        threads = torch.get_num_threads() if self.device.type == "cpu" else 1
        workers = 1 if self._alone else max(1, min(threads, self.budget // SHARE))
        share = self.budget // workers
        plan = list(plan_batches(lengths, context, self.budget if workers == 1 else share))
        # The longest come first. A text that exceeds its thread's share is read by all threads together, and
        # so are a few batches: one thread would be left with the last of them.
        long = sum(padded_length(lengths[members[0]], context) > share for members in plan)
        if workers == 1 or len(plan) - long < 2 * workers:
            plan = list(plan_batches(lengths, context, self.budget))
            long = len(plan)

        def work(members: list[int]) -> Iterator[Made]:
            return (use(*found) for found in self._halving(windows, members, layers))

        def apart(members: list[int]) -> Made | None:
            states = self._forward([windows[i] for i in members], layers)
            return None if states is None else use(members, states)

        for members in plan[:long]:
            yield from work(members)
        if plan[long:]:
            with evaluating(self.model):
                for members, made in side_by_side(apart, plan[long:], workers, threads, ahead):
                    if made is None:
                        self._crowded()
                        yield from work(members)
                    else:
                        yield made

    def _crowded(self) -> None:
        """Several threads have not enough memory together: go on with all threads at one batch."""
        if not self._alone:
            self._alone = True
            log.warning("out of memory: going on with one batch at a time")

    def logits(self, states: Tensor, places: Tensor) -> Tensor:
        """Scores of all tokens at some places.

        The rows are filled up to a multiple of 16, so that a place's scores do not depend on the others
        (see ``batching``).

        Args:
            states: float32[B, L, D], the last layer's.
            places: int64[N], indices into the B L positions laid flat; at least one.

        Returns:
            float32[N, V].
        """
        count = len(places)
        filled = torch.cat([places, places[-1:].expand(-count % GRAIN)])
        with evaluating(self.model), torch.inference_mode(), self._autocast():
            return self.model.logits(states, filled)[:count].float()

    def _halving(
        self, windows: Sequence[Window], members: list[int], layers: Sequence[int]
    ) -> Iterator[tuple[list[int], States]]:
        states = self._forward([windows[i] for i in members], layers)
        if states is not None:
            yield members, states
            return
        longest = windows[members[0]]
        if len(members) == 1:
            raise RunError(
                f"one text of {longest.length} tokens does not fit into the device's memory",
                where=f"record {longest.item.id!r}",
                fix="lower window, ask for fewer layers, or set device to cpu",
            )
        half = len(members) // 2
        self.budget = min(self.budget, half * longest.length)
        log.warning("out of memory: going on with batches of %d tokens", self.budget)
        for part in (members[:half], members[half:]):
            yield from self._halving(windows, part, layers)

    def _forward(self, windows: Sequence[Window], layers: Sequence[int]) -> States | None:
        """The states; None if memory does not suffice."""
        batch = make_batch(windows, self.model.settings.context)
        try:
            with evaluating(self.model), torch.inference_mode(), self._autocast():
                layered = self._encode_packed(batch, layers) if self._packed else self._encode(batch, layers)
                return [states[: len(windows)].float() for states in layered]
        except RuntimeError as error:
            if not ran_out(error):
                raise
        return None

    def _encode(self, batch: Batch, layers: Sequence[int]) -> States:
        encoded = encode(self.model, batch.to(self.device), layers)
        return [encoded.layers[layer] for layer in layers]

    def _encode_packed(self, batch: Batch, layers: Sequence[int]) -> States:
        """The same states, computed without padding."""
        real = real_places(batch).to(self.device, non_blocking=True)
        encoded = encode(self.model, pack(batch).to(self.device), layers)
        shape = (batch.tokens.shape[0], batch.tokens.shape[1])
        return [unpack(encoded.layers[layer], real, shape) for layer in layers]

    def _autocast(self) -> torch.autocast:
        dtype = self._half or torch.bfloat16
        return torch.autocast(self.device.type, dtype, enabled=self._half is not None)


def side_by_side(
    work: Callable[[list[int]], Made | None],
    plan: Iterable[list[int]],
    workers: int,
    threads: int,
    ahead: int,
) -> Iterator[tuple[list[int], Made | None]]:
    """Each batch with what ``work`` makes of it, in their order.

    Meanwhile torch gives ``threads // workers`` threads to every other thread of the process that begins to
    compute; afterwards ``threads`` again.

    Args:
        work: called from several threads; None says that memory does not suffice while others compute too.
            Batches that follow are not begun then: all others are waited for, and these come with None.
        plan: the batches.
        workers: threads that take batches.
        threads: those of the process; each worker computes with its part of them.
        ahead: batches a worker that may wait while one before them is not ready.
    """
    failed = False

    def apart(members: list[int]) -> Made | None:
        nonlocal failed
        torch.set_num_threads(threads // workers)  # of this thread
        made = None if failed else work(members)
        failed = failed or made is None
        return made

    pending: deque[tuple[list[int], Future[Made | None]]] = deque()
    with ThreadPoolExecutor(workers, "genomecli-batch") as pool:
        try:
            for members in plan:
                pending.append((members, pool.submit(apart, members)))
                if len(pending) > (ahead + 1) * workers:
                    yield _first(pending)
            while pending:
                yield _first(pending)
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)  # what threads to come are given too


def _first(
    pending: deque[tuple[list[int], Future[Made | None]]],
) -> tuple[list[int], Made | None]:
    """The first batch and what was made of it; where that failed, not before all others have ended."""
    members, future = pending.popleft()
    made = future.result()
    if made is None:
        wait([other for _, other in pending])
    return members, made


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Hold ``model`` in evaluation mode, and leave it as it was."""
    training = model.training
    if training:  # setting every module anew takes as long as a small batch
        model.eval()
    try:
        yield
    finally:
        if training:
            model.train()


def window_states(windows: Sequence[Window], states: States) -> list[Floats]:
    """Each window's states on the CPU, float32[C, 1 + n, D], [CLS] first, without [SEP] and padding.

    Raises:
        RunError: if they are not finite.
    """
    arrays = [layer.cpu().numpy() for layer in states]
    return [
        finite(np.stack([array[row, : window.length - 1] for array in arrays]), window)
        for row, window in enumerate(windows)
    ]


def finite(values: Floats, window: Window) -> Floats:
    """``values``. Raises RunError if one is not finite."""
    if not np.isfinite(values).all():
        raise RunError(
            "the model's states are not finite",
            where=f"record {window.item.id!r}",
            fix="set precision to fp32, or use another checkpoint",
        )
    return values
