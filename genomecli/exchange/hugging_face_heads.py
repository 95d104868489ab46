"""Tuned networks as Hugging Face's classes for sequence and token classification, where they compute alike.

ModernBertForSequenceClassification reads [CLS], then dense, GELU, LayerNorm, linear; its class for tokens has
the same layers at each token. BertForSequenceClassification reads [CLS], then dense, tanh, linear; its class
for tokens has the linear layer alone. Heads with ``head.style: hugging-face`` are these. Whatever else a head
has is refused by name.

Shapes: D width, C outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from genomecli.corpus.lexicon import Lexicon
from genomecli.errors import ConfigError
from genomecli.exchange.hugging_face import hugging_face_config, state_dict_to_hf
from genomecli.models.settings import ModelSettings
from genomecli.models.task_heads import head_name
from genomecli.tasks.schema import Target
from genomecli.training.task_spec import TaskSpec

NORM_EPS = 1e-5
"""Epsilon of the LayerNorm in a modern head; Hugging Face's class has that of the whole network."""

_CLASS = {"modern": "ModernBert", "classic": "Bert"}
_PROBLEM = {
    "class": "single_label_classification",
    "multilabel": "multi_label_classification",
    "regression": "regression",
}


def class_name(settings: ModelSettings, spec: TaskSpec | None) -> str:
    """The class of Hugging Face's that holds a network; of a tuned one, its first target's."""
    if spec is None:
        return f"{_CLASS[settings.architecture]}ForMaskedLM"
    what = "Token" if spec.targets[0].per_symbol else "Sequence"
    return f"{_CLASS[settings.architecture]}For{what}Classification"


def check_task(settings: ModelSettings, spec: TaskSpec, lexicon: Lexicon) -> None:
    """Refuse a tuned network that those classes cannot hold. Raises ConfigError with every reason."""
    problems = list(_problems(settings, spec, lexicon))
    if problems:
        raise ConfigError(problems, where="export")


def _problems(settings: ModelSettings, spec: TaskSpec, lexicon: Lexicon) -> Iterator[str]:
    target, head = spec.targets[0], spec.head
    if len(spec.targets) > 1:
        names = ", ".join(one.name for one in spec.targets)
        yield f"targets {names}: Hugging Face's classes hold one target"
    if spec.pair is not None:
        yield "second sequences (data.pair) are read by none of Hugging Face's classes"
    if spec.covariates is not None:
        yield "covariates (data.covariates) are read by none of Hugging Face's classes"
    if head.hidden:
        yield f"head.hidden must be 0 for Hugging Face, not {head.hidden}"
    if target.log:
        yield f"targets.{target.name}.log must be false for Hugging Face: its classes know no logarithm"
    plain_tokens = settings.architecture == "classic" and target.per_symbol
    if head.style == "plain" and not plain_tokens:
        yield "head.style must be hugging-face, whose layers those classes have"
    if not target.per_symbol and head.pooling != "cls":
        why = "its means count [CLS] and [SEP]"
        yield f"head.pooling must be cls for Hugging Face, not {head.pooling}: {why}"
    if head.style == "modern" and settings.norm_eps != NORM_EPS:
        yield f"model.norm_eps must be {NORM_EPS:g} for Hugging Face, not {settings.norm_eps:g}"
    tokenizer = lexicon.tokenizer(spec.reading.species, spec.reading.molecule)
    if target.per_symbol and tokenizer.k > 1:
        what = f"labels of single letters need tokens of one letter for Hugging Face, not of {tokenizer.k}"
        yield f"targets.{target.name}: {what}"


def task_config(settings: ModelSettings, vocabulary_size: int, spec: TaskSpec) -> dict[str, Any]:
    """Arguments of the config of a tuned network, its labels named.

    Raises:
        ConfigError: if the settings use an option that the class does not know.
    """
    target = spec.targets[0]
    config = hugging_face_config(settings, vocabulary_size)
    config["id2label"] = {str(number): name for number, name in enumerate(target.classes)}
    config["label2id"] = {name: number for number, name in enumerate(target.classes)}
    config["classifier_dropout"] = spec.head.dropout
    if not target.per_symbol:
        config["problem_type"] = _PROBLEM[target.form]
    if settings.architecture == "modern":
        config |= {"classifier_pooling": "cls", "classifier_bias": False, "classifier_activation": "gelu"}
    return config


def task_state(settings: ModelSettings, state: Mapping[str, Tensor], spec: TaskSpec) -> dict[str, Tensor]:
    """Weights under the names of the class; measured values come out in the table's units.

    Args:
        settings: of the network.
        state: its ``state_dict``, heads included.
        spec: what it predicts, checked by :func:`check_task`.

    Returns:
        Body, pooler and last layer, ``classifier.weight`` [C, D] and ``classifier.bias`` [C], in the dtype
        that the weights have.
    """
    body = ("model.",) if settings.architecture == "modern" else ("bert.",)
    out = {name: value for name, value in state_dict_to_hf(settings, state).items() if name.startswith(body)}
    target = spec.targets[0]
    prefix = f"heads.{head_name(target.name)}.scorer"
    if spec.head.style == "modern":
        out["head.dense.weight"] = state[f"{prefix}.family.dense.weight"]
        out["head.norm.weight"] = state[f"{prefix}.family.norm.weight"]
        if settings.bias:  # their norm has one then, and ours has none
            out["head.norm.bias"] = torch.zeros_like(out["head.norm.weight"])
    elif not target.per_symbol:
        for leaf in ("weight", "bias"):
            out[f"bert.pooler.dense.{leaf}"] = state[f"{prefix}.family.dense.{leaf}"]
    weight, bias = _in_units(target, state[f"{prefix}.classifier.weight"], state[f"{prefix}.classifier.bias"])
    return out | {"classifier.weight": weight, "classifier.bias": bias}


def _in_units(target: Target, weight_CD: Tensor, bias_C: Tensor) -> tuple[Tensor, Tensor]:
    """The last layer of a network that learned standardised values, so that it says them in their units."""
    if target.form != "regression":
        return weight_CD, bias_C
    scales, means = (torch.tensor(values, dtype=torch.float64) for values in (target.scales, target.means))
    weight = weight_CD.double() * scales[:, None]
    return weight.to(weight_CD.dtype), (bias_C.double() * scales + means).to(bias_C.dtype)
