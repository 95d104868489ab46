"""A tuned model as it is opened for use: network with heads, lexicon, and what it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomecli.corpus.lexicon import Lexicon
from genomecli.errors import InputError
from genomecli.files import check_file, read_json, read_manifest
from genomecli.training.checkpoint import KIND, find_checkpoint, load_model
from genomecli.training.task_spec import DOCUMENT, TaskSpec

if TYPE_CHECKING:
    import torch

    from genomecli.models.language_model import LanguageModel


@dataclass(frozen=True)
class Tuned:
    """A network with heads.

    Args:
        model: with a head a target.
        lexicon: what its ids mean.
        spec: targets and reading.
        info: state of the checkpoint, as in ``LoadedModel``; empty during training.
    """

    model: LanguageModel
    lexicon: Lexicon
    spec: TaskSpec
    info: Mapping[str, Any] = field(default_factory=dict)


def is_tuned(path: Path | str, *, prefer: str = "best") -> bool:
    """Whether ``path`` holds a tuned checkpoint. Raises InputError if it holds none at all."""
    return (find_checkpoint(path, prefer=prefer) / f"{DOCUMENT}.json").is_file()


def load_tuned(path: Path | str, device: torch.device | str = "cpu", *, prefer: str = "best") -> Tuned:
    """Open a tuned model.

    Args:
        path: a run folder of ``finetune`` or one of its checkpoints.
        device: where to put the network.
        prefer: ``best`` or ``last``, which checkpoint of a run.

    Raises:
        InputError: if there is none, it is altered, or it predicts nothing.
    """
    folder = find_checkpoint(path, prefer=prefer)
    manifest, document = read_manifest(folder, KIND), folder / f"{DOCUMENT}.json"
    if document.name not in manifest["files"]:
        what = "is a pretrained checkpoint, which predicts nothing yet"
        raise InputError(what, where=folder, fix="run finetune on it, and give the folder that it makes")
    for name in manifest["files"]:
        if name.endswith(".json"):  # they say what the weights are, so they are checked before these
            check_file(folder, name, manifest["files"][name])
    spec = TaskSpec.from_dict(read_json(document), where=document)
    lexicon = Lexicon.from_dict(read_json(folder / "lexicon.json"), where=folder)
    width = int(read_json(folder / "state.json")["identity"]["model"]["width"])
    loaded = load_model(folder, device, heads=spec.heads(width, lexicon))
    return Tuned(loaded.model, lexicon, spec, loaded.info)
