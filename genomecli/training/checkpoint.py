"""Checkpoints: safetensors and JSON, whole or absent, with all that is needed to go on and to use the model.

A run folder holds ``checkpoints/step-0001000/`` with ``model.safetensors``, ``optimizer.safetensors`` (or one
file a process of it, see :mod:`genomecli.training.state_files`), ``state.json``, ``config.json``,
``lexicon.json`` and, written last, ``manifest.json`` with their checksums. ``checkpoints/last.json`` and
``best.json`` name one of them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from genomecli.corpus.lexicon import Lexicon
from genomecli.errors import InputError, refusing
from genomecli.files import MANIFEST, check_file, read_json, read_manifest, write_json, write_tensors
from genomecli.models.settings import ModelSettings
from genomecli.output_folder import OutputFolder
from genomecli.training.lora import merged
from genomecli.training.plan import Progress
from genomecli.training.state_files import WHOLE, is_state_file, read_state, read_tensors

if TYPE_CHECKING:
    from genomecli.models.language_model import LanguageModel

KIND = "checkpoint"
FOLDER = "checkpoints"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Identity:
    """What a run is and must stay when it is resumed.

    Args:
        model: settings of the network, as plain values.
        corpus: fingerprint of the corpus.
        seed: of the run.
        steps: of the whole run.
        threads: CPU threads that it runs on; other threads add in another order, so bits would differ.
        precision: fp32, bf16 or fp16.
        device: type of the device.
        tokens_per_batch: padded tokens of a micro-batch; None where an earlier version did not write it.
        tokens_per_step: padded tokens of an optimiser step; likewise.
        processes: how many train together; others add in another order.
    """

    model: Mapping[str, Any]
    corpus: str
    seed: int
    steps: int
    threads: int
    precision: str
    device: str
    tokens_per_batch: int | None = None
    tokens_per_step: int | None = None
    processes: int = 1


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as it is written and read.

    Args:
        progress: how far the run is.
        identity: what the run is.
        lexicon: what the ids of the model mean.
        config: resolved settings of the run, plain values.
        model: tensors by name.
        optimiser: tensors by ``parameter/key``; empty if only the model was asked for, or if they lie aside.
        documents: further plain values, by the name of their JSON file.
        aside: folder of the files of the optimiser's state that processes wrote; moved when this is saved.
    """

    progress: Progress
    identity: Identity
    lexicon: Lexicon
    config: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Tensor] = field(default_factory=dict)
    optimiser: Mapping[str, Tensor] = field(default_factory=dict)
    documents: Mapping[str, Any] = field(default_factory=dict)
    aside: Path | None = None


@dataclass(frozen=True)
class LoadedModel:
    """A trained model, ready for use.

    Args:
        model: in evaluation mode, on its device.
        lexicon: what its ids mean.
        settings: of the network.
        step: optimiser steps that it was trained for.
        info: state of the checkpoint: ``path``, ``progress``, ``identity`` and ``heads`` that were left out.
    """

    model: LanguageModel
    lexicon: Lexicon
    settings: ModelSettings
    step: int
    info: Mapping[str, Any]


def step_name(step: int) -> str:
    """Name of the folder of a step."""
    return f"step-{step:07d}"


def save_checkpoint(
    run: Path, checkpoint: Checkpoint, *, best: bool = False, keep: int = 0, grid: int = 0
) -> Path:
    """Write a checkpoint of ``run``, point to it, and remove those that are no longer wanted.

    Args:
        run: the run folder.
        checkpoint: what to write.
        best: whether it is the best so far.
        keep: how many of the checkpoints on the grid to keep; 0 keeps all.
        grid: steps between regular checkpoints. Others (made for a signal, or once the best) live only as
            long as a pointer names them, so that an interrupted run ends with the same files as any other.

    Returns:
        The checkpoint's folder.
    """
    folder = run / FOLDER / step_name(checkpoint.progress.step)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with OutputFolder(folder, kind=KIND, force=True) as out:
        _write(out.path, checkpoint)
        out.finish({"step": checkpoint.progress.step, "lexicon": checkpoint.lexicon.fingerprint})
    if best:
        _point(run, "best", folder.name)
    _point(run, "last", folder.name)
    _prune(run, keep, grid, checkpoint.identity.steps)
    return folder


def _write(folder: Path, checkpoint: Checkpoint) -> None:
    files = {WEIGHTS: checkpoint.model, **({} if checkpoint.aside else {WHOLE: checkpoint.optimiser})}
    for name, tensors in files.items():
        write_tensors(folder / name, tensors)
    if checkpoint.aside is not None:
        for path in checkpoint.aside.iterdir():
            os.replace(path, folder / path.name)
        checkpoint.aside.rmdir()
    write_json(
        folder / "state.json",
        {"progress": asdict(checkpoint.progress), "identity": asdict(checkpoint.identity)},
    )
    write_json(folder / "config.json", checkpoint.config)
    write_json(folder / "lexicon.json", checkpoint.lexicon.to_dict())
    for name, values in checkpoint.documents.items():
        write_json(folder / f"{name}.json", values)


def _point(run: Path, name: str, target: str) -> None:
    write_json(run / FOLDER / f"{name}.json", {"checkpoint": target})


def pointed(run: Path, name: str) -> Path | None:
    """The checkpoint that ``last`` or ``best`` names in ``run``; None if there is none."""
    pointer = run / FOLDER / f"{name}.json"
    if not pointer.is_file():
        return None
    told = read_json(pointer)
    named = told.get("checkpoint") if isinstance(told, dict) else None
    if not isinstance(named, str) or Path(named).name != named or named[:1] in ("", "."):
        raise InputError("names no checkpoint", where=pointer, fix="give one of the folders beside it")
    folder = run / FOLDER / named
    return folder if folder.is_dir() else None


def _prune(run: Path, keep: int, grid: int, final: int) -> None:
    held = {path.name for name in ("last", "best") if (path := pointed(run, name)) is not None}
    found = sorted((run / FOLDER).glob("step-*"))
    regular = [p for p in found if _step(p) == final or (grid and _step(p) % grid == 0)]
    held |= {path.name for path in (regular[-keep:] if keep else regular)}
    for path in found:
        if path.name not in held:
            shutil.rmtree(path)


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))


def rewind(run: Path, progress: Progress) -> None:
    """Make ``run`` what it was when ``progress`` was saved: later checkpoints go, ``best`` is what it was."""
    for path in (run / FOLDER).glob("step-*"):
        if _step(path) > progress.step:
            shutil.rmtree(path)
    if progress.best_step is not None and (run / FOLDER / step_name(progress.best_step)).is_dir():
        _point(run, "best", step_name(progress.best_step))
    else:
        (run / FOLDER / "best.json").unlink(missing_ok=True)


def find_checkpoint(path: Path | str, *, prefer: str = "best") -> Path:
    """The checkpoint folder that ``path`` means.

    Args:
        path: a checkpoint folder or a run folder.
        prefer: ``best`` or ``last``, which one of a run; the other if that is absent.

    Raises:
        InputError: if there is none.
    """
    root = Path(path)
    if not root.exists():
        raise InputError("no such file or folder", where=root)
    if any((root / name).is_file() for name in (WEIGHTS, "lexicon.json")):
        return root
    for name in (prefer, "last" if prefer == "best" else "best"):
        _check_pointer(root, name)
        found = pointed(root, name)
        if found is not None:
            return found
    parts = [*root.glob("seed-*"), *root.glob("fold-*")] if root.is_dir() else []
    replicates = sorted(part.name for part in parts if (part / FOLDER).is_dir())
    if replicates:
        fix = f"give one of {', '.join(str(root / name) for name in replicates[:3])}"
        what = "holds several runs" if len(replicates) > 1 else f"holds its run in {replicates[0]}"
        raise InputError(what, where=root, fix=fix)
    raise InputError("holds no checkpoint", where=root, fix="give a run folder of pretrain or finetune")


def _check_pointer(run: Path, name: str) -> None:
    """Make sure that ``last`` or ``best`` of a run is not lost, so that no other checkpoint is taken for it.

    Raises:
        InputError: if the file is missing or altered in a finished run, or names a folder that is not there.
    """
    pointer = Path(FOLDER, f"{name}.json")
    if (run / FOLDER).is_dir() and (run / MANIFEST).is_file():
        files = read_manifest(run)["files"]
        if pointer.as_posix() in files:
            check_file(run, pointer.as_posix(), files[pointer.as_posix()])
    if (run / pointer).is_file() and pointed(run, name) is None:
        what = f"names {read_json(run / pointer)['checkpoint']}, which is not there"
        raise InputError(what, where=run / pointer, fix="restore it from a copy, or name another checkpoint")


def load_checkpoint(path: Path | str, *, prefer: str = "best", optimiser: bool = True) -> Checkpoint:
    """Read a checkpoint and check it against its manifest.

    Args:
        path: a run folder or a checkpoint folder.
        prefer: which checkpoint of a run.
        optimiser: also read the optimiser's state.

    Raises:
        InputError: if it is absent, altered, or of another format version or alphabet.
    """
    folder = find_checkpoint(path, prefer=prefer)
    manifest = read_manifest(folder, KIND)
    wanted = [name for name in manifest["files"] if optimiser or not is_state_file(name)]
    for name in wanted:
        check_file(folder, name, manifest["files"][name])
    progress, identity = _state(folder / "state.json")
    return Checkpoint(
        progress=progress,
        identity=identity,
        lexicon=Lexicon.from_dict(read_json(folder / "lexicon.json"), where=folder),
        config=read_json(folder / "config.json"),
        model=read_tensors(folder / WEIGHTS),
        optimiser=read_state(folder, wanted) if optimiser else {},
        documents={name[:-5]: read_json(folder / name) for name in wanted if _is_document(name)},
    )


def _state(path: Path) -> tuple[Progress, Identity]:
    """How far the run is and what it is. Raises InputError for a file that does not say so."""
    state = read_json(path)
    with refusing("is no state of a checkpoint", where=path):
        told = dict(state["progress"])
        window = {name: (pair[0], pair[1]) for name, pair in told.pop("window").items()}
        progress, identity = Progress(**told, window=window), Identity(**state["identity"])
        counts = (progress.step, progress.tokens, identity.seed, identity.steps, identity.threads)
        if not all(type(count) is int for count in counts) or not isinstance(identity.model, dict):
            raise ValueError("its counts are no whole numbers")
        return progress, identity


def _is_document(name: str) -> bool:
    return name.endswith(".json") and name not in ("state.json", "config.json", "lexicon.json")


def load_model(
    path: Path | str,
    device: torch.device | str = "cpu",
    *,
    heads: Mapping[str, nn.Module] | None = None,
    prefer: str = "best",
) -> LoadedModel:
    """Open a trained model.

    Args:
        path: a run folder (its best checkpoint, otherwise its last) or a checkpoint folder.
        device: where to put it.
        heads: empty heads to fill by name; the weights of others are left out.
        prefer: which checkpoint of a run.

    Raises:
        InputError: as :func:`load_checkpoint`, or if a tensor is missing.
    """
    from genomecli.models.language_model import build_model

    folder = find_checkpoint(path, prefer=prefer)
    checkpoint = load_checkpoint(folder, optimiser=False)
    lexicon = checkpoint.lexicon
    with refusing("its settings are those of no network", where=folder / "state.json"):
        settings = ModelSettings.model_validate(dict(checkpoint.identity.model))
        _check_size(settings, checkpoint.model)
        model = build_model(settings, lexicon.vocabulary.size, len(lexicon.languages), seed=0, heads=heads)
    left_out = fill_model(model, _plain_tensors(checkpoint), where=folder)
    model.to(device).eval()
    info = {
        "path": str(folder),
        "progress": asdict(checkpoint.progress),
        "identity": asdict(checkpoint.identity),
        "heads": left_out,
    }
    return LoadedModel(model, lexicon, settings, checkpoint.progress.step, info)


def _check_size(settings: ModelSettings, tensors: Mapping[str, Tensor]) -> None:
    """Raise ValueError where the settings tell of a network larger than the weights, before it is built."""
    held = sum(value.numel() for value in tensors.values())
    if settings.layers * settings.width**2 > held + 1024:
        told = f"{settings.layers} layers of width {settings.width}"
        raise ValueError(f"{told}, and the file holds {held:,} numbers")


def _plain_tensors(checkpoint: Checkpoint) -> Mapping[str, Tensor]:
    """The weights, low-rank updates added to them if there are any."""
    alpha = checkpoint.documents.get("tasks", {}).get("lora_alpha")
    return checkpoint.model if alpha is None else merged(checkpoint.model, alpha)


def fill_model(model: nn.Module, tensors: Mapping[str, Tensor], *, where: object) -> list[str]:
    """Put saved weights into ``model``; the names of heads that it does not have and that were left out.

    Raises:
        InputError: if a weight is missing, unknown or of another shape.
    """
    own = model.state_dict()
    heads = {name.split(".")[1] for name in tensors if name.startswith("heads.") and name not in own}
    given = {name: value for name, value in tensors.items() if name in own or name.split(".")[0] != "heads"}
    try:
        model.load_state_dict(given)
    except RuntimeError as error:
        what = " ".join(str(error).split())
        raise InputError(f"its weights are not those of this model: {what}", where=where) from None
    return sorted(heads)
