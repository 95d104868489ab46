"""The learner of pretraining: a weighted sum of objectives on one forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import nn

from genomecli.corpus.batch import AnyBatch, Batch
from genomecli.models.encode import encode
from genomecli.models.language_model import LanguageModel
from genomecli.objectives.mixture import Mixture
from genomecli.runtime import rng
from genomecli.training.learner import Loss


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

    def loss(self, model: nn.Module, batch: AnyBatch, totals: Mapping[str, float]) -> Loss:
        """See :class:`genomecli.training.learner.Learner`; ratios are each objective's loss and accuracy."""
        network = cast("LanguageModel", model)
        losses = self.mixture.losses(network, encode(network, batch).last, batch.selected)
        ratios = {}
        for name, part in losses.items():
            ratios[f"{name}_loss"] = torch.stack([part.sum, part.count])
            ratios[f"{name}_accuracy"] = torch.stack([part.correct, part.predictions])
        return Loss(self.mixture.total(losses, totals), ratios)
