"""A trained network as a folder that Hugging Face's ``transformers`` opens without code of ours.

``config.json`` and ``model.safetensors`` hold a ModernBERT or a BERT, ``tokenizer.json`` and its two
companions the tokenizer. Everything is written as plain JSON and safetensors; their library is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.vocabulary import Block
from genomecli.errors import ConfigError
from genomecli.exchange.hugging_face import hugging_face_config, state_dict_to_hf
from genomecli.exchange.hugging_face_heads import check_task, class_name, task_config, task_state
from genomecli.exchange.hugging_face_tokenizer import special_tokens, tokenizer_config, tokenizer_json
from genomecli.exchange.hugging_face_vocabulary import NOTES
from genomecli.files import write_json, write_tensors
from genomecli.models.settings import ModelSettings
from genomecli.training.checkpoint import WEIGHTS
from genomecli.training.task_spec import TaskSpec

_MODEL_TYPE = {"modern": "modernbert", "classic": "bert"}


@dataclass(frozen=True)
class Exported:
    """What is written out.

    Args:
        settings: of the network.
        lexicon: what its ids mean.
        state: its weights, low-rank updates merged.
        block: whose words the tokenizer reads.
        spec: what a tuned network predicts; None for a pretrained one.
        language: of the texts, for a network that adds a vector of it; None where that is not said.
    """

    settings: ModelSettings
    lexicon: Lexicon
    state: Mapping[str, Tensor]
    block: Block
    spec: TaskSpec | None = None
    language: int | None = None

    @property
    def class_name(self) -> str:
        """The class of ``transformers`` that holds it."""
        return class_name(self.settings, self.spec)


def config_json(model: Exported) -> dict[str, Any]:
    """What ``config.json`` holds.

    Raises:
        ConfigError: naming each option of the network, and each part of its head, that the class cannot hold.
    """
    size = model.lexicon.vocabulary.size
    problems: list[str] = []
    config: dict[str, Any] = {}
    try:
        config = hugging_face_config(model.settings, size)
    except ConfigError as error:
        problems += error.problems
    if model.spec is not None:
        try:
            check_task(model.settings, model.spec, model.lexicon)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems, where="export")
    if model.spec is not None:
        config = task_config(model.settings, size, model.spec)
    known = {"model_type": _MODEL_TYPE[model.settings.architecture], "architectures": [model.class_name]}
    return {**config, **known, "dtype": "float32", **_former_names(model.settings)}


def _former_names(settings: ModelSettings) -> dict[str, Any]:
    """What versions 4 of ``transformers`` call the attention of ModernBERT; later ones read both."""
    if settings.architecture != "modern":
        return {}
    return {
        "global_attn_every_n_layers": settings.global_every if any(settings.local_layers) else 1,
        "global_rope_theta": settings.rope_theta,
        "local_rope_theta": settings.rope_theta_local,
    }


def weights(model: Exported) -> dict[str, Tensor]:
    """Tensors under the names of the class, each once: tied ones are tied again when it is opened.

    They keep the dtype that they have in ``model.state``.

    Raises:
        ConfigError: if the settings use an option that the class does not know.
        KeyError: if a weight has no counterpart.
    """
    if model.spec is not None:
        return task_state(model.settings, model.state, model.spec)
    out = state_dict_to_hf(model.settings, model.state)
    if model.settings.tied:
        for name in ("decoder.weight", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias"):
            out.pop(name, None)
    return out


def write_tokenizer(model: Exported, folder: Path) -> None:
    """Write the three files of the tokenizer."""
    write_json(folder / "tokenizer.json", tokenizer_json(model.lexicon, model.block))
    config = tokenizer_config(model.settings.context, token_types=model.settings.token_types > 0)
    write_json(folder / "tokenizer_config.json", config)
    write_json(folder / "special_tokens_map.json", special_tokens())


def write_hugging_face(model: Exported, folder: Path) -> None:
    """Write config, weights and tokenizer into ``folder``.

    Raises:
        ConfigError: as :func:`config_json`, before anything is written.
    """
    config = config_json(model)
    write_tokenizer(model, folder)
    write_json(folder / NOTES, {"lexicon": model.lexicon.to_dict()})  # for opening it here again
    write_json(folder / "config.json", config)
    tensors = {
        name: value.detach().cpu().float().contiguous().clone() for name, value in weights(model).items()
    }
    write_tensors(folder / WEIGHTS, tensors, {"format": "pt"})
