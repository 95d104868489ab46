"""How the texts of a batch lie in memory: padded to a rectangle, or packed end to end.

A layout belongs to one forward pass; it is made once and shared by all layers, masks included.

Shapes: B texts, L padded length, T packed tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from genomecli.models.patterns import Pattern


@dataclass(frozen=True)
class PaddedLayout:
    """Texts in the rows of a rectangle.

    Args:
        length: L.
        device: where masks are made.
        real: bool[B, L], True at real tokens; None if no text is shorter than L.
    """

    length: int
    device: torch.device
    real: Tensor | None = None
    _masks: dict[Pattern, Tensor | None] = field(default_factory=dict)
    _unseen: dict[tuple[Pattern, torch.dtype], Tensor | None] = field(default_factory=dict)

    def mask(self, pattern: Pattern) -> Tensor | None:
        """bool, broadcastable to [B, H, L, L]: True where a key is seen; None if all are.

        Under a pattern each padding position sees itself too, so that no row of the softmax is empty.
        """
        if pattern not in self._masks:
            self._masks[pattern] = self._make(pattern)
        return self._masks[pattern]

    def unseen(self, pattern: Pattern, dtype: torch.dtype) -> Tensor | None:
        """:meth:`mask` as numbers of ``dtype`` that are added to scores; None if all keys are seen.

        See :func:`unseen_of`.
        """
        if (pattern, dtype) not in self._unseen:
            mask = self.mask(pattern)
            self._unseen[pattern, dtype] = None if mask is None else unseen_of(mask, dtype)
        return self._unseen[pattern, dtype]

    def _make(self, pattern: Pattern) -> Tensor | None:
        keys = None if self.real is None else self.real[:, None, None, :]
        if pattern.covers(self.length):
            return keys
        seen = pattern.mask(self.length, self.device)
        if keys is None:
            return seen[None, None]
        return (seen & keys) | torch.eye(self.length, dtype=torch.bool, device=self.device)


def unseen_of(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where the mask (bool, of any shape) is True, minus infinity elsewhere: ``dtype``, of its shape."""
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, float("-inf"))


@dataclass(frozen=True)
class PackedLayout:
    """Texts end to end.

    Args:
        cu_seqlens: int32[B + 1]; text i is ``cu_seqlens[i]`` to ``cu_seqlens[i + 1]``.
        max_length: tokens of the longest text.
    """

    cu_seqlens: Tensor
    max_length: int

    @cached_property
    def bounds(self) -> tuple[int, ...]:
        """``cu_seqlens`` as numbers; waits for the device, so only paths without a packed kernel ask."""
        return tuple(self.cu_seqlens.tolist())


Layout = PaddedLayout | PackedLayout


def padded_layout(lengths_B: Tensor | None, length: int, device: torch.device) -> PaddedLayout:
    """The layout of a rectangle.

    On CPU equal lengths need no mask and get none; elsewhere asking would make the host wait for the device,
    so there the caller leaves ``lengths_B`` out if he knows.

    Args:
        lengths_B: int64[B], at least 1 each; None if all are ``length``.
        length: L.
        device: where masks are made.
    """
    if lengths_B is None:
        return PaddedLayout(length, device)
    look = lengths_B.device.type == "cpu" and not torch.compiler.is_compiling()
    if look and bool((lengths_B == length).all()):
        return PaddedLayout(length, device)
    index = torch.arange(length, device=device)
    return PaddedLayout(length, device, index[None, :] < lengths_B.to(device)[:, None])
