"""Pooling: how the states of a text's tokens become one vector.

``mean`` and ``max`` run over the counted tokens, ``cls`` is the state of the first token, ``centre`` that of
the middle one of the counted tokens (the mean of two, if they are even in number), for sequences cut around
an event, and ``attention`` is a mean with weights softmax(q . h / sqrt(D)) over the counted tokens, where the
query q is learned and begins at 0, so that an untrained one is the mean. ``places`` is a mean in which each
coordinate has a learned weight at each place, for sequences that are cut alike, as promoters.

Shapes: B texts, L padded length, D width, P places.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

PoolingName = Literal["mean", "cls", "max", "attention", "centre", "places"]
LEARNED = ("attention", "places")
"""Poolings with weights of their own."""

PACE = 10.0
"""Factor of what is learned at a place. Optimisers move a weight by about the learning rate a step, so a
weight of 1 would hardly change within a short run."""


def mean_pool(hidden_BLD: Tensor, counted_BL: Tensor) -> Tensor:
    """float[B, D]: the mean of float[B, L, D] over the counted tokens, bool[B, L], at least one a row."""
    total = hidden_BLD.masked_fill(~counted_BL[:, :, None], 0.0).sum(dim=1)
    return total / counted_BL.sum(dim=1, keepdim=True)


def max_pool(hidden_BLD: Tensor, counted_BL: Tensor) -> Tensor:
    """float[B, D]: the largest value of each coordinate over the counted tokens, at least one a row."""
    return hidden_BLD.masked_fill(~counted_BL[:, :, None], -torch.inf).amax(dim=1)


def first_pool(hidden_BLD: Tensor, counted_BL: Tensor) -> Tensor:
    """float[B, D]: the state of the first token, ``[CLS]``."""
    return hidden_BLD[:, 0]


def centre_pool(hidden_BLD: Tensor, counted_BL: Tensor) -> Tensor:
    """float[B, D]: the middle counted token, or the mean of the two middle ones; at least one a row."""
    rank = counted_BL.cumsum(dim=1)
    total = rank[:, -1:]
    return mean_pool(hidden_BLD, counted_BL & (rank >= (total + 1) // 2) & (rank <= total // 2 + 1))


class AttentionPool(nn.Module):
    """Weighted mean with learned weights.

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(width))

    def scores(self, hidden: Tensor) -> Tensor:
        """float[...]: what the softmax is taken of, for states float[..., D]."""
        found: Tensor = hidden @ self.query * hidden.shape[-1] ** -0.5
        return found

    def forward(self, hidden_BLD: Tensor, counted_BL: Tensor) -> Tensor:
        """float[B, D]: the weighted mean over the counted tokens, at least one a row."""
        weights = self.scores(hidden_BLD).masked_fill(~counted_BL, -torch.inf).softmax(dim=1)
        return (weights[:, :, None] * hidden_BLD.masked_fill(~counted_BL[:, :, None], 0.0)).sum(dim=1)


class PlacePool(nn.Module):
    """Mean with a learned weight of each coordinate at each place; 1 at first.

    Args:
        width: D.
        places: P, tokens of the longest text.
    """

    def __init__(self, width: int, places: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(places, width))

    def initial_value(self, name: str, generator: np.random.Generator) -> NDArray[np.float32]:
        """float32[P, D], zeros; see :func:`genomecli.models.initialisation.initialise`."""
        return np.zeros(tuple(self.shift.shape), dtype=np.float32)

    def weights(self) -> Tensor:
        """float[P, D]."""
        return 1.0 + PACE * self.shift

    def forward(self, hidden_BLD: Tensor, counted_BL: Tensor) -> Tensor:
        """float[B, D]: position 0 is ``[CLS]``, so place p is position p + 1; at least one counted a row.

        Raises:
            ValueError: if a text has more than P places.
        """
        places = len(self.shift)
        beyond = hidden_BLD.shape[1] - 2 - places
        if beyond > 0:
            raise ValueError(f"a text of {places + beyond} tokens has more than the {places} places")
        index = torch.arange(-1, hidden_BLD.shape[1] - 1, device=hidden_BLD.device).clamp(0, places - 1)
        return mean_pool(hidden_BLD * self.weights()[index], counted_BL)


class Pool(nn.Module):
    """Pooling by name.

    Args:
        name: which.
        width: D, for those that are learned.
        places: P, for ``places``.
    """

    def __init__(self, name: PoolingName, width: int, places: int = 0) -> None:
        super().__init__()
        self.name = name
        self.attention = AttentionPool(width) if name == "attention" else None
        self.places = PlacePool(width, places) if name == "places" else None

    def forward(self, hidden_BLD: Tensor, counted_BL: Tensor) -> Tensor:
        """float[B, D].

        Args:
            hidden_BLD: float[B, L, D]; position 0 is ``[CLS]``.
            counted_BL: bool[B, L], at least one a row.
        """
        learned = self.attention or self.places
        if learned is not None:
            pooled: Tensor = learned(hidden_BLD, counted_BL)
            return pooled
        plain = {"mean": mean_pool, "max": max_pool, "cls": first_pool, "centre": centre_pool}
        return plain[self.name](hidden_BLD, counted_BL)


def scaled_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """float32 of ``shape``: normal with standard deviation (last axis)^-0.5, so that outputs have the spread
    of the inputs (LeCun et al. 1998)."""
    values = generator.standard_normal(shape, dtype=np.float32)
    return np.asarray(values * np.float32(shape[-1] ** -0.5), dtype=np.float32)
