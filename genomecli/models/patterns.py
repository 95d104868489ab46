"""Which positions a position may look at, as a value: full, causal, or a window.

An attention layer is told its pattern with each call, so causal and local models need no class of their own.
Distances are counted by index in the text, also where positions start again at 0 in the second text of a
pair.

Shapes: Q queries, K keys.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pattern:
    """How far a query sees.

    Args:
        left: number of earlier positions that it sees; None for all of them.
        right: number of later positions that it sees; None for all of them.
    """

    left: int | None = None
    right: int | None = None

    def covers(self, length: int) -> bool:
        """Whether in a text of ``length`` tokens every position sees every other."""
        return all(side is None or side >= length - 1 for side in (self.left, self.right))

    def allows(self, distance: Tensor) -> Tensor:
        """bool, like ``distance``: whether a key stands within sight.

        Args:
            distance: int64, index of the key minus index of the query.
        """
        seen = torch.ones_like(distance, dtype=torch.bool)
        if self.left is not None:
            seen &= distance >= -self.left
        if self.right is not None:
            seen &= distance <= self.right
        return seen

    def mask(self, length: int, device: torch.device) -> Tensor:
        """bool[Q, K], Q = K = ``length``: True where a key is seen."""
        index = torch.arange(length, device=device)
        return self.allows(index[None, :] - index[:, None])


FULL = Pattern()
"""Every position sees every other."""

CAUSAL = Pattern(right=0)
"""A position sees itself and what stands before it."""


def window(width: int) -> Pattern:
    """Positions at most ``width // 2`` apart see each other, as in ModernBERT's local layers."""
    return Pattern(width // 2, width // 2)
