"""Heads: what is read off the encoder's states.

Shapes: N selected positions, B texts, L length, T packed tokens, D width, V vocabulary, C classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from genomecli.models.feedforward import activation
from genomecli.models.settings import ModelSettings


class MaskedLanguageHead(nn.Module):
    """Dense layer, non-linearity, LayerNorm, then one score a token: the head of both BERT and ModernBERT.

    The families differ in biases and epsilon alone. When tied, the scores are products with the embedding's
    rows, which the caller passes, so that a checkpoint holds them once.

    Args:
        settings: width, bias, activation, norm_eps and tied are used.
        vocabulary_size: V.
    """

    def __init__(self, settings: ModelSettings, vocabulary_size: int) -> None:
        super().__init__()
        width = settings.width
        self.dense = nn.Linear(width, width, bias=settings.bias)
        self.activation = activation(settings.activation)
        self.norm = nn.LayerNorm(width, eps=settings.norm_eps, bias=settings.bias)
        self.weight = None if settings.tied else nn.Parameter(torch.empty(vocabulary_size, width))
        self.bias = nn.Parameter(torch.zeros(vocabulary_size))
        if self.weight is not None:
            nn.init.normal_(self.weight, std=settings.initializer_range)

    def forward(self, hidden: Tensor, tied_weight: Tensor) -> Tensor:
        """Scores before the softmax, in the dtype of the computation: take ``.float()`` before a loss.

        Args:
            hidden: float[..., D], only the positions to decode.
            tied_weight: float[V, D]; not looked at when untied.

        Returns:
            float[..., V].
        """
        transformed = self.norm(self.activation(self.dense(hidden)))
        return linear(transformed, tied_weight if self.weight is None else self.weight, self.bias)


class ClassificationHead(nn.Module):
    """Class scores of a text from the state of its first token, ``[CLS]``.

    ``modern``: dense, GELU, LayerNorm, as ModernBertForSequenceClassification; ``classic``: dense and tanh,
    BERT's pooler. Then dropout and a linear layer.

    Args:
        width: D.
        classes: C.
        style: which of the two.
        dropout: before the last layer.
        norm_eps: of the modern head's LayerNorm.
    """

    def __init__(
        self, width: int, classes: int, *, style: str = "modern", dropout: float = 0.0, norm_eps: float = 1e-5
    ) -> None:
        super().__init__()
        classic = style == "classic"
        self.dense = nn.Linear(width, width, bias=classic)
        self.activation = torch.tanh if classic else activation("gelu")
        self.norm = nn.Identity() if classic else nn.LayerNorm(width, eps=norm_eps, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, classes)

    def forward(self, pooled_BD: Tensor) -> Tensor:
        """Pooled states float[B, D], the first token's for instance, to scores float[B, C]."""
        scores: Tensor = self.classifier(self.dropout(self.norm(self.activation(self.dense(pooled_BD)))))
        return scores
