"""The engine: items in, what the model says of them out, in input order. Every command uses it.

It reads ahead a bounded number of tokens, sorts them by length into batches of a token budget, and gives the
results out in input order, so a million records need no more memory than a few thousand. Batches are made so
that a record's result does not depend on them (see ``batching``).

Shapes: B texts, L padded length, C layers, D width.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

import numpy as np
import torch
from torch import Tensor

from genomecli.errors import InputError
from genomecli.inference.batching import SPECIAL_TOKENS, Window, counted_mask, make_batch
from genomecli.inference.decoding import Doubles, Query, answer, language_ranges
from genomecli.inference.items import Item
from genomecli.inference.pooling import Pooling, RunningPool, pool_batch
from genomecli.inference.results import Floats, Layers, Piece, Pooled, Readable, Result, resolve_layers
from genomecli.inference.runner import Runner, States, finite, window_states
from genomecli.inference.windows import Stitcher, WindowPlan, share_weights

LongInput = Literal["error", "truncate", "window"]

BUFFER_BATCHES = 64
"""Batches read ahead at most, so that texts of one length find each other."""

FIRST_BATCHES = 2
"""Batches read ahead at first on a CPU, whose speed is not known yet."""

BUFFER_SECONDS = 10.0
"""What is read ahead on a CPU takes about so long: nothing of it is given out before, and a signal waits."""

BUFFER_WINDOWS = 16_384
"""Windows read ahead at most, however short they are."""

BUFFER_BYTES = 256 << 20
"""Memory for states that wait for their turn in the output."""

Given = TypeVar("Given")

Visitor = Callable[[Sequence[Window], Tensor, Tensor, list[Tensor]], None]
"""Called with windows, tokens int64[B, L], weights float32[B, L], and a float32[B, L, D] a layer. The weights
of a token that counts add up to 1 over all windows, those of others are 0."""


class Engine:
    """Runs a model over items.

    Args:
        loaded: the model and its lexicon.
        device: where it runs; None for where it is.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        tokens_per_batch: tokens a batch, padding included.
        long_input: what becomes of an item that exceeds the window: ``error``, ``truncate`` (its first tokens
            are read), or ``window``.
        window: tokens read at once, without special tokens; None for all that the context holds.
        stride: tokens from window to window; None for half a window.

    Attributes:
        counts: ``items``, ``tokens``, ``windowed`` (items in several windows) and ``truncated`` so far.
        begun: times that what was read ahead was computed.
        left: items whose last window was computed then and was not given out yet.

    Raises:
        InputError: if the window exceeds the context, or the stride the window.
    """

    def __init__(
        self,
        loaded: Readable,
        device: torch.device | str | None = None,
        precision: str = "fp32",
        tokens_per_batch: int = 16_384,
        *,
        long_input: LongInput = "window",
        window: int | None = None,
        stride: int | None = None,
    ) -> None:
        self.lexicon = loaded.lexicon
        self.model = loaded.model if device is None else loaded.model.to(device)
        self.runner = Runner(self.model, precision, tokens_per_batch)
        self.device = self.runner.device
        self.settings = self.model.settings
        self.counts: Counter[str] = Counter()
        self.begun = self.left = 0
        # Where results depend on the batch in their last bits, as on a GPU, batches must not depend on time.
        self._paced = self.device.type == "cpu"
        self._batches_ahead = float(FIRST_BATCHES if self._paced else BUFFER_BATCHES)
        self._long_input = long_input
        self._window, self._stride = _check_windows(self.settings.context, window, stride)

    @property
    def window(self) -> int:
        """Tokens read at once, at most, special tokens not counted."""
        return self._window

    def layers(self, layers: Layers) -> tuple[int, ...]:
        """Layer numbers from 0 to the number of blocks. Raises InputError for one that does not exist."""
        return resolve_layers(layers, self.settings.layers)

    def run(self, items: Iterable[Item], layers: Layers = (-1,)) -> Iterator[Result]:
        """States of each item's tokens at some layers, in input order.

        Raises:
            InputError: for a layer that does not exist, or a long item where that is an error.
            RunError: if one text does not fit into memory, or states are not finite.
        """
        wanted = self.layers(layers)
        held: list[Piece] = []
        for piece in self.pieces(items, wanted):
            held.append(piece)
            if piece.last:
                hidden = np.concatenate([p.hidden for p in held], axis=1)
                cls = np.stack([p.cls for p in held]).mean(axis=0, dtype=np.float64, keepdims=True)[0]
                by_layer = {layer: hidden[i] for i, layer in enumerate(wanted)}
                yield Result(
                    piece.item, by_layer, {layer: cls[i].astype(np.float32) for i, layer in enumerate(wanted)}
                )
                held = []

    def pieces(self, items: Iterable[Item], layers: Layers = (-1,)) -> Iterator[Piece]:
        """As :meth:`run`, but a long item comes window by window, in constant memory."""
        wanted = self.layers(layers)
        stitcher: Stitcher | None = None
        for buffer in self._buffers(items, lambda window: self._state_bytes(window, len(wanted))):
            for window, states in self._given(zip(buffer, self._states(buffer, wanted), strict=True), buffer):
                if window.which == 0:
                    stitcher = Stitcher(self._plan(window.item)) if window.count > 1 else None
                body = states[:, 1:] if stitcher is None else stitcher.add(states[:, 1:])
                yield Piece(window.item, window.start, body, states[:, 0], _ends(window))

    def pool(
        self, items: Iterable[Item], layers: Layers = (-1,), poolings: Sequence[Pooling] = ("mean",)
    ) -> Iterator[Pooled]:
        """One vector an item, layer and pooling, in input order. Each item must have a counted token.

        Raises:
            InputError, RunError: as :meth:`run`.
        """
        wanted = self.layers(layers)
        long = _LongItem(poolings)

        def kept(window: Window) -> int:
            return self._state_bytes(window, len(wanted)) if window.count > 1 else 0

        for buffer in self._buffers(items, kept):
            pooled = self._pooled(buffer, wanted, poolings)
            for window, found in self._given(zip(buffer, pooled, strict=True), buffer):
                if window.count == 1:
                    yield Pooled(window.item, found)
                elif (vectors := long.add(window, found, self._plan(window.item))) is not None:
                    yield Pooled(window.item, vectors)

    def visit(self, items: Iterable[Item], layers: Layers, visitor: Visitor) -> None:
        """Show each batch's states to ``visitor``, on the device, in no particular order of items.

        Args:
            items: what to run over.
            layers: as in :meth:`run`.
            visitor: called once a batch.
        """
        for buffer in self._buffers(items, lambda _: 0):
            for members, states in self.runner.batches(buffer, self.layers(layers)):
                windows = [buffer[i] for i in members]
                tokens = make_batch(windows, self.settings.context).tokens[: len(windows)]
                weights = torch.from_numpy(self._weights(windows, tokens.shape[1]))
                visitor(windows, tokens.to(self.device), weights.to(self.device), states)

    def decode(self, queries: Iterable[Query]) -> Iterator[Doubles]:
        """What the model expects at the places that are asked about, query by query, in input order.

        Args:
            queries: each text fits the window.

        Yields:
            float64[A]: natural logarithms of probabilities; see :class:`~genomecli.inference.decoding.Query`.

        Raises:
            RunError: as :meth:`run`.
        """
        waiting: deque[Query] = deque()
        ranges = language_ranges(self.lexicon)

        def texts() -> Iterator[Item]:
            for query in queries:
                assert len(query.item.tokens) <= self._window, "a query's text exceeds the window"
                waiting.append(query)
                yield query.item

        for buffer in self._buffers(texts(), lambda _: 0):
            asked = [waiting.popleft() for _ in buffer]
            found: dict[int, Doubles] = {}
            for members, states in self.runner.batches(buffer, (self.settings.layers,)):
                answers = answer(self.runner, states[0], [asked[i] for i in members], ranges)
                found.update(zip(members, answers, strict=True))
            yield from self._given((found[i] for i in range(len(buffer))), buffer)

    def _given(self, results: Iterable[Given], buffer: Sequence[Window]) -> Iterator[Given]:
        """Results of what was read ahead, and how many items end among those that are left."""
        self.left = sum(_ends(window) for window in buffer)
        for window, result in zip(buffer, results, strict=True):
            self.left -= _ends(window)
            yield result

    def _weights(self, windows: Sequence[Window], length: int) -> Floats:
        weights = counted_mask(windows, length).astype(np.float32)
        for row, window in enumerate(windows):
            if window.count > 1:
                share = share_weights(self._plan(window.item), window.which)
                weights[row, 1 : len(share) + 1] *= share
        return weights

    def _states(self, buffer: Sequence[Window], layers: Sequence[int]) -> list[Floats]:
        """Of each window, float32[C, 1 + n, D], [CLS] first."""
        found: dict[int, Floats] = {}

        def use(members: list[int], states: States) -> Iterable[tuple[int, Floats]]:
            return zip(members, window_states([buffer[i] for i in members], states), strict=True)

        for made in self.runner.mapped(buffer, layers, use):
            found.update(made)
        return [found[i] for i in range(len(buffer))]

    def _pooled(
        self, buffer: Sequence[Window], layers: Sequence[int], poolings: Sequence[Pooling]
    ) -> list[Floats]:
        """Of each window its vectors, float32[C, P, D]; of one of several of its item, its states."""
        found: dict[int, Floats] = {}

        def use(members: list[int], states: States) -> dict[int, Floats]:
            windows = [buffer[i] for i in members]
            counted = torch.from_numpy(counted_mask(windows, states[0].shape[1])).to(self.device)
            pooled = torch.stack([pool_batch(layer, counted, poolings) for layer in states], dim=1)
            vectors = pooled.cpu().numpy()
            made = {
                i: finite(vectors[row].copy(), buffer[i])
                for row, i in enumerate(members)
                if buffer[i].count == 1
            }
            if len(made) < len(members):
                whole = zip(members, window_states(windows, states), strict=True)
                made.update((i, values) for i, values in whole if buffer[i].count > 1)
            return made

        for made in self.runner.mapped(buffer, layers, use):
            found.update(made)
        return [found[i] for i in range(len(buffer))]

    def _plan(self, item: Item) -> WindowPlan:
        return WindowPlan(len(item.tokens), self._window, self._stride)

    def _buffers(self, items: Iterable[Item], bytes_kept: Callable[[Window], int]) -> Iterator[list[Window]]:
        """Windows of consecutive items, as many as may wait at once.

        Args:
            items: where they come from.
            bytes_kept: memory that a window's result takes while it waits.
        """
        buffer: list[Window] = []
        tokens = kept = 0
        for item in items:
            for window in self._windows(item):
                buffer.append(window)
                tokens += window.length
                kept += bytes_kept(window)
                ahead = min(self._batches_ahead, BUFFER_BATCHES) * self.runner.budget
                if tokens >= ahead or len(buffer) >= BUFFER_WINDOWS or kept >= BUFFER_BYTES:
                    begun = time.monotonic()
                    self.begun += 1
                    yield buffer
                    self._pace(tokens / self.runner.budget, time.monotonic() - begun)
                    buffer, tokens, kept = [], 0, 0
        if buffer:
            self.begun += 1
            yield buffer

    def _pace(self, batches: float, seconds: float) -> None:
        """Read ahead what takes :data:`BUFFER_SECONDS`, as the last ``batches`` went; one at least."""
        if self._paced:
            wanted = batches * BUFFER_SECONDS / max(seconds, 1e-3)
            self._batches_ahead = min(max(wanted, 1.0), float(BUFFER_BATCHES))

    def _state_bytes(self, window: Window, layers: int) -> int:
        return 4 * self.settings.width * layers * window.length

    def counts_of(self, item: Item) -> dict[str, int]:
        """What an item adds to :attr:`counts`."""
        long = len(item.tokens) > self._window
        return {
            "items": 1,
            "tokens": len(item.tokens),
            "windowed": int(long and self._long_input == "window"),
            "truncated": int(long and self._long_input == "truncate"),
        }

    def _windows(self, item: Item) -> Iterator[Window]:
        total = len(item.tokens)
        assert total, f"item {item.id!r} has no tokens"
        self.counts.update(self.counts_of(item))
        if total <= self._window:
            yield Window(item, 0, total)
            return
        if self._long_input == "error":
            raise InputError(
                f"{total} tokens exceed the window of {self._window}",
                where=f"record {item.id!r}",
                fix="set long_input to window or truncate",
            )
        if self._long_input == "truncate":
            yield Window(_truncated(item, self._window), 0, self._window)
            return
        plan = self._plan(item)
        for which in range(plan.count):
            start = plan.start(which)
            yield Window(item, start, start + plan.size, which, plan.count)


class _LongItem:
    """Pools items of several windows, one window after the other."""

    def __init__(self, poolings: Sequence[Pooling]) -> None:
        self._poolings = poolings
        self._running = RunningPool(poolings)
        self._stitcher: Stitcher | None = None

    def add(self, window: Window, states: Floats, plan: WindowPlan) -> Floats | None:
        """Take the next window's states, float32[C, 1 + n, D]; the item's vectors with its last."""
        if window.which == 0 or self._stitcher is None:
            self._running, self._stitcher = RunningPool(self._poolings), Stitcher(plan)
        done = self._stitcher.add(states[:, 1:])
        self._running.add_cls(states[:, 0])
        self._running.add(done, window.item.counted(window.start, window.start + done.shape[1]))
        return self._running.result() if _ends(window) else None


def _ends(window: Window) -> bool:
    """Whether its item ends with it."""
    return window.which == window.count - 1


def _check_windows(context: int, window: int | None, stride: int | None) -> tuple[int, int]:
    most = context - SPECIAL_TOKENS
    size = most if window is None else window
    step = max(1, size // 2) if stride is None else stride
    if not 1 <= size <= most:
        what = f"a window of {size} tokens does not fit the model's context of {context}"
        raise InputError(what, fix=f"set window to at most {most}")
    if not 1 <= step <= size:
        raise InputError(f"a stride of {step} skips tokens between windows of {size}", fix="lower stride")
    return size, step


def _truncated(item: Item, tokens: int) -> Item:
    tail = max(0, item.skip[1] - (len(item.tokens) - tokens))
    short = replace(item, tokens=item.tokens[:tokens], skip=(item.skip[0], tail))
    if not short.counted().any():
        what = f"none of its first {tokens} tokens counts"
        raise InputError(what, where=f"record {item.id!r}", fix="set long_input to window")
    return short
