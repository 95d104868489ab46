"""Scaled dot-product attention under a pattern, for padded and for packed texts.

The fastest path that gives the right answer is chosen by shape, device and dtype, never by values:

- padded, all keys seen: SDPA without mask;
- padded, in bf16 on a CPU, up to some length: :mod:`genomecli.models.attention_in_cache`;
- padded, window on a long text: blocks of queries with the keys around them, linear in the length
  (3 times faster than a masked square at 1,024 tokens on CPU);
- packed, bf16 or fp16 on CUDA: torch's variable-length kernel;
- packed elsewhere: one call a text, or one for all if they are equally long.

Shapes: B texts, L length, T packed tokens, H heads, E head width, N blocks, S block size, W keys of a block.
"""

from __future__ import annotations

import inspect
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention

from genomecli.models.attention_in_cache import attend_in_cache
from genomecli.models.layout import Layout, PackedLayout, PaddedLayout, unseen_of
from genomecli.models.patterns import CAUSAL, Pattern

_varlen: Any = None
# Without CUDA the kernel never serves, and importing it takes longer than the rest of torch.
if torch.cuda.is_available():
    try:
        from torch.nn.attention import varlen as _module
    except ImportError:
        pass
    else:
        if "window_size" in inspect.signature(_module.varlen_attn).parameters:
            _varlen = _module.varlen_attn

BLOCKS_FROM = 6
"""Blocks pay from a length of this many times the window's longer side on (measured on CPU: 256 no, 512
yes)."""

IN_CACHE_TO = 2048
"""Longest text whose attention is computed in the cache, in bf16 on a CPU. Measured on one and two cores with
AVX512-BF16, heads of 64 and of 32, as the time that SDPA takes over that taken here: trained 2.0 to 7.5 up to
512 tokens, 1.1 to 1.5 at 2,048; read 1.1 to 2.2."""

CAUSAL_TO = 1024
"""The same where SDPA leaves out what causal attention does not see: 1.1 there, .8 at 2,048."""


def attend(
    query: Tensor, key: Tensor, value: Tensor, pattern: Pattern, layout: Layout, dropout: float = 0.0
) -> Tensor:
    """softmax(Q K^T / sqrt(E)) V within each text and within the pattern.

    Args:
        query: float[B, L, H, E] if the layout is padded, float[T, H, E] if packed; key and value likewise.
        pattern: who sees whom.
        layout: which tokens make up a text.
        dropout: of the attention weights; 0 in evaluation.

    Returns:
        Like ``query``. What stands at padding is finite and means nothing.
    """
    if isinstance(layout, PaddedLayout):
        return _attend_padded(query, key, value, pattern, layout, dropout)
    if uses_varlen(query, dropout):
        return _attend_varlen(query, key, value, pattern, layout)
    return _attend_segments(query, key, value, pattern, layout, dropout)


def uses_varlen(query: Tensor, dropout: float = 0.0) -> bool:
    """Whether torch's variable-length kernel serves for queries [..., E]; see :func:`varlen_serves`."""
    return varlen_serves(query.device, query.dtype, query.shape[-1], dropout)


def varlen_serves(device: torch.device, dtype: torch.dtype, head_width: int, dropout: float = 0.0) -> bool:
    """Whether torch's variable-length kernel does: CUDA of capability 8 or more, half precision (bf16 or
    fp16), no dropout, and heads of a multiple of 8 numbers."""
    if _varlen is None or dropout or device.type != "cuda" or dtype not in (torch.bfloat16, torch.float16):
        return False
    return head_width % 8 == 0 and torch.cuda.get_device_capability(device)[0] >= 8


def _attend_varlen(
    query: Tensor, key: Tensor, value: Tensor, pattern: Pattern, layout: PackedLayout
) -> Tensor:
    cu, longest = layout.cu_seqlens, layout.max_length
    sides = (-1 if pattern.left is None else pattern.left, -1 if pattern.right is None else pattern.right)
    result: Tensor = _varlen(query, key, value, cu, cu, longest, longest, window_size=sides)
    return result


def _attend_segments(
    query: Tensor, key: Tensor, value: Tensor, pattern: Pattern, layout: PackedLayout, dropout: float
) -> Tensor:
    lengths = [stop - start for start, stop in pairwise(layout.bounds) if stop > start]
    if len(set(lengths)) == 1:
        rows = [x.view(len(lengths), lengths[0], *x.shape[1:]) for x in (query, key, value)]
        whole = PaddedLayout(lengths[0], query.device)
        return _attend_padded(rows[0], rows[1], rows[2], pattern, whole, dropout).flatten(0, 1)
    layouts = {length: PaddedLayout(length, query.device) for length in set(lengths)}
    parts = [
        _attend_padded(q[None], k[None], v[None], pattern, layouts[len(q)], dropout)[0]
        for q, k, v in zip(*(torch.split(x, lengths) for x in (query, key, value)), strict=True)
    ]
    return torch.cat(parts)


def _attend_padded(
    query: Tensor, key: Tensor, value: Tensor, pattern: Pattern, layout: PaddedLayout, dropout: float
) -> Tensor:
    if _blocks_pay(pattern, layout.length):
        return _attend_blocks(query, key, value, pattern, layout, dropout)
    q, k, v = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
    causal = pattern == CAUSAL and layout.real is None
    if _cache_pays(query, layout.length, CAUSAL_TO if causal else IN_CACHE_TO):
        return attend_in_cache(q, k, v, layout.unseen(pattern, q.dtype), dropout).transpose(1, 2)
    mask = None if causal else layout.mask(pattern)
    mixed = scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=causal)
    return mixed.transpose(1, 2)


def _cache_pays(query: Tensor, keys: int, limit: int) -> bool:
    return query.device.type == "cpu" and query.dtype == torch.bfloat16 and keys <= limit


def _blocks_pay(pattern: Pattern, length: int) -> bool:
    if pattern.left is None or pattern.right is None:
        return False
    return length >= BLOCKS_FROM * max(pattern.left, pattern.right, 1)


def _attend_blocks(
    query: Tensor, key: Tensor, value: Tensor, pattern: Pattern, layout: PaddedLayout, dropout: float
) -> Tensor:
    """Window attention in blocks of S queries, each with its W = left + S + right keys."""
    left, right = pattern.left or 0, pattern.right or 0
    size = max(left, right, 32)
    batch, length = query.shape[:2]
    spare = -length % size
    blocks = (length + spare) // size
    q = pad(query, (0, 0, 0, 0, 0, spare)).view(batch * blocks, size, *query.shape[2:])
    k, v = (
        pad(x, (0, 0, 0, 0, left, right + spare))
        .unfold(1, left + size + right, size)
        .permute(0, 1, 4, 2, 3)
        .flatten(0, 1)
        for x in (key, value)
    )
    mask = _block_mask(pattern, layout, blocks, size).expand(batch, -1, -1, -1).flatten(0, 1)[:, None]
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    if _cache_pays(query, k.shape[2], IN_CACHE_TO):
        mixed = attend_in_cache(q, k, v, unseen_of(mask, q.dtype), dropout)
    else:
        mixed = scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
    return mixed.transpose(1, 2).reshape(batch, blocks * size, *query.shape[2:])[:, :length]


def _block_mask(pattern: Pattern, layout: PaddedLayout, blocks: int, size: int) -> Tensor:
    """bool[B or 1, N, S, W]: True where a key is seen; each position sees itself, so no row is empty."""
    left, right = pattern.left or 0, pattern.right or 0
    device, keys = layout.device, left + size + right
    distance = torch.arange(keys, device=device)[None, :] - left - torch.arange(size, device=device)[:, None]
    place = torch.arange(blocks, device=device)[:, None] * size - left + torch.arange(keys, device=device)
    inside = ((place >= 0) & (place < layout.length))[None]
    if layout.real is not None:
        inside = inside & layout.real[:, place.clamp(0, layout.length - 1)]
    return (pattern.allows(distance) & inside[:, :, None, :]) | (distance == 0)
