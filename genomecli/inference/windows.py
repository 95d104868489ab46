"""Windows over a text that is longer than the model's context, and how their states become one again.

Windows start every ``stride`` tokens; the last one is moved back so that it ends with the text, so all
windows of a text are equally long. A token that several windows cover gets the weighted mean of its states.
The weight of token i in a window of n tokens is min(i + 1, n - i): it falls towards the window's ends, where
the context is cut off, and is never zero.

Shapes: n tokens of a window, t tokens of the text, C layers, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Where the windows over a text start: 0, stride, 2 stride, ..., and ``tokens - window`` last.

    Args:
        tokens: of the text.
        window: tokens a window.
        stride: tokens from window to window, 1 to ``window``.
    """

    tokens: int
    window: int
    stride: int

    @property
    def count(self) -> int:
        """Number of windows; 1 for a text that fits one."""
        return 1 + max(0, -(-(self.tokens - self.window) // self.stride))

    @property
    def size(self) -> int:
        """n: tokens of each window."""
        return min(self.tokens, self.window)

    def start(self, which: int) -> int:
        """First token of a window."""
        return min(which * self.stride, self.tokens - self.size)


def window_weights(tokens: int) -> Floats:
    """float32[n]: min(i + 1, n - i), the weight of each token of a window where windows overlap."""
    index = np.arange(tokens)
    return np.minimum(index + 1, tokens - index).astype(np.float32)


def share_weights(plan: WindowPlan, which: int) -> NDArray[np.float64]:
    """float64[n]: the part that window ``which`` has in the mean state of each of its tokens.

    Over all windows of a text the parts of a token add up to 1.
    """
    size, start = plan.size, plan.start(which)
    own = window_weights(size).astype(np.float64)
    total = own.copy()
    for step in (-1, 1):
        other = which + step
        while 0 <= other < plan.count and abs(plan.start(other) - start) < size:
            shift = plan.start(other) - start
            low, high = max(0, shift), min(size, size + shift)
            total[low:high] += own[low - shift : high - shift]
            other += step
    return own / total


class Stitcher:
    """Joins the windows of one text, given in order; holds one window's states at most.

    Args:
        plan: of the text.
    """

    def __init__(self, plan: WindowPlan) -> None:
        self._plan = plan
        self._next = 0
        self._sum: Floats | None = None
        self._weight = np.zeros(0, dtype=np.float32)

    def add(self, states: Floats) -> Floats:
        """Take the states of the next window; give out those that no later window covers.

        Args:
            states: float32[C, n, D].

        Returns:
            float32[C, m, D], the tokens after those given out before.
        """
        weight = window_weights(states.shape[1])
        total = states * weight[:, None]
        if self._sum is not None:
            held = self._sum.shape[1]
            total[:, :held] += self._sum
            weight[:held] += self._weight
        done = states.shape[1]
        if self._next + 1 < self._plan.count:
            done = self._plan.start(self._next + 1) - self._plan.start(self._next)
        self._next += 1
        self._sum, self._weight = total[:, done:].copy(), weight[done:].copy()
        finished: Floats = total[:, :done] / weight[:done, None]
        return finished
