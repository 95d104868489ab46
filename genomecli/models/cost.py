"""What a model costs before it is built: weights, floating-point operations, memory, time.

Operations are counted as in Kaplan et al. 2020 (arXiv:2001.08361): two for each weight of a matrix and token
forward, and twice that backward. Attention's own products, 4 x D for each key that a query sees, are given
apart, because published utilisations (MFU) differ in whether they count them. Embedding look-ups, norms and
softmax are left out.

Shapes: D width, I inner width, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from genomecli.models.attention_in_cache import KEPT_TO
from genomecli.models.language_model import LanguageModel, count_parameters
from genomecli.models.settings import ModelSettings

BACKWARD = 2
"""Operations of a backward pass as a multiple of the forward pass."""


@dataclass(frozen=True)
class Cost:
    """What one model and one size of batch cost.

    Args:
        parameters: number of weights by part, with ``total``.
        linear_flops: forward operations a token in the blocks' matrices.
        attention_flops: forward operations a token in attention's own products.
        head_flops: forward operations a token in the output head, spread over decoded and other tokens.
        weight_bytes: float32 weights, and their half-precision copies under autocast.
        gradient_bytes: float32 gradients; 0 in inference.
        optimizer_bytes: the two float32 moments of AdamW; 0 in inference.
        activation_bytes: what is kept of one batch until its backward pass, or of one layer in inference.
    """

    parameters: dict[str, int]
    linear_flops: float
    attention_flops: float
    head_flops: float
    weight_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int

    @property
    def forward_flops(self) -> float:
        """Forward operations a token, attention included."""
        return self.linear_flops + self.attention_flops + self.head_flops

    @property
    def train_flops(self) -> float:
        """Forward and backward operations a token, attention included."""
        return (1 + BACKWARD) * self.forward_flops

    @property
    def memory_bytes(self) -> int:
        """Weights, gradients, optimiser and activations together."""
        return self.weight_bytes + self.gradient_bytes + self.optimizer_bytes + self.activation_bytes

    def training_seconds(self, tokens: float, flops_per_second: float) -> float:
        """Time of training on ``tokens`` tokens at a measured or assumed rate of useful operations."""
        return tokens * self.train_flops / flops_per_second


def estimate_cost(
    settings: ModelSettings,
    vocabulary_size: int,
    *,
    languages: int = 0,
    length: int | None = None,
    batch_tokens: int = 8192,
    decoded: float = 0.15,
    precision: Literal["fp32", "bf16", "fp16"] = "fp32",
    training: bool = True,
    on_cpu: bool = False,
) -> Cost:
    """Cost of a model, without building it.

    Args:
        settings: of the model.
        vocabulary_size: V.
        languages: number of languages.
        length: tokens of a typical text; None for the context.
        batch_tokens: tokens of one micro-batch.
        decoded: share of tokens whose scores are computed.
        precision: of the computation; weights stay float32.
        training: whether gradients, optimiser and kept activations count.
        on_cpu: whether a CPU computes, where attention in half precision keeps its weights for the backward
            pass.

    Raises:
        ConfigError: if the stem or mixer is not registered.
    """
    with torch.device("meta"):
        model = LanguageModel(settings, vocabulary_size, languages)
    parameters = count_parameters(model)
    matrices = sum(p.numel() for p in model.encoder.blocks.parameters() if p.dim() >= 2)
    width, half = settings.width, precision != "fp32"
    total = parameters["total"]
    length = length or settings.context
    kept = _activation_bytes(settings, vocabulary_size, decoded, half, training)
    if training and half and on_cpu and settings.mixer == "attention":
        kept -= 2.0 * width * settings.layers  # what attention gives is not kept by attention itself
        kept += 2.0 * settings.heads * _keys_seen(settings, length) if length <= KEPT_TO else 0.0
    return Cost(
        parameters=parameters,
        linear_flops=2.0 * matrices,
        attention_flops=4.0 * width * _keys_seen(settings, length),
        head_flops=2.0 * decoded * (width * width + vocabulary_size * width),
        weight_bytes=total * (6 if half else 4),
        gradient_bytes=4 * total if training else 0,
        optimizer_bytes=8 * total if training else 0,
        activation_bytes=round(batch_tokens * kept),
    )


def _keys_seen(settings: ModelSettings, length: int) -> float:
    """Keys that a query of a text of ``length`` tokens sees, on average, summed over the layers."""
    if settings.mixer != "attention":
        return 0.0
    reach = min(settings.local_window // 2, length - 1)
    near = (length * (2 * reach + 1) - reach * (reach + 1)) / length
    return sum(near if local else float(length) for local in settings.local_layers)


def _activation_bytes(
    settings: ModelSettings, vocabulary_size: int, decoded: float, half: bool, training: bool
) -> float:
    """Bytes kept a token until the backward pass (in inference: alive inside one layer).

    Counted tensor by tensor for a block with attention: at full precision for the inputs of norms, at the
    computation's precision for what enters a matrix, attention or the non-linearity.
    """
    width, inner, size = settings.width, settings.intermediate, 2 if half else 4
    gated = settings.feedforward == "geglu"
    rotated = 2 * width if settings.positions == "rope" else 0
    low = 3 * width + rotated + 3 * width + (4 if gated else 2) * inner
    high = 2 * width
    block = size * low + 4 * high
    head = decoded * ((2 * size + 4) * width + (size + 4) * vocabulary_size)
    return (settings.layers * block if training else block) + 4 * 2 * width + head
