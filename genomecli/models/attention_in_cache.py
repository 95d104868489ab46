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


def attend_in_cache(q: Tensor, k: Tensor, v: Tensor, unseen: Tensor | None, dropout: float = 0.0) -> Tensor:
    """softmax(Q K^T / sqrt(E)) V, with gradients.

    Args:
        q: float[B, H, L, E]; made for bfloat16, right in every precision.
        k, v: float[B, H, K, E].
        unseen: like ``q``, [1 or B, 1, 1 or L, K]: what is added to scores, 0 where a key is seen and minus
            infinity elsewhere; None if all are seen. Each query sees a key.
        dropout: of the weights.

    Returns:
        float[B, H, L, E].
    """
    queries, keys, values = (x.reshape(-1, *x.shape[2:]) for x in (q, k, v))
    if unseen is not None:
        unseen = unseen.squeeze(1)
        if len(unseen) > 1 and unseen.shape[1] == 1:  # a row a text: small enough for one a head
            unseen = unseen.repeat_interleave(q.shape[1], dim=0)
    mixed: Tensor = _InCache.apply(queries, keys, values, unseen, q.shape[1], dropout)  # type: ignore[no-untyped-call]
    return mixed.view_as(q)


class _InCache(torch.autograd.Function):
    """Of heads: bfloat16[N, L or K, E]. ``unseen``: bfloat16[1, L or 1, K], [N, 1, K] or [B, L, K]."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, unseen: Tensor | None, heads: int, dropout: float
    ) -> Tensor:
        mixed = torch.empty_like(q)
        learns = any(ctx.needs_input_grad[:3])
        keeps = learns and k.shape[1] <= KEPT_TO
        parts = _parts(q, k, 1 if unseen is None or 1 in unseen.shape[:2] else heads)
        room, kept, left = _room(parts, q, k), [], []
        # Autocast would keep the softmax in float32.
        with torch.autocast(q.device.type, enabled=False):
            for part in parts:
                weights = _weights(q, k, unseen, part, heads, room)
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
                weights = kept[i] if kept else _weights(q, k, unseen, part, ctx.heads, room)
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


def _parts(q: Tensor, k: Tensor, together: int) -> list[slice]:
    """Heads whose scores are made at a time: of whole texts, of ``together`` heads each, or of one text."""
    most = max(1, torch.get_num_threads() * SCORES // max(1, q.shape[1] * k.shape[1]))
    if most >= together:
        whole, step = len(q), most - most % together
    else:
        whole, step = together, -(-together // -(-together // most))
    return [
        slice(begin, min(begin + step, first + whole))
        for first in range(0, len(q), max(1, whole))
        for begin in range(first, first + whole, step)
    ]


def _room(parts: list[slice], q: Tensor, k: Tensor) -> Tensor:
    """Uninitialised, for the scores of one part."""
    return q.new_empty(parts[0].stop if parts else 0, q.shape[1], k.shape[1])


def _weights(q: Tensor, k: Tensor, unseen: Tensor | None, part: slice, heads: int, room: Tensor) -> Tensor:
    """bfloat16[n, L, K] of the n heads of a part; scores are written to ``room``, at least as long."""
    start, later = None, None
    if unseen is not None and len(unseen) == 1:
        start = unseen
    elif unseen is not None and unseen.shape[1] == 1:
        start = unseen[part]
    elif unseen is not None:
        texts = unseen[part.start // heads : (part.stop - 1) // heads + 1]
        # The product takes one for all heads, or one a head: a copy for each head costs more than a sum.
        start, later = (texts, None) if len(texts) == 1 else (None, texts)
    scores, factor = room[: part.stop - part.start], q.shape[-1] ** -0.5
    given = q.new_zeros(1) if start is None else start
    beta = int(start is not None)
    torch.baddbmm(given, q[part], k[part].transpose(1, 2), beta=beta, alpha=factor, out=scores)
    if later is not None:
        scores.view(len(later), -1, *scores.shape[1:]).add_(later[:, None])
    return torch.softmax(scores, -1)
