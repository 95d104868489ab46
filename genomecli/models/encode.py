"""From a batch to the encoder's states: training, validation and inference all come through here.

Shapes: B texts, L padded length, T packed tokens, D width.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import torch

from genomecli.corpus.batch import AnyBatch, PackedBatch
from genomecli.models.attention import varlen_serves
from genomecli.models.encoder import Encoded
from genomecli.models.language_model import LanguageModel
from genomecli.models.settings import ModelSettings
from genomecli.models.timing import HALF


def encode(model: LanguageModel, texts: AnyBatch, keep_layers: Collection[int] = ()) -> Encoded:
    """The encoder's states of a batch: float[B, L, D] each, or float[T, D] if it is packed.

    Args:
        model: on the device of the batch.
        texts: padded or packed.
        keep_layers: layers to return beside the last states.
    """
    if isinstance(texts, PackedBatch):
        return model.encoder.forward_packed(
            texts.tokens,
            texts.cu_seqlens,
            texts.max_length,
            texts.positions,
            texts.languages,
            keep_layers=keep_layers,
            segments_T=texts.segments,
        )
    lengths = None if texts.full else texts.lengths
    encoded = model(
        texts.tokens,
        lengths,
        texts.positions,
        texts.languages,
        keep_layers=keep_layers,
        segments_BL=texts.segments,
    )
    return cast("Encoded", encoded)


def packs(settings: ModelSettings, device: torch.device, precision: str, *, training: bool) -> bool:
    """Whether texts are to be packed: where the variable-length kernel serves every attention layer.

    Elsewhere padded texts are faster: on a CPU, in fp32, with dropout of attention weights.
    """
    dropout = settings.attention_dropout if training else 0.0
    dtype = HALF.get(precision, torch.float32)
    return settings.mixer == "attention" and varlen_serves(device, dtype, settings.head_width, dropout)
