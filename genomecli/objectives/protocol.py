"""What an objective is: a pure corruption of a batch, the heads it needs, and a loss that can be summed.

Shapes: B texts, L padded length, T packed tokens, N chosen positions, D width, V vocabulary, G languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from genomecli.corpus.batch import Batch
from genomecli.corpus.lexicon import Lexicon
from genomecli.models.language_model import LanguageModel


@dataclass(frozen=True)
class ObjectiveLoss:
    """Sums over the predictions of a batch: of several batches they add up, and divide to means.

    Args:
        sum: float32[], sum of weighted losses in nats; the gradient flows through it.
        count: float32[], sum of weights.
        correct: int64[], predictions whose highest score is right.
        predictions: int64[].
        language_loss: float64[G], sum of unweighted losses by language.
        language_correct: int64[G].
        language_predictions: int64[G].
    """

    sum: Tensor
    count: Tensor
    correct: Tensor
    predictions: Tensor
    language_loss: Tensor
    language_correct: Tensor
    language_predictions: Tensor

    def __add__(self, other: ObjectiveLoss) -> ObjectiveLoss:
        return ObjectiveLoss(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def detach(self) -> ObjectiveLoss:
        """The same sums without gradient."""
        return ObjectiveLoss(*(getattr(self, f.name).detach() for f in fields(self)))

    @property
    def mean(self) -> Tensor:
        """float32[]: weighted mean loss, nats a prediction; 0 where there is none."""
        return self.sum / self.count.clamp(min=torch.finfo(torch.float32).tiny)

    @property
    def accuracy(self) -> float:
        """Share of predictions that are right; NaN where there is none."""
        return float(self.correct) / float(self.predictions) if int(self.predictions) else float("nan")

    def by_language(self, languages: tuple[str, ...]) -> dict[str, dict[str, float]]:
        """Loss (nats, unweighted), perplexity, accuracy and predictions of each language that has any."""
        loss, correct = self.language_loss.tolist(), self.language_correct.tolist()
        table = {}
        for place, count in enumerate(self.language_predictions.tolist()):
            if count:
                mean = loss[place] / count
                table[languages[place]] = {
                    "loss": mean,
                    "perplexity": float(np.exp(min(mean, 700.0))),
                    "accuracy": correct[place] / count,
                    "predictions": count,
                }
        return table


class Objective(Protocol):
    """Something a network is trained to predict. Its name is also that of its head, if it has one."""

    @property
    def name(self) -> str:
        """Unique among the objectives of a run."""

    @property
    def weight(self) -> float:
        """Factor of its mean loss in the sum."""

    def corrupt(self, batch: Batch, generator: np.random.Generator) -> Batch:
        """The batch to train on: with tokens hidden, or targets and labels set. Leaves ``batch`` as it is.

        On the CPU; what other objectives have put into the batch stays.
        """

    def heads(self, width: int, lexicon: Lexicon) -> Mapping[str, nn.Module]:
        """Heads for ``model.heads``, beyond the masked-language head that every model has."""

    def count(self, batch: Batch) -> float:
        """Sum of the weights of what a corrupted batch predicts: the divisor of its loss, known before."""

    def loss(self, model: LanguageModel, hidden: Tensor, batch: Batch) -> ObjectiveLoss:
        """The loss of a corrupted batch.

        Args:
            model: whose heads are used.
            hidden: the encoder's last states, float[B, L, D], or float[T, D] of the packed batch.
            batch: corrupted by :meth:`corrupt`, on the device of ``hidden``.
        """


def sum_losses(
    logits: Tensor, targets: Tensor, weights: Tensor, languages: Tensor, language_count: int
) -> ObjectiveLoss:
    """Cross entropy, summed.

    Args:
        logits: float[N, V], any dtype; the loss is computed in float32.
        targets: int64[N].
        weights: float32[N].
        languages: int64[N].
        language_count: G.
    """
    losses = nn.functional.cross_entropy(logits.float(), targets, reduction="none")
    right = logits.detach().argmax(dim=-1) == targets
    zeros = torch.zeros(language_count, device=logits.device)
    return ObjectiveLoss(
        sum=(losses * weights).sum(),
        count=weights.sum(),
        correct=right.sum(),
        predictions=torch.tensor(len(targets), device=logits.device),
        language_loss=zeros.double().index_add(0, languages, losses.detach().double()),
        language_correct=zeros.long().index_add(0, languages, right.long()),
        language_predictions=zeros.long().index_add(0, languages, torch.ones_like(languages)),
    )


def flat_places(chosen_BL: Tensor, hidden: Tensor, batch: Batch) -> Tensor:
    """int64[N]: where the chosen positions are in ``hidden`` laid flat, padded or packed.

    Args:
        chosen_BL: bool[B, L].
        hidden: float[B, L, D], or float[T, D] of the packed batch.
        batch: of those positions.
    """
    padded = chosen_BL.flatten().nonzero().squeeze(1)
    if hidden.dim() == 3:
        return padded
    width = batch.tokens.shape[1]
    text = padded // width
    ends = batch.lengths.cumsum(0)
    return (ends - batch.lengths)[text] + padded % width
