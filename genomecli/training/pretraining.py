"""One pretraining run in its folder: from a job to checkpoints, metrics, curves and a summary."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from genomecli.corpus.batch import Batch
from genomecli.files import read_json, write_json
from genomecli.models.compiling import compile_blocks
from genomecli.models.language_model import LanguageModel, count_parameters
from genomecli.progress import Progress as Bar
from genomecli.progress import progress
from genomecli.runtime import log
from genomecli.signals import StopFlag
from genomecli.training.checkpoint import Checkpoint, fill_model, load_checkpoint, rewind, save_checkpoint
from genomecli.training.curves import draw_curves, draw_speed
from genomecli.training.distributed import is_main, world_size
from genomecli.training.estimate import duration
from genomecli.training.feed import place_for
from genomecli.training.job import Job, check_lexicon
from genomecli.training.learner import Hooks, Probe
from genomecli.training.loggers import copied
from genomecli.training.loop import Trainer
from genomecli.training.metrics import MetricsFile, plain, read_metrics
from genomecli.training.objective_learner import ObjectiveLearner
from genomecli.training.optimiser import build_optimiser, load_optimiser_tensors, optimiser_tensors
from genomecli.training.plan import Plan, Progress
from genomecli.training.run_folder import RunFolder
from genomecli.training.schedule import Schedule
from genomecli.training.sharding import Shards, hollow_copy
from genomecli.training.state_files import put_aside
from genomecli.training.validation import Validation
from genomecli.training.yardsticks import (
    TRAINING_TOKENS,
    Yardstick,
    Yardsticks,
    beaten_by,
    compare,
    measure_yardsticks,
)

FREE = frozenset(
    {
        "device",
        "precision",
        "threads",
        "pretrain.corpus",
        "pretrain.init_from",
        "pretrain.keep",
        "pretrain.loggers",
        "pretrain.max_minutes",
        "pretrain.seeds",
        "pretrain.shard",
        "inputs.init_from",
        "inputs.molecules",
    }
)
"""What may change between the parts of a run; device and precision are judged apart. Which molecules were
read follows from the corpus and ``reading.molecules``, which are compared; earlier versions kept no list."""


DRAW_SECONDS = 30
"""Least time between two drawings of the curves of a run in progress."""


@dataclass(frozen=True)
class Surroundings:
    """What a run is given from outside.

    Args:
        flag: says when a signal asks to stop.
        deadline: value of ``time.monotonic()`` at which to stop.
        probes: figures to measure along training, by name.
        info: what ``run.json`` says of this process.
        report: writes more into the folder of a run that has come to its end, before it is marked finished.
    """

    flag: StopFlag | None = None
    deadline: float = math.inf
    probes: Mapping[str, Probe] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)
    report: Callable[[Path], None] | None = None


class Pretraining:
    """A run in its folder. Build it, then call :meth:`run`.

    Args:
        job: what is trained.
        folder: where, taken.
        around: signals, time, probes.
    """

    def __init__(self, job: Job, folder: RunFolder, around: Surroundings | None = None) -> None:
        self.job = job
        self.folder = folder
        self.around = around or Surroundings()
        self._drawn = time.monotonic()
        self.metrics = MetricsFile(folder.path / "metrics.jsonl")
        self.speeds = MetricsFile(folder.path / "speed.jsonl")
        texts = list(job.sampler.validation())
        place = place_for(job.machine.device, job.pack)
        self.validation = Validation(job.mixture, texts, job.lexicon.languages, job.machine.precision, place)
        self.yardsticks = self._yardsticks(texts)
        if not self.validation:
            log.warning(
                "the corpus has no validation records: no perplexity is measured, the last is the best"
            )

    def _yardsticks(self, texts: Sequence[Batch]) -> Yardsticks:
        """Perplexities of simple models; measured once a run, by the process that writes."""
        if not is_main():
            return {}
        path = self.folder.path / "yardsticks.json"
        if not path.exists():
            training = self.job.whole_texts(TRAINING_TOKENS)
            found = measure_yardsticks(training, texts, self.validation.batches, self.job.lexicon)
            write_json(path, {name: asdict(value) for name, value in found.items()})
        # Read back in any case, so that a resumed run draws them in the same order.
        return {name: Yardstick(**values) for name, values in read_json(path).items()}

    def run(self, model: LanguageModel) -> dict[str, Any]:
        """Train ``model``, fresh weights or any if the run is resumed; the summary of the finished run.

        Returns:
            What ``summary.json`` holds; nothing in processes that do not write.

        Raises:
            RunError, CheckpointedError, InterruptedRunError: see :meth:`Trainer.run`.
        """
        job = self.job
        before = self._restore(model) if self.folder.state == "resumed" else None
        shards = self._shards(model)
        optimiser = build_optimiser(model, job.optimiser, job.machine.device)
        if before is not None:
            load_optimiser_tensors(optimiser, model, before.optimiser, where=self.folder.path)
        start = Progress() if before is None else before.progress
        learner = ObjectiveLearner(job.mixture, job.seed)
        copies = copied(job.settings.loggers, self.folder.path, (self.metrics, self.speeds))
        with copies, progress("training", total=job.steps, done=start.step) as bar:
            hooks = self._hooks(model, optimiser, shards, bar)
            trainer = Trainer(
                model, learner, job.sampler, optimiser, self._plan(), hooks, start, job.pack, shards
            )
            end = trainer.run(self.around.flag)
        return self._finish(model, end) if is_main() else {}

    def _shards(self, model: LanguageModel) -> Shards | None:
        """Compile and share the blocks, where the settings ask for it."""
        settings = self.job.settings
        if settings.compile and self.job.pack is None:
            log.warning("pretrain.compile: texts are not packed here, so each new shape is compiled anew")
        if settings.shard and world_size() == 1:
            log.warning("pretrain.shard: one process trains alone and holds everything")
        # The whole weights are looked at in a copy, which is made before the blocks are compiled.
        shared = settings.shard and world_size() > 1
        shell = hollow_copy(model) if shared else None
        if settings.compile:
            compile_blocks(model)
        return Shards(model, shell) if shell is not None else None

    def _plan(self) -> Plan:
        settings, job = self.job.settings, self.job
        schedule = settings.schedule
        return Plan(
            steps=job.steps,
            rate=job.optimiser.lr,
            schedule=Schedule(
                schedule.kind, job.steps, schedule.warmup_steps(job.steps), schedule.decay, schedule.min_ratio
            ),
            clip=settings.clip,
            precision=job.machine.precision,
            seed=job.seed,
            log_every=settings.log_every,
            validate_every=settings.validate_every,
            save_every=settings.save_every,
            probe_every=settings.probes.mrr_every if self.around.probes else 0,
            skip_bad=settings.bad_loss == "skip",
            patience=settings.patience,
            deadline=self.around.deadline,
        )

    def _restore(self, model: LanguageModel) -> Checkpoint:
        """Put the weights of the last checkpoint into ``model``, and the folder into its state then."""
        path = self.folder.path
        checkpoint = load_checkpoint(path, prefer="last")
        check_lexicon(checkpoint.lexicon, self.job.lexicon, path)
        fill_model(model, checkpoint.model, where=path)
        step = checkpoint.progress.step
        if not is_main():
            return checkpoint
        rewind(path, checkpoint.progress)
        cut = self.metrics.cut_back(step)
        self.speeds.cut_back(step)
        log.info(
            "goes on from step %d of %d; %d later lines of metrics.jsonl removed", step, self.job.steps, cut
        )
        return checkpoint

    def _hooks(self, model: LanguageModel, optimiser: Any, shards: Shards | None, bar: Bar) -> Hooks:
        rows = self.job.corpus.reader.records()

        def save(state: Progress, best: bool) -> None:
            if is_main() or shards is not None:
                checkpoint = self._checkpoint(state, model, optimiser, shards)
            if is_main():
                kept = {"keep": self.job.settings.keep, "grid": self.job.settings.save_every}
                save_checkpoint(self.folder.path, checkpoint, best=best, **kept)

        def log_line(step: int, figures: Mapping[str, float], tokens: int, seconds: float) -> None:
            self._log(step, figures, (tokens, seconds), bar)

        return Hooks(
            log=log_line if is_main() else None,
            validate=self._validate if self.validation else None,
            save=save,
            probes=self.around.probes if is_main() else {},
            probed=lambda step, figures: self.metrics.append("probe", step, figures),
            advance=bar.advance,
            name_records=lambda numbers: [_record_name(rows, number) for number in numbers],
        )

    def _checkpoint(
        self, state: Progress, model: LanguageModel, optimiser: Any, shards: Shards | None
    ) -> Checkpoint:
        moments = optimiser_tensors(optimiser, model)
        aside = None if shards is None else put_aside(self.folder.checkpoints, moments)
        return Checkpoint(
            progress=state,
            identity=self.job.identity,
            lexicon=self.job.lexicon,
            config=read_json(self.folder.path / "config.json"),
            model=model.state_dict() if shards is None else shards.gather(),
            optimiser=moments if aside is None else {},
            aside=aside,
        )

    def _log(self, step: int, figures: Mapping[str, float], spent: tuple[int, float], bar: Bar) -> None:
        self.metrics.append("train", step, figures)
        tokens, seconds = spent
        rate = tokens / seconds if seconds > 0 else 0.0
        self.speeds.append("speed", step, {"tokens_per_second": round(rate, 1), "seconds": round(seconds, 3)})
        left = (self.job.steps - step) * self.job.tokens_per_step / rate if rate else math.inf
        shown = {"loss": f"{figures['loss']:.4f}", "tokens/s": f"{rate:,.0f}"}
        bar.advance(0, **shown)
        if math.isfinite(left):
            shown["left"] = duration(left)
        words = ", ".join(f"{name} {value}" for name, value in shown.items())
        _say(f"step {step}/{self.job.steps}: {words}, lr {figures['lr']:.2e}")

    def _validate(self, model: nn.Module, step: int) -> Mapping[str, Any]:
        figures = self.validation(model, step)
        if not is_main():
            return figures
        self.metrics.append("validation", step, figures)
        parts = [
            f"{name} perplexity {values['perplexity']:.3f} accuracy {values['accuracy']:.3f}"
            for name, values in figures["languages"].items()
        ]
        log.info("%s", f"step {step}: validation loss {figures['loss']:.4f}; {'; '.join(parts)}")
        if time.monotonic() - self._drawn > DRAW_SECONDS:
            self._draw()
        return figures

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        lines = {name: dict(values.perplexities) for name, values in self.yardsticks.items()}
        draw_curves(self.folder.path / "curves.png", read_metrics(self.metrics.path), lines)
        if self.speeds.path.exists():
            draw_speed(self.folder.path / "speed.png", read_metrics(self.speeds.path))

    def _finish(self, model: LanguageModel, end: Progress) -> dict[str, Any]:
        rows = read_metrics(self.metrics.path)
        summary: dict[str, Any] = plain(self._summary(model, end, rows))
        self._draw()
        write_json(self.folder.path / "summary.json", summary)
        for line in summary_lines(summary):
            log.info("%s", line)
        for language in summary["not_beaten"]:
            log.warning("%s", not_beaten_line(language, summary["not_beaten"][language]))
        if self.around.report is not None:
            self.around.report(self.folder.path)
        self.folder.finish(
            {"steps": end.step, "lexicon": self.job.lexicon.fingerprint, "seed": self.job.seed}
        )
        return summary

    def _summary(
        self, model: LanguageModel, end: Progress, rows: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        validations = {row["step"]: row for row in rows if row["kind"] == "validation"}
        last: Mapping[str, Any] = next((row for row in reversed(rows) if row["kind"] == "train"), {})
        final = validations.get(end.step, {})
        languages = final.get("languages", {})
        return {
            "seed": self.job.seed,
            "steps": end.step,
            "planned_steps": self.job.steps,
            "skipped_steps": end.skipped,
            "tokens": end.tokens,
            "parameters": count_parameters(model),
            "corpus": {"name": self.job.corpus.name, "fingerprint": self.job.corpus.fingerprint},
            "reading": self.job.reading,
            "train": {key: value for key, value in last.items() if key not in ("kind", "step", "tokens")},
            "validation": {"loss": final.get("loss"), "objectives": final.get("objectives", {})},
            "best": {"step": end.best_step, "loss": end.best_loss},
            "languages": compare(languages, self.yardsticks),
            "not_beaten": beaten_by(languages, self.yardsticks),
        }


def summary_lines(summary: Mapping[str, Any]) -> list[str]:
    """The figures of a finished run in words, one line a language."""
    lines = [f"done: {summary['steps']} steps, {summary['tokens']:,} tokens"]
    for name, values in summary["languages"].items():
        others = ", ".join(f"{key} {value:.3f}" for key, value in values["yardsticks"].items())
        own = values["perplexity"]
        said = "no number" if own is None else f"{own:.3f}"
        lines.append(f"{name}: perplexity {said} ({others}), accuracy {values['accuracy']:.3f}")
    return lines


def not_beaten_line(language: str, names: Sequence[str]) -> str:
    """What is said of a language in which simple models predict as well as the network."""
    return f"{language}: the network does not beat the {' and the '.join(names)} on the same records"


def _record_name(rows: Any, number: int) -> str:
    return "no record" if number < 0 else str(rows.column("id")[number])


def _say(line: str) -> None:
    """Log a line; on a terminal, where the bar says the same, to the log files alone."""
    if not sys.stderr.isatty():
        log.info("%s", line)
        return
    record = log.makeRecord(log.name, 20, __file__, 0, line, (), None)
    for handler in log.handlers:
        if hasattr(handler, "baseFilename"):
            handler.handle(record)
