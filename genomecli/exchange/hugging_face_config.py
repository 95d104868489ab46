"""From a foreign ``config.json`` to settings of our network; what ours cannot compute is refused by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from genomecli.errors import ConfigError, InputError, refusing
from genomecli.models.settings import ModelSettings

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
FAMILIES = ("bert", "roberta", "modernbert", "esm")
"""Values of ``model_type`` that are read."""


def read_settings(config: Mapping[str, Any], where: Path) -> ModelSettings:
    """Settings of the network that ``config.json`` describes.

    Raises:
        InputError: for another family, or a file that does not describe a network.
        ConfigError: naming each value that our network cannot compute.
    """
    family = config.get("model_type")
    if family not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise InputError(f"is a model of the family {family!r}", where=where, fix=f"families read: {known}")
    with refusing("describes no network", where=where):
        problems = list(_problems(family, config))
        if problems:
            raise ConfigError(problems, where=where)
        values = {"bert": _bert, "roberta": _roberta, "modernbert": _modern, "esm": _esm}[family](config)
        return ModelSettings.model_validate({"preset": None, **_sizes(config), **values})


def _sizes(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "layers": config["num_hidden_layers"],
        "width": config["hidden_size"],
        "heads": config["num_attention_heads"],
        "intermediate": config["intermediate_size"],
        "context": config["max_position_embeddings"],
        "initializer_range": config.get("initializer_range", 0.02),
        "tied": config.get("tie_word_embeddings", True),
    }


def _bert(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "architecture": "classic",
        "activation": ACTIVATIONS[config.get("hidden_act", "gelu")],
        "norm_eps": config.get("layer_norm_eps", 1e-12),
        "token_types": config.get("type_vocab_size", 2),
        "dropout": config.get("hidden_dropout_prob", 0.1),
        "attention_dropout": config.get("attention_probs_dropout_prob", 0.1),
    }


def offset(config: Mapping[str, Any]) -> int:
    """Rows of the table of positions that stand before the first position: RoBERTa counts from its padding's
    id on."""
    absolute = config.get("position_embedding_type", "absolute") == "absolute"
    counts = config["model_type"] == "roberta" or (config["model_type"] == "esm" and absolute)
    return int(config.get("pad_token_id", 1)) + 1 if counts else 0


def _roberta(config: Mapping[str, Any]) -> dict[str, Any]:
    return {**_bert(config), "context": config["max_position_embeddings"] - offset(config)}


def _esm(config: Mapping[str, Any]) -> dict[str, Any]:
    rotary = config.get("position_embedding_type", "absolute") == "rotary"
    before = bool(config.get("emb_layer_norm_before"))
    return {
        "architecture": "modern",
        "activation": "gelu",
        "feedforward": "plain",
        "bias": True,
        "positions": "rope" if rotary else "learned",
        "rope_theta": 10_000.0,
        "local_window": 0,
        "global_every": 1,
        "norm_eps": config.get("layer_norm_eps", 1e-12),
        "dropout": config.get("hidden_dropout_prob", 0.1),
        "attention_dropout": config.get("attention_probs_dropout_prob", 0.1),
        "stem_norm": before,
        "first_norm": before,
        "mask_scaling": bool(config.get("token_dropout")),
        "context": config["max_position_embeddings"] - offset(config),
    }


def _modern(config: Mapping[str, Any]) -> dict[str, Any]:
    layers = _layer_types(config)
    every = layers.index("full_attention", 1) if "full_attention" in layers[1:] else max(2, len(layers))
    local = "sliding_attention" in layers
    return {
        "architecture": "modern",
        "activation": ACTIVATIONS[config.get("hidden_activation", "gelu")],
        "bias": config.get("norm_bias", False),
        "norm_eps": config.get("norm_eps", 1e-5),
        "local_window": config.get("local_attention", 128) if local else 0,
        "global_every": every if local else 1,
        "rope_theta": _theta(config, "full_attention", "global_rope_theta", 160_000.0),
        "rope_theta_local": _theta(config, "sliding_attention", "local_rope_theta", 10_000.0),
        "dropout": config.get("mlp_dropout", 0.0),
        "attention_dropout": config.get("attention_dropout", 0.0),
    }


def _layer_types(config: Mapping[str, Any]) -> list[str]:
    given = config.get("layer_types")
    if given is not None:
        return list(given)
    every = config.get("global_attn_every_n_layers", 3)
    return [
        "sliding_attention" if i % every else "full_attention" for i in range(config["num_hidden_layers"])
    ]


def _theta(config: Mapping[str, Any], kind: str, former: str, default: float) -> float:
    told = (config.get("rope_parameters") or {}).get(kind) or {}
    return float(told.get("rope_theta", config.get(former, default)))


def _problems(family: str, config: Mapping[str, Any]) -> Iterator[str]:
    """Values that our network cannot compute, each named."""
    for key in ("is_decoder", "add_cross_attention"):
        if config.get(key):
            yield f"{key} is true: only encoders are read"
    act = config.get("hidden_activation" if family == "modernbert" else "hidden_act", "gelu")
    if act not in ACTIVATIONS:
        yield f"activation {act!r} is not known here; known are {', '.join(ACTIVATIONS)}"
    kind = config.get("position_embedding_type", "absolute")
    known = ("absolute", "rotary") if family == "esm" else ("absolute",)
    if family != "modernbert" and kind not in known:
        yield f"position_embedding_type {kind!r} is not known here"
    if family == "esm" and config.get("is_folding_model"):
        yield "is_folding_model is true: only language models are read"
    if family == "modernbert":
        yield from _modern_problems(config)


def _modern_problems(config: Mapping[str, Any]) -> Iterator[str]:
    biases = {
        key: config.get(key, False) for key in ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias")
    }
    if len(set(biases.values())) > 1:
        told = ", ".join(f"{key} {value}" for key, value in biases.items())
        yield f"biases differ ({told}), and ours are all on or all off"
    if not config.get("decoder_bias", True):
        yield "decoder_bias is false, and ours has one"
    acts = {config.get("hidden_activation", "gelu"), config.get("classifier_activation", "gelu")}
    if len(acts) > 1:
        yield f"activations of layers and head differ: {', '.join(sorted(acts))}"
    layers = _layer_types(config)
    settings_every = next((i for i, kind in enumerate(layers) if i and kind == "full_attention"), len(layers))
    regular = ["sliding_attention" if i % settings_every else "full_attention" for i in range(len(layers))]
    if "sliding_attention" in layers and layers != regular:
        yield "layer_types are not global, then local, in one rhythm"
    for kind, told in (config.get("rope_parameters") or {}).items():
        if isinstance(told, Mapping) and told.get("rope_type", "default") != "default":
            yield f"rope_parameters.{kind} has rope_type {told['rope_type']!r}, which is not known here"
