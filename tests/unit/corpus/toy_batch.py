"""A small batch with selected positions."""

from __future__ import annotations

import torch

from genomecli.corpus.batch import Batch, Selection


def made() -> Batch:
    """Three texts of 2, 4 and 1 tokens, and two selected positions."""
    lengths = torch.tensor([2, 4, 1])
    tokens = torch.zeros(3, 4, dtype=torch.int64)
    for row, length in enumerate(lengths.tolist()):
        tokens[row, :length] = torch.arange(1, length + 1) + 10 * row
    chosen = Selection(
        torch.tensor([1, 6]), torch.tensor([2, 13]), torch.tensor([1.0, 0.5]), torch.zeros(2).long()
    )
    return Batch(
        tokens=tokens,
        lengths=lengths,
        positions=torch.arange(4).repeat(3, 1),
        languages=torch.zeros_like(tokens),
        records=torch.arange(3),
        weights=torch.ones(3, 4),
        extras={"label": torch.arange(3)},
        selected={"toy": chosen},
    )
