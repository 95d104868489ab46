from __future__ import annotations

import torch

from genomecli.corpus.batch import Batch


def test_packing_keeps_every_real_token_in_order() -> None:
    lengths = torch.tensor([2, 4, 1])
    tokens = torch.zeros(3, 4, dtype=torch.int64)
    for row, length in enumerate(lengths.tolist()):
        tokens[row, :length] = torch.arange(1, length + 1) + 10 * row
    batch = Batch(
        tokens=tokens,
        lengths=lengths,
        positions=torch.arange(4).repeat(3, 1),
        languages=torch.zeros_like(tokens),
        records=torch.arange(3),
        weights=torch.ones(3, 4),
    )
    packed = batch.pack()
    assert packed.tokens.tolist() == [1, 2, 11, 12, 13, 14, 21]
    assert packed.positions.tolist() == [0, 1, 0, 1, 2, 3, 0]
    assert packed.cu_seqlens.tolist() == [0, 2, 6, 7]
    assert packed.max_length == 4
    assert (batch.real_tokens, batch.padded_tokens) == (7, 12)
    assert batch.to("cpu").weights is not None
