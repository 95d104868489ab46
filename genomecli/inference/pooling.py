"""Pooling: from the states of a text's tokens to one vector a layer. Special tokens and padding never count.

``mean`` and ``max`` run over the counted tokens: those that are no special token ([UNK], the token of an
ambiguous letter, is one) and that the text does not leave out. ``cls`` is the state of [CLS]; of a text in
several windows, the mean over its windows. ``centre`` is the middle counted token, or the mean of two.

Shapes: B texts, L padded length, t tokens, D width, C layers, P poolings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genomecli.models.pooling import centre_pool, first_pool, max_pool, mean_pool

Pooling = Literal["mean", "cls", "max", "centre"]

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


def pool_batch(hidden_BLD: Tensor, counted_BL: Tensor, poolings: Sequence[Pooling]) -> Tensor:
    """Pool the texts of a batch.

    Args:
        hidden_BLD: float32[B, L, D]; position 0 is [CLS].
        counted_BL: bool[B, L], at least one in each row.
        poolings: which, in which order.

    Returns:
        float32[B, P, D].
    """
    return torch.stack([_pool(hidden_BLD, counted_BL, name) for name in poolings], dim=1)


def _pool(hidden_BLD: Tensor, counted_BL: Tensor, pooling: Pooling) -> Tensor:
    pools = {"mean": mean_pool, "cls": first_pool, "max": max_pool, "centre": centre_pool}
    return pools[pooling](hidden_BLD, counted_BL)


class RunningPool:
    """Pools a text that comes in pieces, in constant memory; for ``centre`` that of half its states.

    Args:
        poolings: which, in which order.
    """

    def __init__(self, poolings: Sequence[Pooling]) -> None:
        self._poolings = tuple(poolings)
        self._sum: NDArray[np.float64] | float = 0.0
        self._count = 0
        self._max: Floats | None = None
        self._cls: NDArray[np.float64] | float = 0.0
        self._windows = 0
        self._later: deque[Floats] | None = deque() if "centre" in poolings else None

    def add(self, hidden: Floats, counted: Flags) -> None:
        """Take the states of the next tokens.

        Args:
            hidden: float32[C, m, D].
            counted: bool[m].
        """
        rows = hidden[:, counted]
        if not rows.shape[1]:
            return
        self._sum = self._sum + rows.sum(axis=1, dtype=np.float64)
        if self._later is not None:
            self._step(rows, self._later)
        self._count += rows.shape[1]
        highest = rows.max(axis=1)
        self._max = highest if self._max is None else np.maximum(self._max, highest)

    def _step(self, rows: Floats, later: deque[Floats]) -> None:
        """Keep the states from the middle on: of n that is number (n + 1) // 2, counted from 1."""
        for place in range(rows.shape[1]):
            later.append(rows[:, place])
            if (self._count + place) % 2 == 0 and self._count + place:
                later.popleft()

    def _centre(self) -> Floats:
        assert self._later
        if self._count % 2:
            return self._later[0]
        return (self._later[0] + self._later[1]) / np.float32(2)

    def add_cls(self, state: Floats) -> None:
        """Take the [CLS] state of the next window, float32[C, D]."""
        self._cls = self._cls + state.astype(np.float64)
        self._windows += 1

    def result(self) -> Floats:
        """float32[C, P, D]. At least one counted token and one window must have been given."""
        assert self._count
        assert self._windows
        assert self._max is not None
        found = {"mean": self._sum / self._count, "cls": self._cls / self._windows, "max": self._max}
        if self._later is not None:
            found["centre"] = self._centre()
        return np.stack([np.asarray(found[name], dtype=np.float32) for name in self._poolings], axis=1)
