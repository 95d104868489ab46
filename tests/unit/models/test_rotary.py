"""Rotary embedding against complex numbers, and its defining property."""

from __future__ import annotations

import pytest
import torch

from genomecli.models.rotary import Rotary, rotate


def test_rotation_is_multiplication_by_a_complex_number() -> None:
    x = torch.randn(2, 7, 2, 3, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    got = rotate(x.float(), Rotary(8, 16, 100.0)(None, 7))
    angle = torch.arange(7)[:, None] * 100.0 ** (-torch.arange(0, 8, 2) / 8)
    number = torch.complex(x[..., :4], x[..., 4:]) * torch.polar(torch.ones(7, 4), angle)[:, None, None]
    torch.testing.assert_close(got, torch.cat((number.real, number.imag), -1).float(), rtol=0, atol=1e-5)


def test_scores_depend_on_distance_alone() -> None:
    q, k = torch.randn(2, 1, 1, 1, 1, 64, generator=torch.Generator().manual_seed(1))
    rotary = Rotary(64, 600, 10_000.0)

    def score(i: int, j: int) -> float:
        def at(x: torch.Tensor, p: int) -> torch.Tensor:
            return rotate(x, rotary(torch.tensor([[p]]), 1))

        return float((at(q, i) * at(k, j)).sum())

    assert abs(score(3, 10) - score(503, 510)) < 1e-4
    assert abs(score(3, 10) - score(3, 11)) > 1e-3


def test_given_positions_equal_the_default() -> None:
    rotary = Rotary(8, 16, 100.0)
    default, shared = rotary(None, 5), rotary(torch.arange(5).expand(2, -1), 5)
    given = rotary(torch.arange(5).repeat(2, 1), 5)
    for whole, one_row, each in zip(default, shared, given, strict=True):
        assert torch.equal(one_row, whole)  # texts with the same positions share one row
        assert torch.equal(whole.expand_as(each), each)


def test_dtype_is_kept_and_tables_are_not_saved() -> None:
    rotary = Rotary(8, 16, 100.0)
    assert rotate(torch.ones(1, 3, 2, 1, 8, dtype=torch.bfloat16), rotary(None, 3)).dtype == torch.bfloat16
    assert not rotary.state_dict()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_whole_heads_are_turned_as_their_halves_are(dtype: torch.dtype) -> None:
    x = torch.randn(2, 9, 3, 2, 16, generator=torch.Generator().manual_seed(2)).to(dtype)[:, :, :2]
    cos, sin = Rotary(16, 9, 100.0)(None, 9)

    def halves(x: torch.Tensor) -> torch.Tensor:
        first, second = x.chunk(2, dim=-1)
        turned = torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
        return turned.to(x.dtype)

    before = x.clone()
    assert torch.equal(rotate(x, (cos, sin)), halves(x))
    assert torch.equal(x, before)
    leaf = x.clone().requires_grad_(True)
    assert torch.equal(rotate(leaf, (cos, sin)), halves(x))
    with torch.no_grad():
        assert torch.equal(rotate(leaf, (cos, sin)), halves(x))
