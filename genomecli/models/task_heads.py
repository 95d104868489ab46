"""Heads of fine-tuning: one vector a text to its outputs, or each token's state to outputs of its symbols.

Shapes: B texts, L padded length, D width, F features, C outputs, K covariates, k symbols a token, t tokens,
S symbols from the first token's first one to the last token's last.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from genomecli.models.pooling import Pool, PoolingName, scaled_normal

UNCERTAINTY = "uncertainty"
"""Name of the head that holds the targets' learned weights."""


def head_name(target: str) -> str:
    """Name of a target's head: without points, which separate the names of modules, and no module's own word
    (a target may be called ``type``)."""
    return f"task-{target.replace('.', ':')}"


class ScaledLinear(nn.Linear):
    """A linear layer whose first weights have standard deviation fan_in^-0.5, whatever the network's rule."""

    def initial_value(self, name: str, generator: np.random.Generator) -> NDArray[np.float32] | None:
        """float32[out, in] for the weight, None for the bias; see
        :func:`genomecli.models.initialisation.initialise`."""
        shape = (self.out_features, self.in_features)
        return scaled_normal(generator, shape) if name == "weight" else None


class OutputLinear(nn.Linear):
    """A last layer that begins at zero: an untrained head says the same of everything.

    Random weights there would give each sequence an arbitrary score, which must first be unlearned. On few
    rows that hides signals: of 128 rows of which a covariate decided two classes, 77 % were right by it, and
    from zero all.
    """

    def initial_value(self, name: str, generator: np.random.Generator) -> NDArray[np.float32] | None:
        """float32[out, in] of zeros for the weight, None for the bias; see
        :func:`genomecli.models.initialisation.initialise`."""
        return np.zeros((self.out_features, self.in_features), dtype=np.float32) if name == "weight" else None


HeadStyle = Literal["plain", "modern", "classic"]
"""Our own head, or what stands before the last layer in Hugging Face's classes of ModernBERT or BERT."""


class FamilyLayers(nn.Module):
    """What Hugging Face's classes for whole sequences have before their last layer.

    ``modern``: dense without bias, GELU, LayerNorm, as in ModernBertForSequenceClassification; ``classic``:
    dense and tanh, BERT's pooler.

    Args:
        width: D.
        style: which of the two.
    """

    def __init__(self, width: int, style: HeadStyle) -> None:
        super().__init__()
        self.dense = ScaledLinear(width, width, bias=style == "classic")
        self.norm = nn.LayerNorm(width, bias=False) if style == "modern" else None

    def forward(self, x: Tensor) -> Tensor:
        """float[..., D] to float[..., D]."""
        if self.norm is None:
            return torch.tanh(self.dense(x))
        normed: Tensor = self.norm(functional.gelu(self.dense(x)))
        return normed


class Scorer(nn.Module):
    """Dropout, a hidden layer with GELU if wanted, dropout, a linear layer that begins at zero.

    Args:
        features: F.
        outputs: C.
        hidden: width of the hidden layer; 0 for none.
        dropout: before each linear layer.
        family: layers that stand before the last dropout instead of all this; None for none.
    """

    def __init__(
        self, features: int, outputs: int, hidden: int, dropout: float, family: FamilyLayers | None = None
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.family = family
        self.dense = ScaledLinear(features, hidden) if hidden else None
        self.classifier = OutputLinear(hidden or features, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """float[..., F] to float[..., C]."""
        x = self.dropout(features if self.family is None else self.family(features))
        if self.dense is not None:
            x = self.dropout(functional.gelu(self.dense(x)))
        scores: Tensor = self.classifier(x)
        return scores


class TaskHead(nn.Module):
    """Outputs of a text, or of a pair of texts.

    The states of each text are pooled to one vector. Of a pair with vectors u and v the head sees
    [u, v, |u - v|, u * v] (InferSent, Conneau et al. 2017, arXiv:1705.02364); covariates are joined to it.

    Args:
        width: D.
        outputs: C.
        pooling: how states become a vector.
        places: tokens of the longest text, for the pooling ``places``.
        hidden: width of a hidden layer; 0 is a linear head.
        dropout: before each linear layer.
        covariates: K.
        pair: whether texts come in pairs.
        style: ``plain``, or with the layers of Hugging Face's classes.
    """

    def __init__(
        self,
        width: int,
        outputs: int,
        *,
        pooling: PoolingName = "mean",
        places: int = 0,
        hidden: int = 0,
        dropout: float = 0.0,
        covariates: int = 0,
        pair: bool = False,
        style: HeadStyle = "plain",
    ) -> None:
        super().__init__()
        self.pool = Pool(pooling, width, places)
        self.covariates = covariates
        self.pair = pair
        features = (4 if pair else 1) * width + covariates
        family = None if style == "plain" else FamilyLayers(features, style)
        self.scorer = Scorer(features, outputs, hidden, dropout, family)

    def forward(
        self, first_BD: Tensor, second_BD: Tensor | None = None, covariates_BK: Tensor | None = None
    ) -> Tensor:
        """float[B, C].

        Args:
            first_BD: float[B, D], pooled vectors.
            second_BD: float[B, D], of the second texts; None without pairs.
            covariates_BK: float[B, K], standardised, 0 where unknown; None without.
        """
        parts = [first_BD]
        if self.pair:
            assert second_BD is not None, "this head reads pairs"
            parts += [second_BD, (first_BD - second_BD).abs(), first_BD * second_BD]
        if self.covariates:
            assert covariates_BK is not None, "this head reads covariates"
            parts.append(covariates_BK.to(first_BD.dtype))
        scores: Tensor = self.scorer(torch.cat(parts, dim=-1))
        return scores


class SymbolHead(nn.Module):
    """Outputs of each base or residue: a token's state gives C numbers for each of its k symbols.

    Args:
        width: D.
        outputs: C.
        k: symbols a token.
        hidden: width of a hidden layer; 0 is a linear head.
        dropout: before each linear layer.
        style: as in :class:`TaskHead`; BERT has no layer before the last one for tokens.
    """

    def __init__(
        self,
        width: int,
        outputs: int,
        k: int,
        *,
        hidden: int = 0,
        dropout: float = 0.0,
        style: HeadStyle = "plain",
    ) -> None:
        super().__init__()
        self.k = k
        family = FamilyLayers(width, style) if style == "modern" else None
        self.scorer = Scorer(width, k * outputs, hidden, dropout, family)

    def forward(self, hidden: Tensor) -> Tensor:
        """States of tokens, float[..., D], to outputs of each of their k symbols, float[..., k, C]."""
        numbers: Tensor = self.scorer(hidden)
        return numbers.reshape(*numbers.shape[:-1], self.k, -1)


def symbol_means(numbers_BtkC: Tensor, tokens_B: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Outputs of symbols from those of tokens: the mean over the tokens that cover a symbol.

    Args:
        numbers_BtkC: float[B, t, k, C], of each token for each of its symbols.
        tokens_B: int64[B], tokens of each text; those after them do not count.
        stride: symbols from one token's start to the next.

    Returns:
        float[B, S, C], 0 where no token covers a symbol, and bool[B, S], which symbols are covered.
        S = (t - 1) * stride + k.
    """
    rows, length, k, outputs = numbers_BtkC.shape
    real = torch.arange(length, device=numbers_BtkC.device)[None, :] < tokens_B[:, None]
    symbols = (length - 1) * stride + k
    total = numbers_BtkC.new_zeros((rows, symbols, outputs))
    count = numbers_BtkC.new_zeros((rows, symbols))
    last = (length - 1) * stride + 1
    for place in range(k):
        # Tokens lie stride apart, so the symbols of one place are a strided view: no index is needed.
        total[:, place : place + last : stride] += numbers_BtkC[:, :, place] * real[:, :, None]
        count[:, place : place + last : stride] += real
    return total / count.clamp(min=1)[:, :, None], count > 0


class Uncertainty(nn.Module):
    """The logarithm of each target's noise variance, learned with the network.

    A target's loss L is weighed as exp(-s) L + s / 2 for classes and exp(-s) L / 2 + s / 2 for values, with
    s = log sigma^2 (Kendall et al. 2018, arXiv:1705.07115, equation 10).

    Args:
        targets: how many.
    """

    def __init__(self, targets: int) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(targets))
