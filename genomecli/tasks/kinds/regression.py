"""Regression targets: one or several measured values, standardised inside, in the table's units outside.

Shapes: C values.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from genomecli.tasks.examples import Floats, LabelArray
from genomecli.tasks.kinds.protocol import Outputs
from genomecli.tasks.schema import Form, Target


class Regression:
    """Labels float[..., C], NaN where unknown; outputs float[..., C], in standard deviations from the mean.

    Args:
        target: with means and scales of the training rows; of log(1 + value) where ``target.log`` is set.
    """

    form: ClassVar[Form] = "regression"
    primary: ClassVar[str] = "pearson"
    two_classes: ClassVar[bool] = False

    def __init__(self, target: Target) -> None:
        self.target = target
        self._means = np.array(target.means or (0.0,) * target.outputs, dtype=np.float64)
        self._scales = np.array(target.scales or (1.0,) * target.outputs, dtype=np.float64)

    def encode(self, values: LabelArray) -> LabelArray:
        """(value - mean) / scale, float64[..., C], of log(1 + value) where the target says so."""
        plain = np.asarray(values, dtype=np.float64)
        measured = np.log1p(plain) if self.target.log else plain
        found: Floats = (measured - self._means) / self._scales
        return found

    def weights(self, labels: Tensor) -> Tensor:
        """float32[..., C]: 1 for a value, 0 for NaN."""
        return (~labels.isnan()).float()

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Squared errors, in units of the scales squared; logits, labels and weights are [..., C].

        See :meth:`~genomecli.tasks.kinds.protocol.TaskKind.loss`.
        """
        # NaN times a weight of 0 would still be NaN.
        each = (logits.float() - torch.nan_to_num(labels).float()) ** 2
        return (each * weights).sum(), weights.sum()

    def scores(self, logits: Outputs) -> Floats:
        """float64[..., C]: values in the table's units."""
        values = logits.astype(np.float64) * self._scales + self._means
        found: Floats = np.expm1(values) if self.target.log else values
        return found
