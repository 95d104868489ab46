"""Layers that mix positions. A mixer is called with the vectors, the layout, the pattern and the rotation.

Shapes: B texts, L length, T packed tokens, D width, H heads, E head width; ``...`` is B, L or T.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from genomecli.models.attention import attend
from genomecli.models.layout import Layout
from genomecli.models.patterns import FULL, Pattern
from genomecli.models.rotary import Rotation, rotate
from genomecli.models.settings import ModelSettings


class Mixer(Protocol):
    """What a registered mixer must do. It is built as ``cls(settings, layer)`` and is an ``nn.Module``."""

    def __call__(
        self, x: Tensor, layout: Layout, pattern: Pattern = ..., rotation: Rotation | None = ...
    ) -> Tensor:
        """float[..., D] to float[..., D]; texts never see each other, nor padding."""
        ...


class Attention(nn.Module):
    """Multi-head self-attention with one matrix for queries, keys and values.

    Args:
        settings: width, heads, bias, qk_norm and attention_dropout are used.
        layer: index of the block; attention is the same in all.
    """

    def __init__(self, settings: ModelSettings, layer: int = 0) -> None:
        super().__init__()
        width = settings.width
        self.heads = settings.heads
        self.head_width = settings.head_width
        self.dropout = settings.attention_dropout
        self.qkv = nn.Linear(width, 3 * width, bias=settings.bias)
        self.out = nn.Linear(width, width, bias=settings.bias)
        eps = settings.norm_eps
        self.query_norm = nn.RMSNorm(self.head_width, eps=eps) if settings.qk_norm else None
        self.key_norm = nn.RMSNorm(self.head_width, eps=eps) if settings.qk_norm else None

    def forward(
        self, x: Tensor, layout: Layout, pattern: Pattern = FULL, rotation: Rotation | None = None
    ) -> Tensor:
        """Attend within each text.

        Args:
            x: float[..., D].
            layout: which tokens make up a text.
            pattern: who sees whom.
            rotation: rotary angles of the positions; None for none.

        Returns:
            float[..., D].
        """
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, self.head_width))
        both, value = qkv[..., :2, :, :], qkv[..., 2, :, :]
        if self.query_norm is not None and self.key_norm is not None:
            both = _normalise(both, self.query_norm, self.key_norm)
        if rotation is not None:
            both = rotate(both, rotation)
        query, key = both.unbind(-3)
        mixed = attend(query, key, value, pattern, layout, self.dropout if self.training else 0.0)
        projected: Tensor = self.out(mixed.flatten(-2))
        return projected


def _normalise(both: Tensor, query_norm: nn.RMSNorm, key_norm: nn.RMSNorm) -> Tensor:
    """Queries and keys, [..., 2, H, E], each at unit root mean square a head, times a learned scale; in
    float32."""
    query, key = both.float().unbind(-3)
    return torch.stack((query_norm(query), key_norm(key)), dim=-3).to(both.dtype)
