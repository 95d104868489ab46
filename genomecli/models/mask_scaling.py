"""ESM-2's way with hidden tokens: [MASK] is the zero vector, and the others grow by what is missing.

Token vectors are multiplied with (1 - 0.12) / (1 - share of [MASK] in the text), 0.12 being the share in
ESM's training (Lin et al. 2023, doi:10.1126/science.ade2574, and its published code).

Shapes: B texts, L padded length, T packed tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genomecli.corpus.vocabulary import MASK

TRAINED = 0.15 * 0.8
"""Share of [MASK] in ESM's training."""


def padded_scale(tokens_BL: Tensor, lengths_B: Tensor | None) -> Tensor:
    """float32[B, L, 1]: the factor of each token's vector.

    Args:
        tokens_BL: int64[B, L].
        lengths_B: int64[B]; None if every text fills its row.
    """
    hidden = tokens_BL == MASK
    length = tokens_BL.shape[1]
    if lengths_B is None:
        share = hidden.float().mean(dim=1)
    else:
        lengths = lengths_B.to(tokens_BL.device)
        real = torch.arange(length, device=tokens_BL.device)[None, :] < lengths[:, None]
        share = (hidden & real).sum(dim=1).float() / lengths
    return _factor(share)[:, None, None] * ~hidden[:, :, None]


def packed_scale(tokens_T: Tensor, cu_seqlens: Tensor) -> Tensor:
    """float32[T, 1]: the same of texts end to end.

    Args:
        tokens_T: int64[T].
        cu_seqlens: int32[B + 1], bounds of the texts.
    """
    hidden = tokens_T == MASK
    lengths = cu_seqlens.diff().long()
    text = torch.repeat_interleave(lengths, output_size=len(tokens_T))
    count = torch.zeros(len(lengths), device=tokens_T.device).index_add_(0, text, hidden.float())
    return _factor(count / lengths.clamp(min=1))[text][:, None] * ~hidden[:, None]


def _factor(share: Tensor) -> Tensor:
    # A text of nothing but [MASK] has no vector to scale.
    return (1 - TRAINED) / (1 - share).clamp(min=1e-6)
