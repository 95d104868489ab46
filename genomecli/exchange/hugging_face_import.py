"""A folder of Hugging Face's as a checkpoint of ours: BERT, RoBERTa, ModernBERT, ESM, Nucleotide
Transformer v1.

Settings, words and weights are translated; the numbers that the network computes stay the same. Weights are
read from safetensors alone. A RoBERTa is a BERT whose positions are counted from another row on. An ESM-2 is
our ``modern`` with plain feed-forward layers, one window, a first norm in the first block and scaled tokens.
Nucleotide Transformer v1 is an ESM with learned positions whose texts have no closing token.

Shapes: D width, V vocabulary.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from genomecli.corpus.lexicon import Lexicon
from genomecli.errors import InputError, refusing
from genomecli.exchange.hugging_face import state_dict_from_hf
from genomecli.exchange.hugging_face_config import offset, read_settings
from genomecli.exchange.hugging_face_vocabulary import NOTES, Words, read_words
from genomecli.files import make_parent, read_json, sha256_file
from genomecli.models.language_model import LanguageModel
from genomecli.models.settings import ModelSettings
from genomecli.training.checkpoint import FOLDER, WEIGHTS, Checkpoint, Identity, save_checkpoint
from genomecli.training.plan import Progress
from genomecli.training.state_files import read_tensors

VERSION = 3
"""Of the translation: checkpoints that another version made are made again."""

INDEX = f"{WEIGHTS}.index.json"
_VOCABULARY_ROWS = ("encoder.stem.tokens.weight", "lm_head.weight", "lm_head.bias")
_ESM_BLOCK = {
    "mixer_norm": "attention.LayerNorm",
    "mixer.out": "attention.output.dense",
    "feedforward_norm": "LayerNorm",
    "feedforward.into": "intermediate.dense",
    "feedforward.out": "output.dense",
}


@dataclass(frozen=True)
class Imported:
    """A foreign network in our terms.

    Args:
        settings: of the network.
        lexicon: what its ids mean from now on.
        state: weights of a ``LanguageModel``.
        alphabet: what it was trained on; empty where our own notes say nothing.
        fills_in: whether it has a head that fills in hidden tokens.
        family: ``model_type``.
        absent: words of the lexicon that it does not have: their rows are those of its unknown word.
    """

    settings: ModelSettings
    lexicon: Lexicon
    state: Mapping[str, Tensor]
    alphabet: str
    fills_in: bool
    family: str
    absent: tuple[str, ...] = ()


def is_foreign(path: Path) -> bool:
    """Whether a folder is one of Hugging Face's and none of ours."""
    config = path / "config.json"
    if (path / "lexicon.json").exists() or (path / "checkpoints").exists() or not config.is_file():
        return False
    told = read_json(config)
    return isinstance(told, dict) and "model_type" in told


def read_hugging_face(folder: Path) -> Imported:
    """Translate a folder.

    Raises:
        InputError: if it holds no safetensors, no such vocabulary, or weights of other names or shapes.
        ConfigError: naming each value that our network cannot compute.
    """
    config = read_json(folder / "config.json")
    settings = read_settings(config, folder / "config.json")
    words = read_words(folder)
    if not words.closing:
        # Our texts end with a closing token all the same, which stands after the last position there.
        settings = settings.model_copy(update={"closing_token": False, "context": settings.context + 1})
    given = _tensors(folder)
    family = config["model_type"]
    try:
        state, fills_in = _translated(family, config, settings, given)
    except KeyError as error:
        raise InputError(f"holds no weight {error.args[0]}", where=folder) from None
    state = _rows(state, words, folder)
    _check(settings, words.lexicon, state, folder)
    return Imported(settings, words.lexicon, state, words.alphabet, fills_in, family, words.absent)


def _tensors(folder: Path) -> dict[str, Tensor]:
    if (folder / WEIGHTS).is_file():
        return _as_float(read_tensors(folder / WEIGHTS))
    if (folder / INDEX).is_file():
        with refusing("is no index of weights", where=folder / INDEX):
            names = sorted({str(name) for name in read_json(folder / INDEX)["weight_map"].values()})
        found: dict[str, Tensor] = {}
        for name in names:
            if Path(name).name != name:
                raise InputError("names a file outside its folder", where=folder / INDEX)
            found |= read_tensors(folder / name)
        return _as_float(found)
    if any(folder.glob("*.bin")):
        what = "holds its weights as a pickle, which can run code when it is read"
        fix = (
            'if you trust it, convert it: python -c "from transformers import AutoModelForMaskedLM as M, '
            f"AutoTokenizer as T; [C.from_pretrained('{folder}').save_pretrained('{folder}-safe') "
            'for C in (M, T)]"'
        )
        raise InputError(what, where=folder, fix=fix)
    raise InputError(f"holds no {WEIGHTS}", where=folder)


def _as_float(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Numbers in float32, and norms by their names of today."""
    return {
        name.replace("Norm.gamma", "Norm.weight").replace("Norm.beta", "Norm.bias"): value.float()
        for name, value in tensors.items()
    }


def _translated(
    family: str, config: Mapping[str, Any], settings: ModelSettings, given: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], bool]:
    """Weights under our names, rows of the vocabulary as they were; and whether a head came with them."""
    prefix = {"bert": "bert.", "roberta": "roberta.", "esm": "esm.", "modernbert": "model."}[family]
    if not any(name.startswith(prefix) for name in given):  # saved without a head
        given = {f"{prefix}{name}": value for name, value in given.items()}
    if family == "roberta":
        given = _as_bert(given, offset(config))
    heads = {"bert": "cls.predictions.transform.dense.weight", "modernbert": "head.dense.weight"}
    head = heads.get("bert" if family == "roberta" else family, "lm_head.dense.weight")
    fills_in = head in given and (family != "modernbert" or "decoder.bias" in given)
    if family == "esm":
        return _from_esm(settings, given, offset(config), fills_in=fills_in), fills_in
    if not fills_in:
        given = {**given, **_blank_head(settings, given)}
    given = _with_tied(settings, given)
    return state_dict_from_hf(settings, given), fills_in


def _as_bert(given: Mapping[str, Tensor], skipped: int) -> dict[str, Tensor]:
    """A RoBERTa under BERT's names, its positions from the first that is used."""
    renamed = {
        "roberta.": "bert.",
        "lm_head.dense.": "cls.predictions.transform.dense.",
        "lm_head.layer_norm.": "cls.predictions.transform.LayerNorm.",
        "lm_head.decoder.": "cls.predictions.decoder.",
        "lm_head.bias": "cls.predictions.bias",
    }
    out = {}
    for name, value in given.items():
        old = next((start for start in renamed if name.startswith(start)), "")
        out[renamed.get(old, "") + name.removeprefix(old)] = value
    positions = "bert.embeddings.position_embeddings.weight"
    return {**out, positions: out[positions][skipped:]}


def _with_tied(settings: ModelSettings, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the bias of the scores under the one name that we read: an untied layer has its own."""
    own = "cls.predictions.decoder.bias"
    missing = "cls.predictions.bias" not in given
    if settings.architecture == "classic" and (missing or (not settings.tied and own in given)):
        return {**given, "cls.predictions.bias": given[own]}
    return dict(given)


def _blank_head(settings: ModelSettings, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Zeros for a head that was not saved; nothing reads them."""
    modern, width = settings.architecture == "modern", settings.width
    table = "model.embeddings.tok_embeddings" if modern else "bert.embeddings.word_embeddings"
    dense = "head.dense" if modern else "cls.predictions.transform.dense"
    norm = "head.norm" if modern else "cls.predictions.transform.LayerNorm"
    decoder = "decoder" if modern else "cls.predictions.decoder"
    rows = len(given[f"{table}.weight"])
    out = {f"{dense}.weight": torch.zeros(width, width), f"{norm}.weight": torch.ones(width)}
    out |= {f"{dense}.bias": torch.zeros(width), f"{norm}.bias": torch.zeros(width)} if settings.bias else {}
    out |= {f"{decoder}.weight": torch.zeros(rows, width), f"{decoder}.bias": torch.zeros(rows)}
    return out | ({} if modern else {"cls.predictions.bias": torch.zeros(rows)})


def _from_esm(
    settings: ModelSettings, given: Mapping[str, Tensor], skipped: int, *, fills_in: bool
) -> dict[str, Tensor]:
    width, table = settings.width, given["esm.embeddings.word_embeddings.weight"]
    out = {"encoder.stem.tokens.weight": table}
    pairs = {"encoder.final_norm": "esm.encoder.emb_layer_norm_after"}
    if settings.positions == "learned":
        rows = given["esm.embeddings.position_embeddings.weight"][skipped:]
        beyond = torch.zeros(0 if settings.closing_token else 1, width)
        out["encoder.stem.positions.weight"] = torch.cat([rows, beyond])
    if settings.stem_norm:
        pairs["encoder.stem.norm"] = "esm.embeddings.layer_norm"
    for layer in range(settings.layers):
        there, here = f"esm.encoder.layer.{layer}", f"encoder.blocks.{layer}"
        pairs |= {f"{here}.{ours}": f"{there}.{theirs}" for ours, theirs in _ESM_BLOCK.items()}
        for leaf in ("weight", "bias"):
            parts = [given[f"{there}.attention.self.{one}.{leaf}"] for one in ("query", "key", "value")]
            out[f"{here}.mixer.qkv.{leaf}"] = torch.cat(parts)
    if fills_in:
        pairs |= {"lm_head.dense": "lm_head.dense", "lm_head.norm": "lm_head.layer_norm"}
        out["lm_head.bias"] = given["lm_head.bias"]
    else:
        out |= {"lm_head.dense.weight": torch.zeros(width, width), "lm_head.dense.bias": torch.zeros(width)}
        out |= {"lm_head.norm.weight": torch.ones(width), "lm_head.norm.bias": torch.zeros(width)}
        out["lm_head.bias"] = torch.zeros(len(table))
    if not settings.tied:
        out["lm_head.weight"] = given["lm_head.decoder.weight"] if fills_in else torch.zeros_like(table)
    for ours, theirs in pairs.items():
        out |= {f"{ours}.{leaf}": given[f"{theirs}.{leaf}"] for leaf in ("weight", "bias")}
    return out


def _rows(state: Mapping[str, Tensor], words: Words, folder: Path) -> dict[str, Tensor]:
    """The rows of our words, in our order."""
    index = torch.tensor(words.rows)
    held = min(len(state[name]) for name in _VOCABULARY_ROWS if name in state)
    beyond = index[(index < 0) | (index >= held)]
    if len(beyond):
        what = f"its vocabulary names id {int(beyond[0])}, and its weights have {held} rows"
        raise InputError(what, where=folder)
    return {name: value[index] if name in _VOCABULARY_ROWS else value for name, value in state.items()}


def _check(settings: ModelSettings, lexicon: Lexicon, state: Mapping[str, Tensor], folder: Path) -> None:
    """Raise InputError where a weight is missing or of another shape."""
    with torch.device("meta"):
        network = LanguageModel(settings, lexicon.vocabulary.size, len(lexicon.languages))
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    for name, shape in wanted.items():
        given = tuple(state[name].shape) if name in state else None
        if given != shape:
            told = "is missing" if given is None else f"has shape {given}, not {shape}"
            raise InputError(f"its weight for {name} {told}", where=folder)


def imported(folder: Path, cache: Path) -> Path:
    """A run folder of ours with the network of a foreign folder, made in ``cache`` unless it is there.

    Args:
        folder: of Hugging Face's.
        cache: where translated networks are kept; one that changes is translated again.

    Raises:
        InputError, ConfigError: as :func:`read_hugging_face`.
    """
    place = cache / "models" / _digest(folder) / (folder.resolve().name or "model")
    if (place / FOLDER / "best.json").is_file():
        return place
    network = read_hugging_face(folder)
    make_parent(place)
    with TemporaryDirectory(dir=place.parent, prefix=".partial-") as made:
        save_checkpoint(Path(made) / place.name, _checkpoint(network), best=True)
        try:
            os.rename(Path(made) / place.name, place)
        except OSError:  # another process was faster
            if not (place / FOLDER / "best.json").is_file():
                raise
    return place


def _checkpoint(network: Imported) -> Checkpoint:
    molecules = {"dna": ["genome", "cds"], "protein": ["protein"]}.get(network.alphabet, [])
    identity = Identity(network.settings.model_dump(mode="json"), "imported", 0, 0, 1, "fp32", "cpu")
    config = {
        "imported": {
            "family": network.family,
            "alphabet": network.alphabet,
            "absent": list(network.absent),
        },
        "pretrain": {
            "reading": {"molecules": molecules} if molecules else {},
            "objectives": {"mlm": {} if not network.fills_in else {"imported": True}},
        },
    }
    return Checkpoint(Progress(0), identity, network.lexicon, config, network.state)


def _digest(folder: Path) -> str:
    """What a translation depends on, as hex: the files that are read, and this code's version."""
    names = ["config.json", NOTES, "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
    names += ["vocab.txt", "vocab.json", INDEX]
    found = [folder / name for name in names] + sorted(folder.glob("*.safetensors"))
    told = [(path.name, sha256_file(path)) for path in found if path.is_file()]
    return hashlib.sha256(repr((VERSION, told)).encode()).hexdigest()[:16]
