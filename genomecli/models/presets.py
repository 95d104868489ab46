"""Named sizes, and what each of the two architectures implies. Frozen: a name never changes its meaning.

``modern`` is ModernBERT (Warner et al. 2024, arXiv:2412.13663) and ``classic`` is BERT (Devlin et al. 2018,
arXiv:1810.04805). Every option beyond these two papers is off here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

ArchitectureName = Literal["modern", "classic"]

HEAD_WIDTH = 64
"""Width of one attention head in every preset; wider heads run several times faster than the 16 of ESM-2
8M."""


@dataclass(frozen=True)
class Preset:
    """A named size.

    Args:
        architecture: family, which sets everything that is not a size.
        layers: number of blocks.
        width: width of the residual stream.
        intermediate: inner width of the feed-forward layers; None for the architecture's rule.
        context: longest input, in tokens.
        options: further settings that differ from the architecture's.
    """

    architecture: ArchitectureName
    layers: int
    width: int
    intermediate: int | None = None
    context: int = 1024
    options: Mapping[str, object] = field(default_factory=dict)


def _classic(layers: int, width: int) -> Preset:
    return Preset("classic", layers, width, context=512)


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "tiny": Preset("modern", 3, 64),
        "mini": Preset("modern", 6, 128),
        "small": Preset("modern", 12, 256),
        "medium": Preset("modern", 16, 512),
        "base": Preset("modern", 22, 768),
        "large": Preset("modern", 28, 1024, intermediate=2624),
        "classic-tiny": _classic(2, 128),
        "classic-mini": _classic(4, 256),
        "classic-small": _classic(4, 512),
        "classic-medium": _classic(8, 512),
        "classic-base": _classic(12, 768),
        "classic-large": _classic(24, 1024),
        "cnn": Preset(
            "modern",
            3,
            64,
            options=MappingProxyType(
                {
                    "mixer": "convolution",
                    "positions": "none",
                    "local_window": 8,
                    "initializer_range": 0.02,
                }
            ),
        ),
    }
)
"""``base`` and ``large`` are ModernBERT's two sizes; the ``classic`` ones are those of BERT and of Turc et
al. 2019 (arXiv:1908.08962). ``tiny`` is the width 64, one-head model of the alignment study, and ``cnn`` the
small convolutional network that fine-tuned models are held against."""


ARCHITECTURES: Mapping[ArchitectureName, Mapping[str, object]] = MappingProxyType(
    {
        "modern": MappingProxyType(
            {
                "positions": "rope",
                "feedforward": "geglu",
                "norm": "pre",
                "bias": False,
                "norm_eps": 1e-5,
                "token_types": 0,
                "local_window": 128,
                "global_every": 3,
            }
        ),
        "classic": MappingProxyType(
            {
                "positions": "learned",
                "feedforward": "plain",
                "norm": "post",
                "bias": True,
                "norm_eps": 1e-12,
                "token_types": 2,
                "local_window": 0,
                "global_every": 1,
            }
        ),
    }
)
"""What a family sets where the user sets nothing."""


def intermediate_rule(feedforward: str, width: int) -> int:
    """Inner width of a feed-forward layer where none is given: 4 times the width as in BERT, or 1.5 times it
    for a gated layer as in ModernBERT-base (its matrix is twice as wide, for value and gate)."""
    return 4 * width if feedforward == "plain" else 3 * width // 2


def initializer_rule(architecture: str, width: int) -> float:
    """Standard deviation of the first weights where none is given.

    ``classic`` has BERT's 0.02. ``modern`` has sqrt(2 / (5 width)) (SmallInit, Nguyen and Salazar 2019,
    arXiv:1910.05895): 0.0791 at width 64, 0.0228 at 768. With 0.02 a narrow network begins to learn several
    times later.
    """
    return 0.02 if architecture == "classic" else round(math.sqrt(2 / (5 * width)), 4)
