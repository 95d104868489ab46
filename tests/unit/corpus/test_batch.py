from __future__ import annotations

import torch

from genomecli.corpus.batch import each_tensor
from tests.unit.corpus.toy_batch import made


def test_sizes_are_of_real_and_of_padded_tokens() -> None:
    batch = made()
    assert (batch.real_tokens, batch.tokens.numel()) == (7, 12)
    assert batch.mask_BL.sum(dim=1).tolist() == [2, 4, 1]


def test_every_tensor_is_moved_wherever_it_stands() -> None:
    seen = []
    batch = made()
    moved = each_tensor(batch, lambda value: seen.append(value) or value.double())  # type: ignore[func-returns-value]
    assert len(seen) == 6 + 1 + 4
    assert moved.tokens.dtype == moved.extras["label"].dtype == torch.float64
    assert moved.selected["toy"].places.dtype == torch.float64
    assert moved.segments is None
    assert moved.step == -1
    away = batch.to("meta")
    assert {away.tokens.device.type, away.selected["toy"].targets.device.type} == {"meta"}


def test_selections_are_cut_by_place() -> None:
    chosen = made().selected["toy"]
    assert chosen.within(0, 4).places.tolist() == [1]
    rest = chosen.within(4, 12)
    assert (rest.places.tolist(), rest.targets.tolist(), rest.weights.tolist()) == ([2], [13], [0.5])
