"""Rotary position embedding (Su et al. 2021, arXiv:2104.09864), halves convention as in ModernBERT.

Shapes: L length (or T packed tokens), H heads, E head width, Q = 2 for queries and keys together.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

Rotation = tuple[Tensor, Tensor]
"""Cosine and sine, float32[..., L, 1, 1, E / 2], ready to broadcast over [..., L, Q, H, E / 2]. Texts whose
positions are one and the same row share them, float32[L, 1, 1, E / 2]."""


class Rotary(nn.Module):
    """Table of angles position x theta^(-2i/E), for positions 0 to ``context - 1``.

    Args:
        head_width: E, even.
        context: number of positions.
        theta: base of the frequencies.

    ``cos`` and ``sin`` are float32[context, E / 2], of angles in radians; no checkpoint holds them.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, head_width: int, context: int, theta: float) -> None:
        super().__init__()
        exponent = torch.arange(0, head_width, 2, dtype=torch.float32) / head_width
        frequency = 1.0 / (theta**exponent)
        angle = torch.arange(context, dtype=torch.float32)[:, None] * frequency
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, positions: Tensor | None, length: int) -> Rotation:
        """Cosine and sine of each position.

        Args:
            positions: int64[..., L] below ``context``; None for 0 to ``length - 1``.
            length: L.

        Returns:
            See :data:`Rotation`.
        """
        if positions is not None and positions.dim() > 1 and positions.stride(0) == 0:
            positions = positions[0]  # one row, expanded: a table for all texts stays in the cache
        if positions is None:
            cos, sin = self.cos[:length], self.sin[:length]
        else:
            cos, sin = self.cos[positions], self.sin[positions]
        return cos[..., None, None, :], sin[..., None, None, :]


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """``x`` turned by its position; computed in float32, returned in the dtype of ``x``.

    Args:
        x: float[..., L, Q, H, E]; component i is paired with component i + E / 2.
        rotation: from :class:`Rotary`.
    """
    if x.requires_grad and torch.is_grad_enabled():
        return _turn_halves(x, rotation)
    # Whole heads at a time: half the time, and the same bits.
    cos, sin = rotation
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    first, second = wide.chunk(2, dim=-1)
    swapped, both = torch.cat((second, first), dim=-1), torch.cat((cos, cos), dim=-1)
    turned = wide * both if wide is x else wide.mul_(both)
    turned += swapped.mul_(torch.cat((-sin, sin), dim=-1))
    return turned.to(x.dtype)


def _turn_halves(x: Tensor, rotation: Rotation) -> Tensor:
    cos, sin = rotation
    first, second = x.chunk(2, dim=-1)
    turned = torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
    return turned.to(x.dtype)
