"""Low-rank adaptation through ``peft`` (the extra ``lora``), and its sum with the weights, without it.

An adapted matrix computes W x + (alpha / r) B A x (Hu et al. 2021, arXiv:2106.09685, section 4.1). While it
is trained its tensors have peft's names; whoever only uses the model gets the plain network with
W + (alpha / r) B A, so that predictions do not need peft.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from genomecli.errors import ConfigError
from genomecli.extras import need
from genomecli.models.pooling import scaled_normal
from genomecli.runtime import rng

if TYPE_CHECKING:
    from torch import nn

    from genomecli.training.finetune_settings import LoraSettings

_USUAL = ("qkv", "taps", "out")
"""Layers that are adapted where nothing is said, as far as a network has them."""

_BASE, _A, _B = ".base_layer.", ".lora_A.default.weight", ".lora_B.default.weight"


def inject_lora(encoder: nn.Module, settings: LoraSettings, seed: int) -> None:
    """Adapt the encoder's linear layers of the named kinds, in place; only the updates are trained.

    First weights are a function of the seed and of the layer's name: A normal, B zero, so that the network
    says at first what it said before.

    Raises:
        UsageError: if peft is not installed.
        ConfigError: if the encoder has no layer of one of the names.
    """
    modules = lora_modules(encoder, settings)
    from peft import LoraConfig, inject_adapter_in_model

    # peft says that alpha is whole, and divides by it as it is.
    numbers: dict[str, Any] = {"r": settings.rank, "lora_alpha": settings.alpha}
    config = LoraConfig(**numbers, lora_dropout=settings.dropout, target_modules=list(modules), bias="none")
    with torch.random.fork_rng(devices=[]):
        inject_adapter_in_model(config, encoder)
    for name, parameter in encoder.named_parameters():
        value = None
        if name.endswith(_A):
            value = torch.from_numpy(scaled_normal(rng(seed, "lora", name), tuple(parameter.shape)))
        elif name.endswith(_B):
            value = torch.zeros_like(parameter)
        if value is not None:
            with torch.no_grad():
                parameter.copy_(value)


def lora_modules(encoder: nn.Module, settings: LoraSettings) -> tuple[str, ...]:
    """Names of the linear layers that are adapted: those of the settings, or the usual ones of the network.

    Raises:
        UsageError: if peft is not installed.
        ConfigError: if the encoder has no layer of one of the names.
    """
    need("peft", "tune lora")
    found = {
        name.rpartition(".")[2]
        for name, module in encoder.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    usual = tuple(name for name in _USUAL if name in found) or tuple(sorted(found))
    fix = f"it has {', '.join(sorted(found))}; leave the setting out for {', '.join(usual)}"
    problems = [
        f"finetune.lora.modules: the network has no linear layer {name!r}; {fix}"
        for name in settings.modules or ()
        if name not in found
    ]
    if problems:
        raise ConfigError(problems)
    return settings.modules or usual


def merged(tensors: Mapping[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """The plain network's tensors, updates added; others stay as they are.

    Args:
        tensors: of a network with updates, by peft's names.
        alpha: numerator of the updates' scale.
    """
    plain: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if name.endswith((_A, _B)):
            continue
        owner, adapted, kind = name.partition(_BASE)
        if adapted and kind == "weight":
            down, up = tensors[owner + _A], tensors[owner + _B]
            value = value + (alpha / len(down)) * (up @ down)
        plain[f"{owner}.{kind}" if adapted else name] = value
    return plain
