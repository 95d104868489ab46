"""Every path of attention against softmax written out, on every pattern and layout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from genomecli.models import attention
from genomecli.models.attention import attend, uses_varlen
from genomecli.models.attention_in_cache import attend_in_cache
from genomecli.models.layout import PackedLayout, PaddedLayout, padded_layout
from genomecli.models.patterns import CAUSAL, FULL, Pattern, window

PATTERNS = [FULL, CAUSAL, window(8), Pattern(5, 0), Pattern(3, 7), Pattern(left=4), Pattern(0, 0)]
HEADS, HEAD_WIDTH = 2, 8


def _slow(query: Tensor, key: Tensor, value: Tensor, pattern: Pattern) -> Tensor:
    """One text [L, H, E], position by position."""
    out = torch.empty_like(query)
    for q in range(len(query)):
        first = 0 if pattern.left is None else max(0, q - pattern.left)
        stop = len(query) if pattern.right is None else min(len(query), q + pattern.right + 1)
        scores = torch.einsum("he,khe->hk", query[q], key[first:stop]) / HEAD_WIDTH**0.5
        out[q] = torch.einsum("hk,khe->he", scores.softmax(-1), value[first:stop])
    return out


def _random(*shape: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(*shape, HEADS, HEAD_WIDTH, generator=generator) for _ in range(3)]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("lengths", [[70, 70], [70, 33, 1], [9, 4]])
def test_padded_and_packed_equal_the_slow_softmax(pattern: Pattern, lengths: list[int]) -> None:
    q, k, v = _random(len(lengths), max(lengths))
    layout = padded_layout(torch.tensor(lengths), max(lengths), q.device)
    padded = attend(q, k, v, pattern, layout)
    assert torch.isfinite(padded).all()
    real = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    bounds = torch.tensor([0, *lengths]).cumsum(0).int()
    packed = attend(q[real], k[real], v[real], pattern, PackedLayout(bounds, max(lengths)))
    want = torch.cat([_slow(q[i, :n], k[i, :n], v[i, :n], pattern) for i, n in enumerate(lengths)])
    torch.testing.assert_close(padded[real], want, rtol=0, atol=1e-6)
    torch.testing.assert_close(packed, want, rtol=0, atol=1e-6)


@pytest.mark.parametrize("pattern", [FULL, CAUSAL, window(8), Pattern(3, 7)])
@pytest.mark.parametrize("lengths", [[70, 70], [70, 33, 1]])
def test_training_in_bf16_gives_what_fp32_does(pattern: Pattern, lengths: list[int]) -> None:
    """Values and gradients, within the rounding of bf16, whichever path computes them."""
    layout = padded_layout(torch.tensor(lengths), max(lengths), torch.device("cpu"))
    real = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    found: list[list[Tensor]] = []
    for dtype, limit in ((torch.float32, 256), (torch.bfloat16, 256), (torch.bfloat16, 0)):
        inputs = [x.to(dtype).requires_grad_() for x in _random(len(lengths), max(lengths))]
        with (
            pytest.MonkeyPatch.context() as patch,
            torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16),
        ):
            patch.setattr(attention, "IN_CACHE_TO", limit)
            patch.setattr(attention, "CAUSAL_TO", limit)
            out = attend(inputs[0], inputs[1], inputs[2], pattern, layout)
        assert torch.isfinite(out).all()
        assert out.dtype == dtype
        out[real].float().square().sum().backward()  # type: ignore[no-untyped-call]
        found.append([out[real].float(), *(x.grad.float() for x in inputs if x.grad is not None)])
    for exact, cached, fused in zip(*found, strict=True):
        wrong = [float((exact - other).detach().norm() / exact.detach().norm()) for other in (cached, fused)]
        assert wrong[0] < max(0.01, 2.5 * wrong[1])
        assert wrong[0] < 0.02


def test_only_bf16_is_computed_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[int, bool]] = []

    def noted(q: Tensor, k: Tensor, v: Tensor, unseen: Tensor | None, dropout: float) -> Tensor:
        used.append((k.shape[2], q.requires_grad))
        return attend_in_cache(q, k, v, unseen, dropout)

    monkeypatch.setattr(attention, "attend_in_cache", noted)
    monkeypatch.setattr(attention, "IN_CACHE_TO", 300)
    monkeypatch.setattr(attention, "CAUSAL_TO", 200)
    for length, dtype, learns, pattern in [
        (8, torch.bfloat16, True, FULL),
        (300, torch.bfloat16, False, FULL),
        (8, torch.float32, True, FULL),
        (301, torch.bfloat16, True, FULL),
        (301, torch.bfloat16, True, window(8)),
        (200, torch.bfloat16, False, CAUSAL),
        (201, torch.bfloat16, True, CAUSAL),
    ]:
        q, k, v = (x.to(dtype).requires_grad_(learns) for x in _random(1, length))
        attend(q, k, v, pattern, PaddedLayout(length, q.device))
    assert used == [(8, True), (300, False), (4 + 32 + 4, True), (200, False)]


@pytest.mark.parametrize("pattern", [FULL, window(8), Pattern(3, 7)])
@pytest.mark.parametrize("lengths", [[40, 40, 40], [40, 33, 1]])
def test_texts_read_in_bf16_give_what_fp32_does(pattern: Pattern, lengths: list[int]) -> None:
    layout = padded_layout(torch.tensor(lengths), max(lengths), torch.device("cpu"))
    real = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    exact = attend(*_random(len(lengths), max(lengths)), pattern, layout)[real]
    inputs = [x.bfloat16() for x in _random(len(lengths), max(lengths))]
    for blocks in (attention.BLOCKS_FROM, 100):
        with pytest.MonkeyPatch.context() as patch, torch.inference_mode(), torch.autocast("cpu"):
            patch.setattr(attention, "BLOCKS_FROM", blocks)
            out = attend(inputs[0], inputs[1], inputs[2], pattern, layout)
        assert torch.isfinite(out).all()
        assert out.dtype == torch.bfloat16
        assert float((exact - out[real].float()).norm() / exact.norm()) < 0.02


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("length", [16, 64, 208, 384])
def test_a_text_read_in_bf16_does_not_depend_on_its_batch(length: int, threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        inputs = [x.bfloat16() for x in _random(7, length)]
        layout = padded_layout(torch.full((7,), length - 3), length, torch.device("cpu"))
        with torch.inference_mode():
            whole = attend(inputs[0], inputs[1], inputs[2], FULL, layout)
            for row in (0, 3, 6):
                own = [x[row : row + 1] for x in inputs]
                one = padded_layout(torch.tensor([length - 3]), length, torch.device("cpu"))
                assert torch.equal(attend(own[0], own[1], own[2], FULL, one)[0], whole[row])
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("length", [6, 31, 32, 33, 64, 95])
def test_blocks_equal_the_masked_square(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    q, k, v = _random(2, length)
    for pattern in (window(8), Pattern(5, 0), Pattern(3, 40)):
        results = []
        for factor in (0, 10**6):
            monkeypatch.setattr(attention, "BLOCKS_FROM", factor)
            layout = padded_layout(torch.tensor([length, 5]), length, q.device)
            results.append(attend(q, k, v, pattern, layout))
        torch.testing.assert_close(results[0][0], results[1][0], rtol=0, atol=1e-6)
        torch.testing.assert_close(results[0][1, :5], results[1][1, :5], rtol=0, atol=1e-6)


def test_equal_lengths_make_no_mask() -> None:
    assert padded_layout(torch.tensor([4, 4]), 4, torch.device("cpu")).mask(FULL) is None
    assert padded_layout(None, 4, torch.device("cpu")).mask(FULL) is None
    assert padded_layout(torch.tensor([4, 3]), 4, torch.device("cpu")).mask(FULL) is not None


def test_masks_are_made_once() -> None:
    layout = PaddedLayout(9, torch.device("cpu"))
    assert layout.mask(window(4)) is layout.mask(window(4))
    assert layout.unseen(window(4), torch.bfloat16) is layout.unseen(window(4), torch.bfloat16)
    assert layout.unseen(FULL, torch.bfloat16) is None


def test_a_window_that_covers_the_text_is_no_window() -> None:
    assert window(8).covers(5)
    assert not window(8).covers(6)
    assert PaddedLayout(5, torch.device("cpu")).mask(window(8)) is None


def test_the_packed_kernel_is_not_chosen_where_it_does_not_exist() -> None:
    assert not uses_varlen(torch.zeros(1, 1, 8))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_the_packed_kernel_is_told(pattern: Pattern, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own convention, written out: -1 is no limit, bounds are shared by queries and keys."""

    def kernel(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        cu_q: Tensor,
        cu_k: Tensor,
        max_q: int,
        max_k: int,
        **more: Any,
    ) -> Tensor:
        assert cu_q is cu_k
        assert (max_q, max_k) == (7, 7)
        left, right = (None if side == -1 else side for side in more["window_size"])
        parts = zip(*(torch.split(x, [7, 4]) for x in (query, key, value)), strict=True)
        return torch.cat([_slow(q, k, v, Pattern(left, right)) for q, k, v in parts])

    q, k, v = _random(11)
    layout = PackedLayout(torch.tensor([0, 7, 11], dtype=torch.int32), 7)
    want = attend(q, k, v, pattern, layout)
    monkeypatch.setattr(attention, "_varlen", kernel)
    monkeypatch.setattr(attention, "uses_varlen", lambda query, dropout: True)
    torch.testing.assert_close(attend(q, k, v, pattern, layout), want, rtol=0, atol=1e-6)


@pytest.mark.parametrize("length", [96, 97])
def test_blocks_take_slices_of_a_fused_matrix(length: int) -> None:
    fused = torch.randn(2, length, 3, HEADS, HEAD_WIDTH, generator=torch.Generator().manual_seed(3))
    q, k, v = fused.unbind(2)
    got = attend(q, k, v, window(8), PaddedLayout(length, q.device))
    for row in range(2):
        torch.testing.assert_close(got[row], _slow(q[row], k[row], v[row], window(8)), rtol=0, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("pattern", [FULL, CAUSAL, window(8), Pattern(5, 0)])
def test_the_packed_kernel_equals_the_slow_softmax(pattern: Pattern) -> None:
    lengths = [70, 33, 1]
    q, k, v = (x.cuda().bfloat16() for x in _random(sum(lengths)))
    if not uses_varlen(q):
        pytest.skip("no packed kernel on this device")
    bounds = torch.tensor([0, *lengths]).cumsum(0).int().cuda()
    packed = attend(q, k, v, pattern, PackedLayout(bounds, max(lengths))).float()
    parts = zip(*(torch.split(x.float(), lengths) for x in (q, k, v)), strict=True)
    want = torch.cat([_slow(a, b, c, pattern) for a, b, c in parts])
    torch.testing.assert_close(packed, want, rtol=0, atol=2e-2)
