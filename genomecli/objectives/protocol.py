"""What an objective is: a pure corruption of a batch, the heads it needs, and a loss that can be summed.

Everything that depends on values, which positions are hidden, how many, is settled on the CPU before the
step: an objective selects its positions from the corrupted batch, and its loss gets their states alone,
wherever and however the batch was computed.

Shapes: N selected positions, D width, V vocabulary, G languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from genomecli.corpus.batch import IGNORE, Batch, Selection
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
        """Heads for ``model.heads``, beyond the masked-language head that every model has.

        Args:
            width: D, of the encoder's states.
            lexicon: of the batches.
        """

    def select(self, batch: Batch) -> Selection:
        """Which positions of a corrupted batch it reads, and what is to be found there; on the CPU.

        The sum of the weights is the divisor of its loss.
        """

    def loss(self, model: LanguageModel, states_ND: Tensor, selected: Selection) -> ObjectiveLoss:
        """The loss of a corrupted batch.

        Args:
            model: whose heads are used.
            states_ND: float[N, D], the encoder's last states at the selected positions.
            selected: by :meth:`select`, on the device of the states; entries may fill it up.

        Returns:
            Sums in nats, computed in float32.
        """


def sum_losses(
    logits: Tensor, targets: Tensor, weights: Tensor, languages: Tensor, language_count: int
) -> ObjectiveLoss:
    """Cross entropy, summed; nothing in it waits for the device.

    Args:
        logits: float[N, V], any dtype; the loss is computed in float32.
        targets: int64[N]; ``IGNORE`` counts nowhere.
        weights: float32[N], 0 where the target is ``IGNORE``.
        languages: int64[N].
        language_count: G.
    """
    losses = nn.functional.cross_entropy(logits.float(), targets, ignore_index=IGNORE, reduction="none")
    right = logits.detach().argmax(dim=-1) == targets
    counted = (targets != IGNORE).long()
    zeros = torch.zeros(language_count, device=logits.device)
    return ObjectiveLoss(
        sum=(losses * weights).sum(),
        count=weights.sum(),
        correct=right.sum(),
        predictions=counted.sum(),
        language_loss=zeros.double().index_add(0, languages, losses.detach().double()),
        language_correct=zeros.long().index_add(0, languages, right.long()),
        language_predictions=zeros.long().index_add(0, languages, counted),
    )
