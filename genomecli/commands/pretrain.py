"""``genomecli pretrain``: check, build, run, report. One run, or replicates that differ by their seed."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomecli.commands.dictionary import with_dictionary
from genomecli.commands.foreign_models import with_native
from genomecli.commands.spared import spare_inputs
from genomecli.config import Config
from genomecli.corpus.reading_account import sentence
from genomecli.corpus.store import CorpusReader
from genomecli.errors import UsageError
from genomecli.files import MANIFEST, read_json, sha256_file, write_json
from genomecli.models.language_model import LanguageModel
from genomecli.runtime import log, pick_device, run_info
from genomecli.signals import StopFlag
from genomecli.training.checkpoint import Checkpoint, load_checkpoint, pointed
from genomecli.training.distributed import from_main, is_main, joined, starts_first
from genomecli.training.estimate import duration, estimate_run
from genomecli.training.estimate import suggest as judge_presets
from genomecli.training.job import CorpusOnDisk, Job
from genomecli.training.learner import Probe
from genomecli.training.loggers import check_loggers
from genomecli.training.machine import settle
from genomecli.training.pretraining import FREE, Pretraining, Surroundings
from genomecli.training.replicates import folder_name, seeds_of, write_spread
from genomecli.training.run_folder import INFO, SET_KIND, RunFolder

SUGGESTED_MINUTES = 60.0
"""Longest training that ``--suggest`` proposes where ``max_minutes`` is not set."""

FEW_STEPS = 200
"""Steps below which a run is warned of."""

_KEPT = "a resumed run keeps its settings (pretrain.init_from starts a new run from weights)"

SHOWN = 3
"""Differences that are named in a refusal."""

MakeProbes = Callable[[Job], Mapping[str, Probe]]


@dataclass(frozen=True)
class Options:
    """How the command was called.

    Args:
        force: replace a run that stands in the place.
        resume: go on with an unfinished one.
        argv: the command line, for ``run.json``.
        deadline: value of ``time.monotonic()`` at which to save and stop.
        make_probes: figures to measure along training.
    """

    force: bool
    resume: bool
    argv: Sequence[str] | None
    deadline: float
    make_probes: MakeProbes


def run_pretrain(
    config: Config,
    out: Path,
    *,
    force: bool = False,
    resume: bool = False,
    dry_run: bool = False,
    suggest: bool = False,
    argv: Sequence[str] | None = None,
    make_probes: MakeProbes | None = None,
) -> dict[str, Any]:
    """Train a network on a corpus.

    Args:
        config: settings; section ``pretrain``, seed, device, precision and threads.
        out: the run folder.
        force: replace a run that stands there.
        resume: go on with an unfinished run; a finished one is left as it is.
        dry_run: say size, time and memory, and stop.
        suggest: judge presets for this corpus and machine, on standard output, and stop.
        argv: the command line, for ``run.json``; that of the process by default.
        make_probes: figures to measure along training; the MRR by default, if ``probes.mrr_every`` is set.

    Returns:
        What ``summary.json`` holds; empty after ``dry_run`` or ``suggest``, of which several processes that
        are started together leave the first to speak, and in those that do not write.

    Raises:
        InputError, ConfigError, UsageError: before anything is written.
        RunError: if training fails.
        CheckpointedError: after TERM, USR1 or ``max_minutes``, with a checkpoint saved.
        InterruptedRunError: after INT, with a checkpoint saved.
    """
    if (suggest or dry_run) and not starts_first():
        return {}
    config = with_dictionary(with_native(config, "pretrain"))
    settings = config.pretrain
    minutes = settings.max_minutes
    deadline = math.inf if minutes is None else time.monotonic() + 60 * minutes
    check_loggers(settings.loggers)
    corpus = open_corpus(settings.corpus)
    seeds = seeds_of(settings.seeds, config.seed)
    if suggest or dry_run:
        job = _job(config, seeds[0], corpus, None)
        _suggest(job) if suggest else _announce(job, job.empty_model(), len(seeds))
        return {}
    spare_inputs(out, [settings.corpus, settings.init_from])
    options = Options(force, resume, argv, deadline, make_probes or mrr_probes)
    with joined(pick_device(config.device)), StopFlag() as flag:
        if settings.seeds is None:
            return _run_seed(config, seeds[0], corpus, out, options, flag)
        return _run_seeds(config, seeds, corpus, out, options, flag)


def open_corpus(path: str) -> CorpusOnDisk:
    """A corpus folder. Raises InputError if it is none, or is altered."""
    folder = Path(path)
    reader = CorpusReader.open(folder, verify="sha256")
    return CorpusOnDisk(reader, reader.lexicon, sha256_file(folder / MANIFEST)[:16], folder.resolve().name)


def write_page(folder: Path) -> None:
    """Write the page of a run that has come to its end."""
    from genomecli.analysis.pretrain_page import PAGE, write_run_page

    write_run_page(folder)
    log.info("page: %s", folder / PAGE)


def write_seeds_page(folder: Path) -> None:
    """Write the page on top of runs that differ by their seed."""
    from genomecli.analysis.pretrain_page import PAGE
    from genomecli.analysis.replicates_page import write_replicates_page

    write_replicates_page(folder)
    log.info("page: %s", folder / PAGE)


def mrr_probes(job: Job) -> dict[str, Probe]:
    """The MRR by species and layer, if the settings ask for it, on held-out records where these suffice."""
    if not job.settings.probes.mrr_every:
        return {}
    from genomecli.analysis.probe import make_probe

    assert isinstance(job.corpus.reader, CorpusReader)
    frame = job.settings.reading.frame
    probe = make_probe(
        job.corpus.reader,
        job.lexicon,
        tokens=job.settings.probes.mrr_tokens,
        frame=0 if frame == "all" else frame,
        precision=job.machine.precision,
    )
    return {} if probe is None else {"mrr": probe}


def _job(config: Config, seed: int, corpus: CorpusOnDisk, begun: Checkpoint | None) -> Job:
    before, kept = (None, None) if begun is None else (begun.identity, begun.lexicon)
    machine = settle(config.device, config.precision, config.threads, before)
    job = Job(config.pretrain, seed, corpus, machine, before, kept if config.pretrain.init_from else None)
    if before is None:
        job.check_init()
    return job


def _begun(out: Path) -> Checkpoint | None:
    """The last checkpoint of a run, which says what it began with; None if it has none."""
    if pointed(out, "last") is None:
        return None
    return load_checkpoint(out, prefer="last", optimiser=False)


def _run_seed(
    config: Config, seed: int, corpus: CorpusOnDisk, out: Path, options: Options, flag: StopFlag
) -> dict[str, Any]:
    # All that can be wrong with the settings is found before a folder is made or replaced.
    job = _job(config, seed, corpus, _begun(out) if options.resume else None)
    with RunFolder(out, resume=options.resume, force=options.force) as folder:
        if folder.state == "finished":
            _check_finished(folder, job.config(_common(config)))
            summary: dict[str, Any] = read_json(out / "summary.json")
            log.info("%s is finished: %d steps were done; there is nothing to resume", out, summary["steps"])
            return summary
        resolved = job.config(_common(config))
        if folder.state == "resumed":
            folder.check_config(resolved, FREE, fix=_KEPT)
        info = _info(folder, job, options)
        folder.begin(resolved, info)
        begun = time.monotonic()
        try:
            model = job.empty_model() if folder.state == "resumed" else job.new_model()
            if is_main():
                _announce(job, model)
            probes = options.make_probes(job)
            around = Surroundings(flag, options.deadline, probes, report=write_page)
            return Pretraining(job, folder, around).run(model)
        finally:
            if is_main():
                write_json(out / INFO, {**info, "seconds": round(time.monotonic() - begun, 1)})


def _check_finished(folder: RunFolder, resolved: Mapping[str, Any]) -> None:
    """Raise UsageError unless a finished run is of these settings and inputs."""
    found = folder.differences(resolved, FREE)
    if found:
        more = f" | and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise UsageError(
            f"is finished, and was made from other inputs or settings: {' | '.join(found[:SHOWN])}{more}",
            where=folder.path,
            fix="give --force to replace it, or another --out",
        )


def _common(config: Config) -> dict[str, Any]:
    return {"device": config.device, "precision": config.precision, "threads": config.threads}


def _info(folder: RunFolder, job: Job, options: Options) -> dict[str, Any]:
    """What ``run.json`` says: this process, and those before it that worked on the run."""
    path = folder.path / INFO
    earlier = read_json(path) if folder.state == "resumed" and path.exists() else {}
    parts = [*earlier.pop("parts", []), earlier] if earlier else []
    machine = job.machine
    facts = {"device": str(machine.device), "precision": machine.precision, "threads": machine.threads}
    facts["processes"] = machine.processes
    paths = {"corpus": str(Path(job.settings.corpus).resolve()), "init_from": job.settings.init_from}
    return run_info("pretrain", options.argv, **facts, paths=paths, parts=parts)


def _announce(job: Job, model: LanguageModel, runs: int = 1) -> None:
    """Say what the run reads and what it will take."""
    for group in job.reading["groups"]:
        log.info(
            "%s: %d records, %d tokens a pass, %.1f %% of the tokens%s",
            *(group["name"], group["records"], group["tokens_per_epoch"], 100 * group["share_of_tokens"]),
            f", {group['left_out']} records too short" if group["left_out"] else "",
        )
    log.info("%s", sentence(job.reading["records"]))
    tokens = round(job.steps * job.tokens_per_step)
    passes = tokens / job.corpus_tokens
    count = job.sampler.micro_batches
    micro = (
        f"{count} micro-batch{'es' if count > 1 else ''} of {job.settings.reading.tokens_per_batch:,} tokens"
    )
    log.info("%d steps of %s: %.1f passes", job.steps, micro, passes)
    _warn_of_few_steps(job.steps)
    machine = job.machine
    threads = f"{machine.threads} thread{'' if machine.threads == 1 else 's'}"
    log.info("on %s in %s with %s", machine.device, machine.precision, threads)
    for line in estimate_run(model, job.load(), tokens * runs).lines():
        (log.warning if line.startswith("warning") else log.info)("%s", line)


def _warn_of_few_steps(steps: int) -> None:
    if steps < FEW_STEPS:
        log.warning(
            "%d steps are few, a network learns little in fewer than %d: give more tokens, or lower "
            "reading.tokens_per_step and tokens_per_batch",
            *(steps, FEW_STEPS),
        )


def _suggest(job: Job) -> None:
    """Judge presets, as a table on standard output."""
    minutes = job.settings.max_minutes or SUGGESTED_MINUTES
    choices = judge_presets(job.load(), job.corpus_tokens, minutes)
    rows = ["preset\tparameters\ttokens\ttime\tmemory_mib\tfits\twhy_not"]
    rows += [
        f"{c.preset}\t{c.parameters}\t{c.tokens}\t{duration(c.seconds)}\t{c.memory / 2**20:.0f}\t"
        f"{'yes' if c.fits else 'no'}\t{c.why}"
        for c in choices
    ]
    sys.stdout.write("\n".join(rows) + "\n")
    fitting = [choice for choice in choices if choice.fits]
    best = fitting[-1] if fitting else choices[0]
    if not fitting:
        log.warning(
            "no preset fits %.0f minutes, this corpus and this memory; the smallest is the nearest", minutes
        )
    _warn_of_few_steps(job.steps)
    log.info("proposed: --set pretrain.model.preset=%s --set pretrain.tokens=%d", best.preset, best.tokens)


def _run_seeds(
    config: Config,
    seeds: Sequence[int],
    corpus: CorpusOnDisk,
    out: Path,
    options: Options,
    flag: StopFlag,
) -> dict[str, Any]:
    with RunFolder(out, resume=options.resume, force=options.force) as folder:
        resolved = {"replicates": [folder_name(seed) for seed in seeds]}
        if folder.state == "finished":
            _check_finished(folder, resolved)
            for seed in seeds:
                _run_seed(config, seed, corpus, out / folder_name(seed), options, flag)
            log.info("%s is finished: there is nothing to resume", out)
            return dict(read_json(out / "summary.json"))
        if folder.state == "resumed":
            folder.check_config(resolved, frozenset(), fix=_KEPT)
        folder.begin(resolved, run_info("pretrain", options.argv))
        summaries = {}
        for number, seed in enumerate(seeds, 1):
            log.info("seed %d, run %d of %d", seed, number, len(seeds))
            place = out / folder_name(seed)
            again = bool(from_main(int(place.exists())))
            inner = Options(False, again, options.argv, options.deadline, options.make_probes)
            summaries[seed] = _run_seed(config, seed, corpus, place, inner, flag)
        if not is_main():
            return {}
        figures = write_spread(out, summaries)
        write_seeds_page(out)
        loss = figures.get("validation.loss")
        if loss is not None:
            log.info("validation loss of %d runs: %.4f ± %.4f", len(seeds), loss["mean"], loss["sd"])
        folder.finish({"seeds": list(seeds)}, kind=SET_KIND)
        return dict(read_json(out / "summary.json"))
