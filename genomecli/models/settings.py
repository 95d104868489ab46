"""Settings of a network: a preset's name, and every size and option that may differ from it.

A field whose default is None takes its value from the preset or from the architecture while the settings are
validated, so after that each holds a value, and settings written out and read again are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import field_validator, model_validator

from genomecli.models.presets import (
    ARCHITECTURES,
    HEAD_WIDTH,
    PRESETS,
    initializer_rule,
    intermediate_rule,
)
from genomecli.settings import Name, Section, setting


class ModelSettings(Section):
    """Shape and options of the network.

    Raises:
        pydantic.ValidationError: each problem names its field and what to set instead.
    """

    preset: Name | None = setting(
        "tiny",
        doc=f"Named size, one of {', '.join(PRESETS)}; null to give all sizes. Explicit sizes override it.",
    )
    architecture: Literal["modern", "classic"] = setting(
        None, doc="modern is ModernBERT, classic is BERT of 2018; from the preset unless given."
    )
    layers: int = setting(None, ge=1, le=1000, doc="Number of blocks; from the preset unless given.")
    width: int = setting(None, ge=8, doc="Width of the residual stream; from the preset unless given.")
    heads: int = setting(
        None, ge=1, doc=f"Attention heads, a divisor of width; width / {HEAD_WIDTH} unless given."
    )
    intermediate: int = setting(
        None,
        ge=1,
        doc="Inner width of the feed-forward layers; 1.5 x width if gated, 4 x if plain, unless given.",
    )
    context: int = setting(None, ge=8, unit="tokens", doc="Longest input; from the preset unless given.")
    stem: Name = setting("token", doc="Registered name of the layer that turns the input into vectors.")
    mixer: Name = setting("attention", doc="Registered name of the layer that mixes positions.")
    positions: Literal["rope", "learned", "none"] = setting(
        None, doc="Rotary, or a learned vector a position; modern uses rope, classic learned."
    )
    feedforward: Literal["geglu", "plain"] = setting(
        None, doc="Gated or plain feed-forward layers; modern uses geglu, classic plain."
    )
    activation: Literal["gelu", "gelu_tanh", "relu", "silu"] = setting(
        "gelu", doc="Non-linearity of feed-forward layers and heads."
    )
    norm: Literal["pre", "post"] = setting(
        None, doc="LayerNorm before each sub-layer (modern) or after it (classic)."
    )
    norm_eps: float = setting(None, gt=0, le=1e-2, doc="Epsilon of LayerNorm; modern 1e-5, classic 1e-12.")
    bias: bool = setting(None, doc="Biases in linear layers and norms; off in modern, on in classic.")
    token_types: int = setting(
        None,
        ge=0,
        le=16,
        doc="Rows of the table for first and second text of a pair; modern 0 (none), classic 2.",
    )
    rope_theta: float = setting(160_000.0, gt=1, doc="Base of rotary frequencies in global layers.")
    rope_theta_local: float = setting(10_000.0, gt=1, doc="Base of rotary frequencies in local layers.")
    local_window: int = setting(
        None,
        ge=0,
        unit="tokens",
        doc="Full width of the window of local layers, even; 0 makes all layers global.",
    )
    global_every: int = setting(
        None,
        ge=1,
        doc="Layers 0, n, 2n, ... are global, the others local; 1 makes all global. Modern uses 3.",
    )
    dropout: float = setting(0.0, ge=0, lt=1, doc="Dropout after the embedding and after each sub-layer.")
    attention_dropout: float = setting(0.0, ge=0, lt=1, doc="Dropout of attention weights.")
    tied: bool = setting(True, doc="The output layer reuses the embedding's rows.")
    qk_norm: bool = setting(False, doc="Normalise queries and keys of each head by their root mean square.")
    language_embedding: bool = setting(
        False, doc="Add a learned vector of the language (species and molecule) to each token."
    )
    stem_norm: bool = setting(
        True, doc="LayerNorm after the embedding; off as in ESM, where the first block has its own instead."
    )
    mask_scaling: bool = setting(
        False,
        doc="[MASK] is the zero vector and other tokens are scaled by its share in the text, as in ESM-2.",
    )
    first_norm: bool = setting(
        False, doc="The first block has a LayerNorm of its own though the stem ends with one, as in ESM-1b."
    )
    closing_token: bool = setting(
        True,
        doc="The network sees the [SEP] that ends a text; off as in Nucleotide Transformer v1, whose texts "
        "have no such token.",
    )
    zero_init_out: bool = setting(False, doc="Start the last matrix of each sub-layer at zero.")
    initializer_range: float = setting(
        None,
        gt=0,
        le=1,
        doc="Standard deviation of the first weights; 0.02 in classic and sqrt(2 / (5 x width)) in modern, "
        "0.079 at width 64, unless given. Texts in pairs align better from 0.02.",
    )

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, value: str | None) -> str | None:
        if value is not None and value not in PRESETS:
            raise ValueError(f"unknown preset {value!r}; choose one of {', '.join(PRESETS)}")
        return value

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: object) -> object:
        return fill_in(data) if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _check(self) -> ModelSettings:
        problems = list(_contradictions(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads

    @property
    def local_layers(self) -> tuple[bool, ...]:
        """bool[layers]: which layers see a local window only."""
        return tuple(bool(self.local_window and layer % self.global_every) for layer in range(self.layers))


def fill_in(data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` with every absent or None field taken from its preset, its architecture or a rule.

    Values that are wrong in themselves stay as they are; validation names them afterwards.

    Raises:
        ValueError: if without a preset a needed size is missing.
    """
    given = {name: value for name, value in data.items() if value is not None or name == "preset"}
    name = given.setdefault("preset", "tiny")
    preset = PRESETS.get(str(name), PRESETS["tiny"]) if name is not None else None
    if preset is not None:
        same_shape = "width" not in given and given.get("architecture") in (None, preset.architecture)
        if same_shape and preset.intermediate is not None:
            given.setdefault("intermediate", preset.intermediate)
        for field in ("architecture", "layers", "width", "context"):
            given.setdefault(field, getattr(preset, field))
        for field, value in preset.options.items():
            given.setdefault(field, value)
    missing = [field for field in ("layers", "width") if field not in given]
    if missing:
        raise ValueError(
            f"preset is null and {' and '.join(missing)} not set; set all sizes or name a preset"
        )
    given.setdefault("architecture", "modern")
    given.setdefault("context", 1024)
    family = ARCHITECTURES["classic" if given["architecture"] == "classic" else "modern"]
    for field, value in family.items():
        given.setdefault(field, value)
    _derive_sizes(given)
    return given


def _derive_sizes(given: dict[str, Any]) -> None:
    """Set what follows from the width by rule, in place. A width that is no number is left to validation."""
    width = given["width"]
    usable = width if isinstance(width, int) and width > 0 else HEAD_WIDTH
    given.setdefault("heads", max(1, usable // HEAD_WIDTH))
    given.setdefault("intermediate", intermediate_rule(str(given["feedforward"]), usable))
    given.setdefault("initializer_range", initializer_rule(str(given["architecture"]), usable))


def _contradictions(settings: ModelSettings) -> Iterator[str]:
    """Every contradiction between fields, with what to set instead."""
    width, heads = settings.width, settings.heads
    if width % heads:
        near = min((n for n in range(1, width + 1) if width % n == 0), key=lambda n: (abs(n - heads), n))
        other = heads * HEAD_WIDTH
        yield f"width {width} is no multiple of heads {heads}; set heads to {near} or width to {other}"
    elif settings.positions == "rope" and settings.head_width % 2:
        yield f"positions rope needs an even head width, not {settings.head_width}; change width or heads"
    if settings.norm == "post" and not settings.stem_norm:
        yield "stem_norm false needs norm pre, whose first block then has a norm of its own"
    if settings.local_window % 2:
        yield f"local_window {settings.local_window} is odd; set it to {settings.local_window + 1}"
