"""The learner of pretraining: a weighted sum of objectives on one forward pass.

Shapes: B texts, L padded length, T packed tokens, D width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from genomecli.corpus.batch import Batch
from genomecli.models.language_model import LanguageModel
from genomecli.objectives.mixture import Mixture
from genomecli.runtime import rng
from genomecli.training.learner import Loss


def last_states(model: LanguageModel, batch: Batch) -> Tensor:
    """The encoder's last states of a batch: float[B, L, D], or on CUDA, packed, float[T, D]."""
    if batch.tokens.is_cuda:
        packed = batch.pack()
        return model.forward_packed(
            packed.tokens,
            packed.cu_seqlens,
            packed.max_length,
            packed.positions,
            packed.languages,
            segments_T=packed.segments,
        ).last
    encoded = model(batch.tokens, batch.lengths, batch.positions, batch.languages, segments_BL=batch.segments)
    return cast("Tensor", encoded.last)


class ObjectiveLearner:
    """Corrupts batches and gives their loss.

    Args:
        mixture: the objectives with their weights.
        seed: of the corruption, which is a function of it, the step and the micro-batch.
    """

    def __init__(self, mixture: Mixture, seed: int) -> None:
        self.mixture = mixture
        self.seed = seed

    def prepare(self, batch: Batch, step: int, index: int) -> Batch:
        """See :class:`genomecli.training.learner.Learner`."""
        return self.mixture.corrupt(batch, rng(self.seed, "corrupt", step, index))

    def count(self, batch: Batch) -> Mapping[str, float]:
        """See :class:`genomecli.training.learner.Learner`."""
        return self.mixture.counts([batch])

    def loss(self, model: nn.Module, batch: Batch, totals: Mapping[str, float]) -> Loss:
        """See :class:`genomecli.training.learner.Learner`; ratios are each objective's loss and accuracy."""
        network = cast("LanguageModel", model)
        losses = self.mixture.losses(network, last_states(network, batch), batch)
        ratios = {}
        for name, part in losses.items():
            ratios[f"{name}_loss"] = torch.stack([part.sum, part.count])
            ratios[f"{name}_accuracy"] = torch.stack([part.correct, part.predictions])
        return Loss(self.mixture.total(losses, totals), ratios)
