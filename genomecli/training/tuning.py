"""Which weights of a network are trained, and how fast each of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from torch import nn

from genomecli.errors import ConfigError
from genomecli.models.encoder import Encoder
from genomecli.models.language_model import LanguageModel
from genomecli.models.task_heads import UNCERTAINTY
from genomecli.training.finetune_settings import FinetuneSettings
from genomecli.training.lora import inject_lora, lora_modules

UNCERTAINTY_RATE = 0.03
"""Peak learning rate of the targets' log variances.

Adam moves a number by about one rate a step, and these have to go one or two, whatever suits the network.
Measured on a value that can be learned beside one of noise: after 38 steps their losses were weighed 0.58 to
0.51 at the network's own rate of 1e-2, and 0.74 to 0.53 at this one; after 250 steps 0.55 to 0.52 at 1e-3,
and 3.4 to 0.56 at this one. More is no gain: of a class and a value, both learnable, in 96 steps, the value's
weight ran to 8.7 at 0.1, and 62 % of the classes were right instead of 95 % here and 98 % at 1e-2.
"""

_UNCERTAINTY = f"heads.{UNCERTAINTY}."
_BLOCK = re.compile(r"encoder\.blocks\.(\d+)\.")


def choose_trained(model: LanguageModel, settings: FinetuneSettings, seed: int) -> None:
    """Set which parameters are trained, in place; heads always are, the masked-language head never.

    ``full`` and ``embeddings`` train the encoder, ``last`` its last blocks and final norm, ``frozen`` nothing
    of it, ``lora`` low-rank updates. Parts that are not trained have no dropout either: they are features,
    and nothing is to be regularised there.

    Args:
        model: with its weights.
        settings: of the tuning.
        seed: of first weights of updates.

    Raises:
        ConfigError: if there are fewer blocks than are to be trained.
        UsageError: if LoRA's library is not installed.
    """
    encoder: Encoder = model.encoder
    model.lm_head.requires_grad_(False)
    encoder.requires_grad_(False)
    if settings.tune == "lora":
        inject_lora(encoder, settings.lora, seed)
        return
    for part in _trained_parts(encoder, settings):
        part.requires_grad_(True)
    for whole in (encoder.stem, *encoder.blocks):
        if not any(parameter.requires_grad for parameter in whole.parameters()):
            for module in whole.modules():
                _without_dropout(module)


def check_tuning(model: LanguageModel, settings: FinetuneSettings) -> None:
    """Refuse settings that :func:`choose_trained` would refuse, before anything is made.

    Raises:
        ConfigError, UsageError: as there.
    """
    if settings.tune == "lora":
        lora_modules(model.encoder, settings.lora)
    elif settings.tune == "last":
        _trained_parts(model.encoder, settings)


def _trained_parts(encoder: Encoder, settings: FinetuneSettings) -> list[nn.Module]:
    if settings.tune == "frozen":
        return []
    if settings.tune != "last":
        return [encoder]
    blocks = list(encoder.blocks)
    if settings.last_layers > len(blocks):
        problem = f"finetune.last_layers: is {settings.last_layers}, and the network has {len(blocks)} blocks"
        raise ConfigError([f"{problem}; lower it, or set tune to full"])
    return [*blocks[-settings.last_layers :], encoder.final_norm]


def _without_dropout(module: Any) -> None:
    if isinstance(module, nn.Dropout):
        module.p = 0.0
    elif isinstance(getattr(module, "dropout", None), float):
        module.dropout = 0.0


def rate_scales(model: LanguageModel, decay: float, rate: float) -> Callable[[str], float]:
    """The factor of the learning rate of each parameter, by its name.

    1 for the heads, the final norm and the last block; ``decay`` times less for each block below, and once
    more for the stem (Howard and Ruder 2018, arXiv:1801.06146, section 3.2). The targets' learned weights
    have the rate :data:`UNCERTAINTY_RATE`, whatever that of the network.

    Args:
        model: whose parameters they are.
        decay: the factor from block to block.
        rate: the learning rate that is multiplied.
    """
    blocks = len(model.encoder.blocks)

    def scale(name: str) -> float:
        if name.startswith(_UNCERTAINTY):
            return max(1.0, UNCERTAINTY_RATE / rate)
        found = _BLOCK.match(name)
        if found:
            return decay ** (blocks - 1 - int(found.group(1)))
        return decay**blocks if name.startswith("encoder.stem.") else 1.0

    return scale
