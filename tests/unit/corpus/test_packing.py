"""Packing against the padded batch that it was made of."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from genomecli.corpus.batch import IGNORE, Batch
from genomecli.corpus.packing import PackSizes, pack, real_places, unpack
from genomecli.corpus.vocabulary import PAD
from tests.unit.corpus.toy_batch import made


def test_packing_keeps_every_real_token_in_order() -> None:
    packed = pack(made())
    assert packed.tokens.tolist() == [1, 2, 11, 12, 13, 14, 21]
    assert packed.positions.tolist() == [0, 1, 0, 1, 2, 3, 0]
    assert packed.cu_seqlens.tolist() == [0, 2, 6, 7]
    assert packed.cu_seqlens.dtype == torch.int32
    assert packed.max_length == 4
    assert packed.segments is None


def test_selected_places_hold_the_same_tokens_packed() -> None:
    batch, packed = made(), pack(made())
    padded, chosen = batch.selected["toy"], packed.selected["toy"]
    assert torch.equal(packed.tokens[chosen.places], batch.tokens.flatten()[padded.places])
    assert torch.equal(chosen.targets, padded.targets)


@pytest.mark.parametrize(("tokens", "longest"), [(16, 4), (8, 5), (5, 4), (40, 7)])
def test_batches_filled_up_have_one_shape_and_say_the_same(tokens: int, longest: int) -> None:
    sizes = PackSizes(tokens, longest)
    batch = replace(made(), segments=torch.ones(3, 4, dtype=torch.int64))
    plain, full = pack(batch), pack(batch, sizes)
    total = len(full.tokens)
    assert total == max(tokens, -(-7 // longest) * longest)
    assert full.max_length == longest
    assert torch.equal(full.tokens[:7], plain.tokens)
    assert (full.tokens[7:] == PAD).all()
    assert full.segments is not None
    assert not full.segments[7:].any()
    lengths = full.cu_seqlens.diff()
    assert lengths[:3].tolist() == [2, 4, 1]
    assert int(full.cu_seqlens[-1]) == total
    assert (lengths >= 0).all()
    assert int(lengths.max()) <= longest
    assert len(lengths) in {max(1, tokens // longest) * 4**i for i in range(9)}
    chosen, more = plain.selected["toy"], full.selected["toy"]
    assert len(more.places) >= 2
    assert len(more.places) % max(1, tokens // 32) == 0
    assert torch.equal(more.places[:2], chosen.places)
    assert (more.targets[2:] == IGNORE).all()
    assert not more.weights[2:].any()
    assert (more.places < 7).all()


def test_a_batch_of_nothing_selected_keeps_the_shape() -> None:
    batch = made()
    none = {"toy": batch.selected["toy"].within(0, 0)}
    assert len(pack(replace(batch, selected=none), PackSizes(64, 8)).selected["toy"].places) == 2


def test_unpacking_puts_states_back() -> None:
    batch = made()
    packed = pack(batch)
    states = packed.tokens[:, None].repeat(1, 3).float()
    back = unpack(states, real_places(batch), (3, 4))
    assert torch.equal(back, batch.tokens[..., None].repeat(1, 1, 3).float())


def test_full_batches_need_no_filling() -> None:
    tokens = torch.arange(8).view(2, 4)
    zeros = torch.zeros_like(tokens)
    batch = Batch(tokens, torch.tensor([4, 4]), zeros, zeros, torch.arange(2))
    packed = pack(batch, PackSizes(8, 4))
    assert packed.tokens.tolist() == list(range(8))
    assert packed.cu_seqlens.tolist() == [0, 4, 8]


def test_bounds_have_few_lengths_and_fit_full_texts() -> None:
    sizes, texts = PackSizes(16_384, 1024), (1, 16, 17, 64, 65, 256, 257, 1365)
    assert [sizes.bounds(n) for n in texts] == [17, 17, 65, 65, 257, 257, 1025, 4097]
