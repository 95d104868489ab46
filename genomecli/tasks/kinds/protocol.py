"""What a kind of target must be able to do. A kind is built for one target, and knows its classes and scales.

Shapes: n examples or symbols, C classes or values; ``...`` is n, or B texts and S symbols.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from genomecli.tasks.examples import MISSING, Floats, LabelArray
from genomecli.tasks.schema import Form, Target

Outputs = NDArray[np.float32]
"""Outputs of a head, float32[..., C]."""


class TaskKind(Protocol):
    """A registered kind; built as ``cls(target)``. What does not hang on the target stands in the class.

    Args:
        form: what its labels are.
        primary: the figure that decides which of two models is better, one of those of its form in
            :data:`genomecli.tasks.figure.DECIDING`.
        two_classes: it needs exactly two classes, negative and positive.
    """

    form: ClassVar[Form]
    primary: ClassVar[str]
    two_classes: ClassVar[bool]
    target: Target

    def __init__(self, target: Target) -> None: ...

    def encode(self, values: LabelArray) -> LabelArray:
        """Labels as the loss wants them: values standardised, classes as they are. Missing ones stay so.

        Args:
            values: int64[...] of a class each, float64[..., C] of several labels or measured values. What is
                returned has the same shape and dtype.
        """
        ...

    def weights(self, labels: Tensor) -> Tensor:
        """float32, like ``labels``: how much each counts in the loss; 0 for missing ones."""
        ...

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Sum of the weighted losses in nats (of values: squared errors), and sum of the weights.

        Args:
            logits: float[..., C], any dtype; the loss is computed in float32.
            labels: encoded, int64[...] or float[..., C].
            weights: those of :meth:`weights`, or 0 where more is left out.

        Returns:
            float32[] and float32[].
        """
        ...

    def scores(self, logits: Outputs) -> Floats:
        """float64[..., C]: probabilities, or values in the table's units."""
        ...


class Classes:
    """One class of C: cross entropy. What ``binary``, ``multiclass`` and ``token`` share.

    Args:
        target: with C classes.
    """

    form: ClassVar[Form] = "class"
    primary: ClassVar[str] = "accuracy"
    two_classes: ClassVar[bool] = False

    def __init__(self, target: Target) -> None:
        self.target = target
        self._factors = torch.tensor(target.class_weights or (1.0,) * target.outputs, dtype=torch.float32)

    def encode(self, values: LabelArray) -> LabelArray:
        """The labels, int64[...], as they are."""
        return values

    def weights(self, labels: Tensor) -> Tensor:
        """float32[...]: the factor of each label's class; 0 for ``MISSING``."""
        factors = self._factors.to(labels.device)[labels.clamp(min=0)]
        return torch.where(labels == MISSING, torch.zeros_like(factors), factors)

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Cross entropy, nats, of logits [..., C] and int64[...]; see :meth:`TaskKind.loss`."""
        flat = logits.float().reshape(-1, logits.shape[-1])
        each = functional.cross_entropy(flat, labels.clamp(min=0).reshape(-1), reduction="none")
        return (each * weights.reshape(-1)).sum(), weights.sum()

    def scores(self, logits: Outputs) -> Floats:
        """The softmax over the last axis, in float64."""
        values = logits.astype(np.float64)
        powers = np.exp(values - values.max(axis=-1, keepdims=True))
        found: Floats = powers / powers.sum(axis=-1, keepdims=True)
        return found
