"""First weights, as a pure function of the seed and of each parameter's name.

Because each parameter draws from a generator of its own, an added head or layer leaves the other weights as
they were, and neither torch's global generator nor the order of construction matters.

``classic``: normal with standard deviation ``initializer_range`` (Devlin et al. 2018). ``modern``: the same,
cut at two standard deviations, and divided by sqrt(2 x layers) in the last matrix of each sub-layer and in
the
output head; the last matrix of a classifier has width^-0.5 (Megatron's scheme, as ModernBERT and its Hugging
Face code use it). Norms start at 1, biases at 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from genomecli.models.settings import ModelSettings
from genomecli.runtime import rng

CUT = 2.0
"""Where ``modern`` cuts the normal distribution, in standard deviations."""

_LAST_OF_SUBLAYER = (".mixer.out.weight", ".feedforward.out.weight")
_NORMS = (nn.LayerNorm, nn.RMSNorm)


def initialise(module: nn.Module, settings: ModelSettings, seed: int, prefix: str = "") -> None:
    """Set every parameter of ``module``, in place.

    A module of a registered layer that wants weights of its own has a method
    ``initial_value(name, generator) -> float32 array or None``, called with the parameter's own name.

    Args:
        module: the whole model, or a part of it.
        settings: of the model.
        seed: of the weights.
        prefix: name of ``module`` in the whole model, with a final dot; a part gets the weights it has in the
            whole.
    """
    for owner_name, owner in module.named_modules():
        for name, parameter in owner.named_parameters(recurse=False):
            full = prefix + (f"{owner_name}.{name}" if owner_name else name)
            value = _value(owner, name, full, tuple(parameter.shape), settings, seed)
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(value))


def _value(
    owner: nn.Module, name: str, full: str, shape: tuple[int, ...], settings: ModelSettings, seed: int
) -> NDArray[np.float32]:
    """First value of one parameter, float32 of ``shape``."""
    generator = rng(seed, "weights", full)
    own: Any = getattr(owner, "initial_value", None)
    if own is not None and (value := own(name, generator)) is not None:
        return np.asarray(value, dtype=np.float32).reshape(shape)
    if isinstance(owner, _NORMS) and name == "weight":
        return np.ones(shape, dtype=np.float32)
    if len(shape) < 2:
        return np.zeros(shape, dtype=np.float32)
    std = standard_deviation(full, settings)
    cut = CUT if settings.architecture == "modern" else math.inf
    return normal(generator, shape, cut) * np.float32(std)


def standard_deviation(name: str, settings: ModelSettings) -> float:
    """Standard deviation (before the cut) of the matrix of that full name."""
    base = settings.initializer_range
    last = name.endswith(_LAST_OF_SUBLAYER)
    if last and settings.zero_init_out:
        return 0.0
    if settings.architecture == "classic":
        return base
    if last or name.startswith("lm_head."):
        return base / math.sqrt(2 * settings.layers)
    return settings.width**-0.5 if name.endswith(".classifier.weight") else base


def normal(generator: np.random.Generator, shape: tuple[int, ...], cut: float) -> NDArray[np.float32]:
    """Standard normal float32 values; those beyond ``cut`` are drawn again."""
    values = generator.standard_normal(shape, dtype=np.float32)
    flat = values.reshape(-1)
    beyond = np.flatnonzero(np.abs(flat) > cut)
    while len(beyond):
        flat[beyond] = generator.standard_normal(len(beyond), dtype=np.float32)
        beyond = beyond[np.abs(flat[beyond]) > cut]
    return values
