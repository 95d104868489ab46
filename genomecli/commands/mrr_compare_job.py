"""What a comparison is made from: runs, machine, inputs by checksum; and whether it was made before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomecli.analysis.kept import changes, read_request
from genomecli.analysis.runs import OpenRun, earlier_checkpoints, expand_runs, frame_controls, open_run
from genomecli.analysis.settings import NEEDS_NO_SPACE
from genomecli.errors import UsageError
from genomecli.files import MANIFEST, parts_name, read_manifest, sha256_file, verify_manifest
from genomecli.runtime import pick_device
from genomecli.training.machine import settle

if TYPE_CHECKING:
    from genomecli.analysis.settings import CompareSettings, RunEntry
    from genomecli.config import Config

KIND = "comparison"


@dataclass(frozen=True)
class Machine:
    """Where the networks compute: type of the device, number format, CPU threads; plain values."""

    device: str
    precision: str
    threads: int


@dataclass(frozen=True, eq=False)
class Member:
    """One run of a comparison.

    Args:
        run: opened.
        entry: what the settings say of it.
        group: name that replicates share.
        control: it was trained on another frame and is a control of another run.
        earlier: other checkpoints that are measured, in order.
    """

    run: OpenRun
    entry: RunEntry
    group: str
    control: bool
    earlier: tuple[Path, ...]


def open_members(settings: CompareSettings, config: Config) -> list[Member]:
    """Open every run that is to be compared.

    Raises:
        InputError: if a run or corpus cannot be read.
        UsageError: if the device is not on this machine, or the similarities cannot compare two networks.
    """
    device = pick_device(config.device)
    entries = expand_runs(settings.runs)
    other = settings.proteins_of
    opened = [open_run(entry, name, settings.corpus, device, proteins_of=other) for entry, name, _ in entries]
    _check_similarities(settings, opened)
    controls = frame_controls(opened)
    members = []
    for run, (entry, _, group) in zip(opened, entries, strict=True):
        control = run.name in controls
        wanted = settings.checkpoints and not control
        earlier = tuple(earlier_checkpoints(run, settings.max_checkpoints)) if wanted else ()
        members.append(Member(run, entry, group, control, earlier))
    return members


def _check_similarities(settings: CompareSettings, runs: Sequence[OpenRun]) -> None:
    apart = [run.name for run in runs if run.apart]
    if apart and not set(settings.similarities) & set(NEEDS_NO_SPACE):
        named = ", ".join(settings.similarities)
        raise UsageError(
            f"codons and amino acids of {', '.join(apart)} are of two networks, which share no space, and "
            f"{named} wants one",
            fix="add procrustes or cka to mrr-compare.similarities",
        )


def inputs_of(members: Sequence[Member]) -> list[dict[str, Any]]:
    """Name and checksum of all that is read: weights, what each run noted of itself, and each corpus."""
    return [_input(member) for member in members]


def _input(member: Member) -> dict[str, Any]:
    run, checkpoint = member.run, Path(member.run.loaded.info["path"])
    metrics = run.path / "metrics.jsonl"
    other = Path(run.network("protein").loaded.info["path"]) if run.apart else None
    proteins = {"proteins_sha256": sha256_file(other / "model.safetensors")} if other else {}
    return {
        "run": run.name,
        "path": run.path.name,
        "checkpoint": checkpoint.name,
        "model_sha256": sha256_file(checkpoint / "model.safetensors"),
        "earlier_sha256": {path.name: sha256_file(path / "model.safetensors") for path in member.earlier},
        "metrics_sha256": sha256_file(metrics) if metrics.is_file() else None,
        "corpus": run.corpus.path.name,
        "corpus_manifest_sha256": sha256_file(run.corpus.path / MANIFEST),
        **proteins,
    }


def portable(values: Any) -> Any:
    """Settings without the folders of this machine: of a path only its name is kept."""
    if isinstance(values, dict):
        return {key: portable(value) for key, value in values.items()}
    if isinstance(values, list):
        return [portable(value) for value in values]
    if isinstance(values, str) and "/" in values:
        return Path(values).name
    return values


def request_of(config: Config, settings: CompareSettings, members: Sequence[Member]) -> dict[str, Any]:
    """What must be the same for a comparison to be the same, as the manifest has it."""
    asked = {"seed": config.seed, "mrr-compare": settings.model_dump(mode="json")}
    return {"config": portable(asked), "inputs": inputs_of(members)}


def is_finished(out: Path, request: dict[str, Any], *, force: bool) -> bool:
    """Whether ``out`` is the finished comparison of this request, and whole.

    Raises:
        UsageError: if another output stands there, and ``force`` is not given.
        InputError: if a file of it was altered.
    """
    if not (out / MANIFEST).is_file():
        return False
    manifest = read_manifest(out)
    made = {"config": manifest.get("config", {}), "inputs": manifest.get("inputs")}
    made["config"] = {key: made["config"].get(key) for key in request["config"]}
    if manifest["kind"] != KIND or (changed := changes(made, request)):
        if force:
            return False
        what = ", ".join(changed) if manifest["kind"] == KIND else "its kind"
        raise UsageError(
            f"exists, and was made from other settings or inputs ({what})",
            where=out,
            fix="give --force to replace it, or another --out",
        )
    verify_manifest(out)
    return True


def settle_machine(config: Config, out: Path, *, resume: bool) -> Machine:
    """Choose where to compute, and give torch its threads; parts that are taken up keep what they had.

    Raises:
        ConfigError: if a resumed comparison is to go on in another precision.
    """
    before = read_request(parts_name(out)).get("machine") if resume else None
    found = settle(
        config.device, config.precision, config.threads, None if before is None else Machine(**before)
    )
    return Machine(found.device.type, found.precision, found.threads)
