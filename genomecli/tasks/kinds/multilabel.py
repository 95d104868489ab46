"""Multilabel targets: any number of classes a sequence, each for itself.

Shapes: C classes.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from genomecli.tasks.examples import Floats, LabelArray
from genomecli.tasks.kinds.protocol import Outputs
from genomecli.tasks.schema import Form, Target


class Multilabel:
    """Labels float[..., C] of 0 and 1, NaN where unknown; outputs float[..., C], a logit each.

    Args:
        target: with C classes. A class weight is the factor of the loss of that class's positive rows, as
            ``pos_weight`` of torch; negative rows have 1.
    """

    form: ClassVar[Form] = "multilabel"
    primary: ClassVar[str] = "macro_f1"
    two_classes: ClassVar[bool] = False

    def __init__(self, target: Target) -> None:
        self.target = target
        self._factors = torch.tensor(target.class_weights or (1.0,) * target.outputs, dtype=torch.float32)

    def encode(self, values: LabelArray) -> LabelArray:
        """The labels, float64[..., C], as they are."""
        return values

    def weights(self, labels: Tensor) -> Tensor:
        """float32[..., C]: 1 for a known label, 0 for NaN.

        Class weights are part of the loss, as in torch's mean.
        """
        return (~labels.isnan()).float()

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Binary cross entropy of every class, nats; logits, labels and weights are [..., C].

        See :meth:`~genomecli.tasks.kinds.protocol.TaskKind.loss`.
        """
        # NaN times a weight of 0 would still be NaN.
        known = labels.nan_to_num().float()
        factors = self._factors.to(logits.device)
        each = functional.binary_cross_entropy_with_logits(
            logits.float(), known, reduction="none", pos_weight=factors
        )
        return (each * weights).sum(), weights.sum()

    def scores(self, logits: Outputs) -> Floats:
        """The logistic function of each output, in float64."""
        values = logits.astype(np.float64)
        # exp of a negative number alone: no overflow for logits far below 0.
        small = np.exp(-np.abs(values))
        found: Floats = np.where(values >= 0, 1.0, small) / (1.0 + small)
        return found
