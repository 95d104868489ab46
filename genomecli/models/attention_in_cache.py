"""Attention in bf16 on a CPU: some heads at a time, whose scores stay in the cache, both ways.

SDPA of torch 2.13 goes through float32 there, and its backward pass costs several times its forward one. Here
each step is a product of matrices or one pass over scores that were just made. The scale multiplies the
product that makes the scores, and what is seen is added to it, so neither is a pass of its own.

Shapes: B texts, H heads, L queries, K keys, E head width, N = B * H.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SCORES = 1 << 19
"""Scores made at a time by each thread: 1 MB of bf16. One head at least, whatever its length."""

KEPT_TO = 512
"""Most keys with which the weights are kept for the backward pass: 2 K bytes a query and head. Those of
longer texts are made again, which costs a third of the whole. Dropout keeps a byte a score besides."""


def attend_in_cache(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout: float = 0.0) -> Tensor:
    """softmax(Q K^T / sqrt(E)) V, with gradients.

    Args:
        q: float[B, H, L, E]; made for bfloat16, right in every precision.
        k, v: float[B, H, K, E].
        mask: bool, broadcastable to [B, 1, L, K]: True where a key is seen; None if all are. No row is empty.
        dropout: of the weights.

    Returns:
        float[B, H, L, E].
    """
    queries, keys, values = (x.reshape(-1, *x.shape[2:]) for x in (q, k, v))
    unseen = None
    if mask is not None:
        unseen = q.new_zeros(mask.shape).masked_fill_(~mask, float("-inf")).squeeze(1)
        if len(unseen) > 1 and unseen.shape[1] == 1:  # a row a text: small enough for one a head
            unseen = unseen.repeat_interleave(q.shape[1], dim=0)
    mixed: Tensor = _InCache.apply(queries, keys, values, unseen, q.shape[1], dropout)  # type: ignore[no-untyped-call]
    return mixed.view_as(q)


class _InCache(torch.autograd.Function):
    """Of heads: bfloat16[N, L or K, E]. ``unseen``: bfloat16[1, B or N, 1 or L, K], 0 or minus infinity."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, unseen: Tensor | None, heads: int, dropout: float
    ) -> Tensor:
        mixed = torch.empty_like(q)
        learns = any(ctx.needs_input_grad[:3])
        keeps = learns and k.shape[1] <= KEPT_TO
        parts = _parts(q, k)
        room, kept, left = _room(parts, q, k), [], []
        # Autocast would keep the softmax in float32.
        with torch.autocast(q.device.type, enabled=False):
            for part in parts:
                weights = _weights(q[part], k[part], _own(unseen, part, heads), room)
                if keeps:
                    kept.append(weights)
                if dropout:
                    left.append(torch.empty_like(weights, dtype=torch.bool).bernoulli_(1 - dropout))
                    weights = _thinned(weights, left[-1], dropout)
                torch.bmm(weights, v[part], out=mixed[part])
        if learns:
            ctx.save_for_backward(q, k, v, unseen, *kept, *left)
            ctx.heads, ctx.kept, ctx.dropout, ctx.parts = heads, len(kept), dropout, parts
        return mixed

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, unseen, *rest = ctx.saved_tensors
        kept, left = rest[: ctx.kept], rest[ctx.kept :]
        grad = grad.contiguous()
        of_q, of_k, of_v = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        nothing, room, other = q.new_zeros(1), _room(ctx.parts, q, k), _room(ctx.parts, q, k)
        factor = q.shape[-1] ** -0.5
        with torch.autocast(q.device.type, enabled=False):
            for i, part in enumerate(ctx.parts):
                weights = kept[i] if kept else _weights(q[part], k[part], _own(unseen, part, ctx.heads), room)
                used = _thinned(weights, left[i], ctx.dropout) if left else weights
                torch.bmm(used.transpose(1, 2), grad[part], out=of_v[part])
                of_weights = torch.bmm(grad[part], v[part].transpose(1, 2), out=room[: len(weights)])
                if left:
                    of_weights = _thinned(of_weights, left[i], ctx.dropout)
                of_scores = other[: len(weights)]
                torch._softmax_backward_data(of_weights, weights, -1, q.dtype, grad_input=of_scores)
                torch.baddbmm(nothing, of_scores, k[part], beta=0, alpha=factor, out=of_q[part])
                turned = of_scores.transpose(1, 2)
                torch.baddbmm(nothing, turned, q[part], beta=0, alpha=factor, out=of_k[part])
        return of_q, of_k, of_v, None, None, None


def _thinned(weights: Tensor, left: Tensor, dropout: float) -> Tensor:
    """Those that dropout left, made larger by as much as it took."""
    return (weights * left).div_(1 - dropout)


def _parts(q: Tensor, k: Tensor) -> list[slice]:
    count = len(q)
    step = max(1, torch.get_num_threads() * SCORES // max(1, q.shape[1] * k.shape[1]))
    return [slice(begin, min(begin + step, count)) for begin in range(0, count, step)]


def _room(parts: list[slice], q: Tensor, k: Tensor) -> Tensor:
    """Uninitialised, for the scores of one part."""
    return q.new_empty(parts[0].stop if parts else 0, q.shape[1], k.shape[1])


def _own(unseen: Tensor | None, part: slice, heads: int) -> Tensor | None:
    """Of the texts that the heads of a part belong to: bfloat16[1 or heads of the part, 1 or L, K]."""
    if unseen is None or len(unseen) == 1:
        return unseen
    if unseen.shape[1] == 1:
        return unseen[part]
    return unseen[torch.arange(part.start, part.stop, device=unseen.device) // heads]


def _weights(q: Tensor, k: Tensor, unseen: Tensor | None, room: Tensor) -> Tensor:
    """bfloat16[n, L, K], n at most the length of ``room``, which scores are written to."""
    start = q.new_zeros(1) if unseen is None else unseen
    scores = room[: len(q)]
    beta = int(unseen is not None)
    torch.baddbmm(start, q, k.transpose(1, 2), beta=beta, alpha=q.shape[-1] ** -0.5, out=scores)
    return torch.softmax(scores, -1)
