"""Attention some heads at a time: its gradients by finite differences, its parts, its dropout."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genomecli.models import attention_in_cache
from genomecli.models.attention_in_cache import attend_in_cache
from genomecli.models.layout import unseen_of

TEXTS, HEADS, WIDTH = 3, 2, 4


def _inputs(queries: int, keys: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    q, k, v = (
        torch.randn(TEXTS, HEADS, length, WIDTH, generator=generator).to(dtype).requires_grad_()
        for length in (queries, keys, keys)
    )
    return q, k, v


def _unseen(kind: str, queries: int, keys: int, dtype: torch.dtype) -> Tensor | None:
    mask = _mask(kind, queries, keys)
    return None if mask is None else unseen_of(mask, dtype)


def _mask(kind: str, queries: int, keys: int) -> Tensor | None:
    """Nothing hidden, the ends of texts, the same triangle in all, or a pattern of each text's own."""
    if kind == "none":
        return None
    if kind == "padding":
        return (torch.arange(keys)[None] < torch.tensor([keys, keys - 2, 1])[:, None])[:, None, None]
    triangle = torch.ones(queries, keys, dtype=torch.bool).tril(1)
    if kind == "triangle":
        return triangle[None, None]
    return torch.stack([triangle, triangle.flip(0, 1), triangle | True])[:, None]


@pytest.mark.parametrize("kind", ["none", "padding", "triangle", "own"])
@pytest.mark.parametrize(("queries", "keys"), [(5, 5), (3, 6)])
@pytest.mark.parametrize("kept", [0, 512])
@pytest.mark.parametrize("scores", [1, 30, 60, 130, 1 << 19])
def test_values_and_gradients_are_those_of_the_definition(
    kind: str, queries: int, keys: int, kept: int, scores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the softmax written out, in float64; weights kept or made again, in parts of any size."""
    monkeypatch.setattr(attention_in_cache, "KEPT_TO", kept)
    monkeypatch.setattr(attention_in_cache, "SCORES", scores)
    inputs, mask = _inputs(queries, keys), _mask(kind, queries, keys)
    q, k, v = inputs
    hidden = torch.einsum("bhqe,bhke->bhqk", q, k) / WIDTH**0.5
    if mask is not None:
        hidden = hidden.masked_fill(~mask, float("-inf"))
    want = hidden.softmax(-1) @ v
    found = attend_in_cache(q, k, v, _unseen(kind, queries, keys, q.dtype))
    torch.testing.assert_close(found, want, rtol=1e-12, atol=1e-12)
    weights = torch.randn(want.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for ours, theirs in zip(
        torch.autograd.grad(found, inputs, weights), torch.autograd.grad(want, inputs, weights), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("kept", [0, 512])
def test_gradients_by_finite_differences(dropout: float, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_in_cache, "SCORES", 60)
    monkeypatch.setattr(attention_in_cache, "KEPT_TO", kept)

    def seeded(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        torch.manual_seed(7)
        return attend_in_cache(q, k, v, _unseen("padding", 5, 5, q.dtype), dropout)

    torch.autograd.gradcheck(seeded, _inputs(5, 5))  # type: ignore[no-untyped-call]


def test_dropout_takes_its_share_of_the_weights_and_keeps_their_sum() -> None:
    torch.manual_seed(0)
    q, k, _ = _inputs(2000, 50)
    ones = torch.ones_like(k)
    sums = attend_in_cache(q, k, ones, None, 0.3).detach()
    assert sums.mean().item() == pytest.approx(1.0, abs=0.01)
    one_key = attend_in_cache(q, k[:, :, :1], ones[:, :, :1], None, 0.3).detach()
    assert (one_key == 0).double().mean().item() == pytest.approx(0.3, abs=0.02)
    assert one_key.max().item() == pytest.approx(1 / 0.7)


@pytest.mark.parametrize("kind", ["padding", "triangle", "own"])
def test_bf16_in_parts_is_bit_for_bit_the_whole(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So what a text gives does not depend on how many others stand beside it."""
    found = []
    for scores in (1, 3 * 24 * 24, 1 << 19):
        monkeypatch.setattr(attention_in_cache, "SCORES", scores)
        inputs = _inputs(24, 24, torch.bfloat16)
        out = attend_in_cache(*inputs, _unseen(kind, 24, 24, torch.bfloat16))
        found.append([out, *torch.autograd.grad(out.float().square().sum(), inputs)])
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("shape", [(1, 2, 3, 4), (3, 1, 3, 4), (2, 2, 1, 4), (0, 2, 3, 4)])
def test_one_text_one_head_one_token_and_none(shape: tuple[int, ...]) -> None:
    """Of inputs that are views, as attention gives them."""
    batch, heads, length, width = shape
    generator = torch.Generator().manual_seed(0)
    inputs = [
        torch.randn(batch, length, heads, width, generator=generator).requires_grad_() for _ in range(3)
    ]
    q, k, v = (x.transpose(1, 2) for x in inputs)
    found = attend_in_cache(q, k, v, None)
    want = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(found, want)
    ours, theirs = (torch.autograd.grad(x.square().sum(), inputs) for x in (found, want))
    torch.testing.assert_close(ours, theirs)
