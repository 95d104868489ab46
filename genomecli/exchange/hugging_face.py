"""Names and shapes of weights, here and in Hugging Face's ModernBertForMaskedLM and BertForMaskedLM.

``modern`` settings map to ModernBERT, ``classic`` ones to BERT, both ways without loss. Options that those
classes do not know (QK-norm, language embedding, an own mixer, ...) cannot be mapped and are refused.

Shapes: D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from genomecli.errors import ConfigError
from genomecli.models.presets import ARCHITECTURES
from genomecli.models.settings import ModelSettings

_MODERN = {
    "encoder.stem.tokens": "model.embeddings.tok_embeddings",
    "encoder.stem.norm": "model.embeddings.norm",
    "encoder.final_norm": "model.final_norm",
    "lm_head.dense": "head.dense",
    "lm_head.norm": "head.norm",
}
_MODERN_BLOCK = {
    "mixer_norm": "attn_norm",
    "mixer.qkv": "attn.Wqkv",
    "mixer.out": "attn.Wo",
    "feedforward_norm": "mlp_norm",
    "feedforward.into": "mlp.Wi",
    "feedforward.out": "mlp.Wo",
}
_CLASSIC = {
    "encoder.stem.tokens": "bert.embeddings.word_embeddings",
    "encoder.stem.positions": "bert.embeddings.position_embeddings",
    "encoder.stem.token_types": "bert.embeddings.token_type_embeddings",
    "encoder.stem.norm": "bert.embeddings.LayerNorm",
    "lm_head.dense": "cls.predictions.transform.dense",
    "lm_head.norm": "cls.predictions.transform.LayerNorm",
}
_CLASSIC_BLOCK = {
    "mixer_norm": "attention.output.LayerNorm",
    "mixer.out": "attention.output.dense",
    "feedforward_norm": "output.LayerNorm",
    "feedforward.into": "intermediate.dense",
    "feedforward.out": "output.dense",
}
_QKV = ("query", "key", "value")
_ACTIVATIONS = {"gelu": "gelu", "gelu_tanh": "gelu_pytorch_tanh", "relu": "relu", "silu": "silu"}


def hugging_face_config(settings: ModelSettings, vocabulary_size: int) -> dict[str, Any]:
    """Arguments of ModernBertConfig or BertConfig for the same model; padding is id 0.

    Raises:
        ConfigError: if the settings use an option that the class does not know, each named.
    """
    _refuse_extras(settings)
    common: dict[str, Any] = {
        "vocab_size": vocabulary_size,
        "hidden_size": settings.width,
        "intermediate_size": settings.intermediate,
        "num_hidden_layers": settings.layers,
        "num_attention_heads": settings.heads,
        "max_position_embeddings": settings.context,
        "initializer_range": settings.initializer_range,
        "tie_word_embeddings": settings.tied,
        "pad_token_id": 0,
    }
    act = _ACTIVATIONS[settings.activation]
    return common | (
        _modern_config(settings, act) if _is_modern(settings) else _classic_config(settings, act)
    )


def _modern_config(settings: ModelSettings, act: str) -> dict[str, Any]:
    local = settings.local_layers
    return {
        "hidden_activation": act,
        "classifier_activation": act,
        "norm_eps": settings.norm_eps,
        "norm_bias": settings.bias,
        "attention_bias": settings.bias,
        "mlp_bias": settings.bias,
        "classifier_bias": settings.bias,
        "local_attention": settings.local_window or 128,
        "layer_types": ["sliding_attention" if near else "full_attention" for near in local],
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": settings.rope_theta},
            "sliding_attention": {"rope_type": "default", "rope_theta": settings.rope_theta_local},
        },
        "embedding_dropout": settings.dropout,
        "mlp_dropout": settings.dropout,
        "attention_dropout": settings.attention_dropout,
        "bos_token_id": 2,
        "cls_token_id": 2,
        "eos_token_id": 3,
        "sep_token_id": 3,
    }


def _classic_config(settings: ModelSettings, act: str) -> dict[str, Any]:
    return {
        "hidden_act": act,
        "layer_norm_eps": settings.norm_eps,
        "type_vocab_size": settings.token_types,
        "hidden_dropout_prob": settings.dropout,
        "attention_probs_dropout_prob": settings.attention_dropout,
    }


def state_dict_to_hf(settings: ModelSettings, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a LanguageModel under the names of the ForMaskedLM class; further heads are left out.

    Args:
        settings: of the model.
        state: its ``state_dict``.

    Returns:
        All weights that the class saves, tied ones under each of their names, in the dtype that they have.
        Tensors are shared, not copied.

    Raises:
        ConfigError: if the settings use an option that the class does not know.
        KeyError: if a weight has no counterpart.
    """
    _refuse_extras(settings)
    out: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name.startswith("heads.") or name in ("lm_head.bias", "lm_head.weight"):
            continue
        if not _is_modern(settings) and ".mixer.qkv." in name:
            parts = tensor.chunk(3)
            out.update({_classic_qkv(name, part): x for part, x in zip(_QKV, parts, strict=True)})
        else:
            out[_to_hf(settings, name)] = tensor
    decoder = state["encoder.stem.tokens.weight"] if settings.tied else state["lm_head.weight"]
    prefix = "decoder" if _is_modern(settings) else "cls.predictions.decoder"
    out[f"{prefix}.weight"], out[f"{prefix}.bias"] = decoder, state["lm_head.bias"]
    if not _is_modern(settings):
        out["cls.predictions.bias"] = state["lm_head.bias"]
    return out


def state_dict_from_hf(settings: ModelSettings, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of :func:`state_dict_to_hf`; weights that our model does not have (a pooler) are left out.

    Args:
        settings: of the model to fill.
        state: of ModernBertForMaskedLM or BertForMaskedLM.

    Returns:
        The ``state_dict`` of a LanguageModel of these settings, in the dtype of ``state``. Tensors are
        shared, but BERT's query, key and value are joined into a new one, [3 D, D].

    Raises:
        ConfigError: if the settings use an option that the class does not know.
        KeyError: if a weight is missing in ``state``.
    """
    _refuse_extras(settings)
    modern = _is_modern(settings)
    prefix = "decoder" if modern else "cls.predictions.decoder"
    out = {"lm_head.bias": state[f"{prefix}.bias" if modern else "cls.predictions.bias"]}
    if not settings.tied:
        out["lm_head.weight"] = state[f"{prefix}.weight"]
    for name in _matrix_names(settings):
        if not modern and ".mixer.qkv." in name:
            out[name] = torch.cat([state[_classic_qkv(name, part)] for part in _QKV])
        else:
            out[name] = state[_to_hf(settings, name)]
    return out


def _matrix_names(settings: ModelSettings) -> list[str]:
    """Our names of all weights but those of the output layer."""
    table, block = (_MODERN, _MODERN_BLOCK) if _is_modern(settings) else (_CLASSIC, _CLASSIC_BLOCK)
    inner = list(dict.fromkeys([*block, "mixer.qkv"]))
    modules = list(table) + [f"encoder.blocks.{i}.{name}" for i in range(settings.layers) for name in inner]
    if _is_modern(settings):
        modules.remove("encoder.blocks.0.mixer_norm")
    names = [f"{module}.weight" for module in modules]
    if settings.bias:
        tables = ("stem.tokens", "stem.positions", "stem.token_types")
        names += [f"{module}.bias" for module in modules if not module.endswith(tables)]
    return names


def _to_hf(settings: ModelSettings, name: str) -> str:
    module, leaf = name.rsplit(".", 1)
    if not module.startswith("encoder.blocks."):
        return f"{(_MODERN if _is_modern(settings) else _CLASSIC)[module]}.{leaf}"
    _, _, index, inner = module.split(".", 3)
    if _is_modern(settings):
        return f"model.layers.{index}.{_MODERN_BLOCK[inner]}.{leaf}"
    return f"bert.encoder.layer.{index}.{_CLASSIC_BLOCK[inner]}.{leaf}"


def _classic_qkv(name: str, part: str) -> str:
    _, _, index, _, _, leaf = name.split(".")
    return f"bert.encoder.layer.{index}.attention.self.{part}.{leaf}"


def _is_modern(settings: ModelSettings) -> bool:
    return settings.architecture == "modern"


def _refuse_extras(settings: ModelSettings) -> None:
    """Raise if the model is not exactly one of the two classes."""
    family = ARCHITECTURES[settings.architecture]
    fixed = {"stem": "token", "mixer": "attention", "qk_norm": False, "language_embedding": False}
    fixed |= {"stem_norm": True, "mask_scaling": False, "first_norm": False, "closing_token": True}
    fixed |= {name: family[name] for name in ("positions", "feedforward", "norm", "token_types")}
    if settings.architecture == "classic":
        fixed |= {"bias": True, "token_types": settings.token_types or 2}
        fixed |= {} if not any(settings.local_layers) else {"global_every": 1}
    wrong = {name: value for name, value in fixed.items() if getattr(settings, name) != value}
    if wrong:
        needs = [f"model.{name} must be {value!r} for Hugging Face" for name, value in wrong.items()]
        raise ConfigError(needs, where="export")
