"""Attention of one packed batch, forward and backward: the toolkit's own path and the package flash-attn.

On CUDA the toolkit's path is torch's ``varlen_attn``; elsewhere it is one call a text, which shows that this
runs. Both sides get the same queries, keys, values and lengths, and no window.

Shapes: T packed tokens, H heads, E head width, B texts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genomecli.models.attention import attend, uses_varlen
from genomecli.models.layout import PackedLayout
from genomecli.models.patterns import FULL

Attention = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Packed:
    """One batch.

    Args:
        inputs: queries, keys and values, each bf16[T, H, E].
        cu_seqlens: int32[B + 1].
        longest: tokens of the longest text.
    """

    inputs: tuple[Tensor, Tensor, Tensor]
    cu_seqlens: Tensor
    longest: int


def packed_batch(tokens: np.ndarray, heads: int, head_width: int, device: torch.device) -> Packed:
    """Random numbers for texts of these lengths, int64[B]."""
    torch.manual_seed(0)
    shape = (int(tokens.sum()), heads, head_width)
    made = [torch.randn(shape, device=device, dtype=torch.bfloat16).requires_grad_() for _ in range(3)]
    bounds = torch.tensor([0, *tokens.cumsum().tolist()], dtype=torch.int32, device=device)
    return Packed((made[0], made[1], made[2]), bounds, int(tokens.max()))


def our_attention(batch: Packed) -> Attention:
    """The path that the toolkit takes. Raises RuntimeError if on CUDA it is another than ``varlen_attn``."""
    query = batch.inputs[0]
    if query.is_cuda and not uses_varlen(query):
        raise RuntimeError("torch's variable-length attention does not serve here")
    layout = PackedLayout(batch.cu_seqlens, batch.longest)
    return lambda query, key, value: attend(query, key, value, FULL, layout)


def flash_attention(batch: Packed) -> Attention | None:
    """``flash_attn_varlen_func``; None where flash-attn is not installed."""
    try:
        from flash_attn import flash_attn_varlen_func
    except ImportError:
        return None
    cu, longest = batch.cu_seqlens, batch.longest

    def attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        found: Tensor = flash_attn_varlen_func(query, key, value, cu, cu, longest, longest)
        return found

    return attention


def attention_rate(attention: Attention, batch: Packed, times: int) -> float:
    """Tokens a second through forward and backward pass; the first three passes are not counted."""
    device = batch.inputs[0].device
    gradient = torch.ones_like(batch.inputs[0])
    begin = 0.0
    for number in range(times + 3):
        if number == 3:
            begin = _now(device)
        torch.autograd.grad(attention(*batch.inputs), batch.inputs, gradient)
    return times * len(gradient) / (_now(device) - begin)


def difference(one: Attention, other: Attention, batch: Packed) -> float:
    """Largest difference of the two results."""
    with torch.no_grad():
        return float((one(*batch.inputs).float() - other(*batch.inputs).float()).abs().max())


def _now(device: torch.device) -> float:
    """Seconds, once the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
