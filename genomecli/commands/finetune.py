"""``genomecli finetune``: check, split, train, compare, report. From a labelled table to judged predictions.

Seeds and folds are trials with a folder each below the run's; tables and the page are of all of them.

Of several processes each reads the data, all train each network together, and the first one writes.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomecli.commands.finetune_identity import check_alike, compare_run, plain_settings, resolved_settings
from genomecli.commands.foreign_models import with_native
from genomecli.commands.spared import spare_inputs
from genomecli.errors import ConfigError, UsageError
from genomecli.files import read_json, write_json, write_manifest
from genomecli.runtime import log, pick_device, run_info
from genomecli.signals import StopFlag, stopping
from genomecli.training.checkpoint import load_checkpoint, pointed
from genomecli.training.distributed import (
    agreed,
    grant_together,
    is_main,
    joined,
    started_together,
    starts_first,
    world_size,
)
from genomecli.training.loggers import check_loggers
from genomecli.training.machine import Machine, settle
from genomecli.training.replicates import folder_name, seeds_of
from genomecli.training.run_folder import INFO, KIND, NOT_COMPARED, SET_KIND, RunFolder, State

if TYPE_CHECKING:
    from genomecli.commands.finetune_data import FinetuneData
    from genomecli.commands.finetune_trial import Outcome, Trial
    from genomecli.config import Config
    from genomecli.tasks.splits import Split
    from genomecli.training.checkpoint import Identity
    from genomecli.training.finetune_settings import FinetuneSettings


@dataclass(frozen=True)
class Planned:
    """A trial to come: its name, the folder below the run's (empty for the run's own), split and seed."""

    name: str
    folder: str
    split: Split
    seed: int


def run_finetune(
    config: Config,
    out: Path,
    *,
    force: bool = False,
    resume: bool = False,
    check: bool = False,
    dry_run: bool = False,
    argv: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Tune a network on labelled sequences and judge it.

    Args:
        config: settings; section ``finetune``, seed, device, precision and threads.
        out: the run folder.
        force: replace a run that stands there.
        resume: go on with an unfinished run; a finished one of the same settings and inputs is left as it is.
        check: print what the data are on standard output, and stop; a body that is absent is not asked for
            where the settings say what the sequences are.
        dry_run: say what would be trained, and stop.
        argv: the command line, for ``run.json``; that of the process by default.

    Returns:
        What ``summary.json`` holds; empty after ``check`` or ``dry_run``, of which several processes that
        are started together leave the first to speak, and in those that do not write.

    Raises:
        InputError, ConfigError, UsageError: before anything is written.
        RunError: if training fails.
        CheckpointedError: after TERM, USR1 or ``max_minutes``, with a checkpoint saved.
        InterruptedRunError: after INT, with a checkpoint saved.
        SaidElsewhereError: in other processes than the one that has the error to tell.
    """
    call = _Call(force, resume, check, dry_run, argv, time.monotonic())
    alone = check or dry_run
    if alone and not starts_first():
        return {}
    with nullcontext() if alone or not started_together() else joined(pick_device(config.device)):
        return _finetune(config, out, call)


@dataclass(frozen=True)
class _Call:
    """How the command was called, and when (``time.monotonic()``)."""

    force: bool
    resume: bool
    check: bool
    dry_run: bool
    argv: Sequence[str] | None
    begun: float


def _finetune(config: Config, out: Path, call: _Call) -> dict[str, Any]:
    """The command in one process, or in each of those that are joined."""
    from genomecli.commands.finetune_body import body_stands
    from genomecli.commands.finetune_data import open_data
    from genomecli.commands.finetune_plan import show_plan
    from genomecli.tasks.kinds.registry import check_kinds
    from genomecli.training.tuning_job import check_share

    with agreed():
        config = with_native(config, "finetune")
        settings = config.finetune
        _check_seeds(settings)
        check_loggers(settings.loggers)
        check_kinds({name: target.kind for name, target in settings.targets.items()})
        _check_files(settings)
    # Reading and clustering take long: what cannot end well by its folder or settings is told before.
    state = "new" if call.check or call.dry_run else _look(config, out, call)
    with agreed():
        stands = body_stands(config, check=call.check)
    with agreed(), stopping("nothing is written yet: run it again", interrupt=True):
        data = open_data(settings, config.seed, bodiless=not stands)
        if call.check:
            print_check(data)
            return {}
    if state == "finished":
        return _left_as_it_is(config, data, out)
    plans = plan_trials(data, config.seed)
    with agreed():
        before = _begun(out, plans) if call.resume else None
        machine = settle(config.device, config.precision, config.threads, before)
        for plan in plans:
            check_share(settings, len(plan.split.train), machine.processes)
        if is_main():
            _announce(data, plans, machine)
    with StopFlag() as flag:
        if call.dry_run:
            show_plan(data, plans, machine, flag)
            return {}
        return _run(config, data, plans, out, machine, flag, call)


def _look(config: Config, out: Path, call: _Call) -> State:
    """What will become of the run's folder.

    Raises:
        UsageError: if it may not be taken, or holds a finished run of other settings.
        ConfigError: if it holds an unfinished one of other settings.
    """
    folder = RunFolder(out, resume=call.resume, force=call.force)
    with agreed():
        spare_inputs(out, [config.finetune.model, *config.finetune.data.path])
    state = folder.look()
    with agreed():
        if is_main() and state != "new":
            command = read_json(out / INFO).get("command")
            if command != "finetune":
                raise UsageError(f"is a run of {command}", where=out, fix="give another --out")
            compare_run(folder, state, plain_settings(config), {"inputs"})
    return state


def _left_as_it_is(config: Config, data: FinetuneData, out: Path) -> dict[str, Any]:
    """The summary of a finished run. Raises UsageError if it was made from other inputs."""
    with RunFolder(out, resume=True) as folder, agreed():
        compare_run(folder, "finished", resolved_settings(config, data))
        log.info("%s is finished: there is nothing to resume", out)
        return dict(read_json(out / "summary.json"))


def _check_seeds(settings: FinetuneSettings) -> None:
    seeds = settings.seeds
    if isinstance(seeds, tuple) and (not seeds or len(set(seeds)) < len(seeds)):
        raise ConfigError(["finetune.seeds: is empty or names one twice; name each seed once"])


def _check_files(settings: FinetuneSettings) -> None:
    """Raise UsageError where several processes are to read standard input, which one of them would take."""
    if world_size() > 1 and "-" in settings.data.path:
        fix = "write it to a file first"
        raise UsageError("finetune.data.path: several processes cannot read standard input", fix=fix)


def print_check(data: FinetuneData) -> None:
    """Say on standard output what the data are."""
    from genomecli.commands.finetune_body import NOT_CHECKED
    from genomecli.tasks.check import check_lines

    lines = check_lines(data.reading, data.fitted(data.splits[0]), data.splits, data.leaks)
    if data.bodiless:
        lines += ["", "Body", f"  {data.settings.model} is absent: {NOT_CHECKED}"]
    if data.earlier:
        lines += ["", "Tunings before this one", f"  on {data.earlier}"]
        lines += [f"  warning: {said}" for said in data.seen_warnings] or ["  no row of this split was seen"]
    sys.stdout.write("\n".join(lines) + "\n")


def plan_trials(data: FinetuneData, seed: int) -> list[Planned]:
    """One trial, or one a seed or a fold."""
    if len(data.splits) > 1:
        return [Planned(f"fold {n}", f"fold-{n}", split, seed) for n, split in enumerate(data.splits, 1)]
    split = data.splits[0]
    if data.settings.seeds is None:
        return [Planned("", "", split, seed)]
    return [
        Planned(f"seed {one}", folder_name(one), split, one) for one in seeds_of(data.settings.seeds, seed)
    ]


def _begun(out: Path, plans: Sequence[Planned]) -> Identity | None:
    """What an unfinished run began with; None if it has no checkpoint."""
    for plan in plans:
        if pointed(out / plan.folder, "last") is not None:
            return load_checkpoint(out / plan.folder, prefer="last", optimiser=False).identity
    return None


def _announce(data: FinetuneData, plans: Sequence[Planned], machine: Machine) -> None:
    from genomecli.commands.finetune_data import drop_counts
    from genomecli.tasks.check import rare_classes

    examples, split = data.reading.examples, data.splits[0]
    log.info("%d rows of %s", len(examples), data.column.molecule)
    for reason, (count, place) in drop_counts(data.reading).items():
        rows = "1 row" if count == 1 else f"{count} rows"
        log.warning("%s left out: %s; the first at %s", rows, reason, place)
    fitted = data.fitted(split)
    for note in (*data.reading.notes, *fitted.notes):
        log.info("%s", note)
    if data.earlier:
        log.info("the network was tuned before on %s", data.earlier)
    sides = ", ".join(f"{name} {len(rows)}" for name, rows in split.sides.items())
    log.info("%s %s%s", split.how, sides, f"; {len(plans)} trials" if len(plans) > 1 else "")
    from genomecli.tasks.leakage import over_folds

    rare = [
        sentence
        for name, target in fitted.targets.items()
        for sentence in rare_classes(target, fitted.examples.labels[name], data.splits)
    ]
    for sentence in (*rare, *over_folds(data.leaks).warnings(), *data.seen_warnings):
        log.warning("%s", sentence)
    log.info("on %s in %s with %d threads", machine.device, machine.precision, machine.threads)


def _run(
    config: Config,
    data: FinetuneData,
    plans: Sequence[Planned],
    out: Path,
    machine: Machine,
    flag: StopFlag,
    call: _Call,
) -> dict[str, Any]:
    from genomecli.commands.finetune_trial import Setting, Trial

    minutes = config.finetune.max_minutes
    deadline = math.inf if minutes is None else call.begun + 60 * minutes
    setting = Setting(data, machine, flag, deadline, call.resume)
    with RunFolder(out, resume=call.resume, force=call.force) as folder:
        with agreed():
            resolved = resolved_settings(config, data)
        check_alike(resolved)
        with agreed():
            if is_main() and folder.state == "resumed":
                compare_run(folder, "resumed", resolved)
        info = _info(config, data, machine, call.argv)
        folder.begin(resolved, info)
        try:
            trials, outcomes = [], []
            for plan in plans:
                path = out / plan.folder
                with agreed():
                    if is_main():
                        _make_place(path, plan, resolved)
                trials.append(Trial(setting, plan.split, plan.seed, path, plan.name))
                outcomes.append(trials[-1].run())
            grant_together(flag, "--resume goes on from there")
            with agreed():
                return _report(config, data, folder, trials, outcomes) if is_main() else {}
        finally:
            if is_main():
                write_json(out / INFO, {**info, "seconds": round(time.monotonic() - call.begun, 1)})


def _make_place(path: Path, plan: Planned, resolved: Mapping[str, Any]) -> None:
    """Make the folder of a trial."""
    path.mkdir(exist_ok=True)
    if plan.folder:
        write_json(path / "config.json", {**resolved, "seed": plan.seed, "trial": plan.name})


def _report(
    config: Config,
    data: FinetuneData,
    folder: RunFolder,
    trials: Sequence[Trial],
    outcomes: Sequence[Outcome],
) -> dict[str, Any]:
    """Judge, write and mark the run as finished; the summary."""
    from genomecli.commands.finetune_report import write_report

    out = folder.path
    log.info("judging the predictions")
    with stopping("--resume goes on from there", interrupt=True):
        summary = write_report(out, data, outcomes, [trial.path for trial in trials], config.seed)
    write_json(out / "summary.json", summary)
    _say(summary)
    _finish(folder, trials, data)
    log.info("wrote %s; open %s", out, out / "index.html")
    return summary


def _finish(folder: RunFolder, trials: Sequence[Trial], data: FinetuneData) -> None:
    """Remove what is no longer needed and mark the run, and each trial with a folder of its own."""
    for trial in trials:
        trial.clean()
        if trial.path != folder.path:
            extra = {"command": "finetune", "seed": trial.seed, "trial": trial.name}
            write_manifest(trial.path, KIND, extra, exclude=NOT_COMPARED)
    extra = {"command": "finetune", "targets": list(data.settings.targets), "trials": len(trials)}
    folder.finish(extra, kind=SET_KIND if len(trials) > 1 or trials[0].path != folder.path else KIND)


def _info(config: Config, data: FinetuneData, machine: Machine, argv: Sequence[str] | None) -> dict[str, Any]:
    facts = {"device": str(machine.device), "precision": machine.precision, "threads": machine.threads}
    facts["processes"] = machine.processes
    files = [str(file["path"]) for file in data.reading.files]
    paths = {"files": files, "model": data.settings.model}
    return run_info("finetune", argv, **facts, paths=paths)


def _say(summary: Mapping[str, Any]) -> None:
    for name, target in summary["targets"].items():
        (log.info if target["beats_best_baseline"] else log.warning)("%s: %s", name, target["verdict"])
