"""One tuning run in its folder: from a job to checkpoints, metrics and curves.

Judging its predictions is left to others: this room does not know them. Several processes train together,
each with the whole network and its share of the rows of each step; the first one alone writes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from genomecli.files import read_json, write_json
from genomecli.models.language_model import LanguageModel
from genomecli.models.task_heads import UNCERTAINTY
from genomecli.progress import Progress as Bar
from genomecli.progress import progress
from genomecli.runtime import log
from genomecli.signals import StopFlag
from genomecli.tasks.schema import loss_unit
from genomecli.training.checkpoint import Checkpoint, fill_model, load_checkpoint, rewind, save_checkpoint
from genomecli.training.curves import draw_curves, draw_speed
from genomecli.training.distributed import is_main
from genomecli.training.job import check_lexicon
from genomecli.training.learner import Hooks
from genomecli.training.loggers import copied
from genomecli.training.loop import Trainer
from genomecli.training.metrics import MetricsFile, plain, read_metrics
from genomecli.training.optimiser import load_optimiser_tensors, optimiser_tensors
from genomecli.training.plan import Plan, Progress
from genomecli.training.schedule import Schedule
from genomecli.training.task_learner import learned_weights
from genomecli.training.task_spec import DOCUMENT
from genomecli.training.tuning_job import TuningJob, trained_parameters
from genomecli.training.tuning_states import keep_states

DRAW_SECONDS = 30
"""Least time between two drawings of the curves of a run in progress."""

LEAST_POINTS = 20
"""Points that the training curve of a whole run has, if it has as many steps."""

LEAST_SAVES = 20
"""Checkpoints of a whole run at least: what a killed process loses is a twentieth at most."""

Validate = Callable[[LanguageModel, int], Mapping[str, Any]]
"""Of a model and a step, figures of the validation rows; ``loss`` decides which checkpoint is best. Every
process is given the figures of all rows, so that all of them decide alike."""


@dataclass(frozen=True)
class Around:
    """What a run is given from outside.

    Args:
        flag: says when a signal asks to stop.
        deadline: value of ``time.monotonic()`` at which to stop.
        validate: figures of the validation rows; None if there are none.
    """

    flag: StopFlag | None = None
    deadline: float = math.inf
    validate: Validate | None = None


class Finetuning:
    """A run in its folder, which exists and holds ``config.json``.

    Args:
        job: what is trained.
        path: the folder.
        around: signals, time, validation.
    """

    def __init__(self, job: TuningJob, path: Path, around: Around | None = None) -> None:
        self.job = job
        self.path = path
        self.around = around or Around()
        self._drawn = time.monotonic()
        self.metrics = MetricsFile(path / "metrics.jsonl")
        self.speeds = MetricsFile(path / "speed.jsonl")

    def run(self, *, resume: bool = False) -> dict[str, Any]:
        """Train to the end; a summary of it, nothing in processes that do not write.

        Args:
            resume: go on from the folder's last checkpoint; the same in every process.

        Raises:
            RunError, CheckpointedError, InterruptedRunError: see :meth:`Trainer.run` and
                :func:`keep_states`.
        """
        job = self.job
        model = job.model()
        optimiser = job.optimiser(model)
        start = self._restore(model, optimiser) if resume else Progress()
        job.learner.kept = keep_states(model, job, self.around.flag)
        copies = copied(job.settings.loggers, self.path, (self.metrics, self.speeds))
        with copies, progress("tuning", total=job.steps, done=start.step) as bar:
            hooks = self._hooks(model, optimiser, bar)
            trainer = Trainer(model, job.learner, job.data, optimiser, self._plan(), hooks, start)
            end = trainer.run(self.around.flag)
        return self._summary(model, end) if is_main() else {}

    def _plan(self) -> Plan:
        job, settings = self.job, self.job.settings
        schedule = settings.schedule
        warmup = schedule.warmup_steps(job.steps)
        return Plan(
            steps=job.steps,
            rate=settings.optimiser.lr,
            schedule=Schedule(schedule.kind, job.steps, warmup, schedule.decay, schedule.min_ratio),
            clip=settings.clip,
            precision=job.machine.precision,
            seed=job.seed,
            log_every=max(1, min(settings.log_every, job.steps // LEAST_POINTS)),
            validate_every=job.validate_every,
            save_every=max(1, min(job.validate_every, job.steps // LEAST_SAVES)),
            skip_bad=settings.bad_loss == "skip",
            patience=settings.patience if self.around.validate is not None else 0,
            deadline=self.around.deadline,
        )

    def _restore(self, model: LanguageModel, optimiser: Any) -> Progress:
        checkpoint = load_checkpoint(self.path, prefer="last")
        check_lexicon(checkpoint.lexicon, self.job.start.lexicon, self.path)
        fill_model(model, checkpoint.model, where=self.path)
        load_optimiser_tensors(optimiser, model, checkpoint.optimiser, where=self.path)
        step = checkpoint.progress.step
        if not is_main():
            return checkpoint.progress
        rewind(self.path, checkpoint.progress)
        cut = self.metrics.cut_back(step)
        self.speeds.cut_back(step)
        log.info(
            "goes on from step %d of %d; %d later lines of metrics.jsonl removed", step, self.job.steps, cut
        )
        return checkpoint.progress

    def _hooks(self, model: LanguageModel, optimiser: Any, bar: Bar) -> Hooks:
        ids = self.job.data.rows.ids

        def save(state: Progress, best: bool) -> None:
            if is_main():
                save_checkpoint(self.path, self._checkpoint(state, model, optimiser), best=best)

        def log_line(step: int, figures: Mapping[str, float], tokens: int, seconds: float) -> None:
            self._log(step, figures, tokens, seconds, bar)

        return Hooks(
            log=log_line if is_main() else None,
            validate=self._validate if self.around.validate is not None else None,
            save=save,
            advance=bar.advance,
            name_records=lambda rows: [repr(ids[row]) if row < len(ids) else str(row) for row in rows],
        )

    def _checkpoint(self, state: Progress, model: LanguageModel, optimiser: Any) -> Checkpoint:
        return Checkpoint(
            progress=state,
            identity=self.job.identity,
            lexicon=self.job.start.lexicon,
            config=read_json(self.path / "config.json"),
            model=model.state_dict(),
            optimiser=optimiser_tensors(optimiser, model),
            documents={DOCUMENT: self.job.spec.to_dict()},
        )

    def _log(self, step: int, figures: Mapping[str, float], tokens: int, seconds: float, bar: Bar) -> None:
        self.metrics.append("train", step, figures)
        rate = tokens / seconds if seconds > 0 else 0.0
        self.speeds.append("speed", step, {"tokens_per_second": round(rate, 1), "seconds": round(seconds, 3)})
        bar.advance(0, loss=f"{figures['loss']:.4f}")
        log.debug(
            "step %d/%d: loss %.4f, tokens/s %.0f, lr %.2e",
            *(step, self.job.steps, figures["loss"], rate, figures["lr"]),
        )

    def _validate(self, model: nn.Module, step: int) -> Mapping[str, Any]:
        assert self.around.validate is not None
        assert isinstance(model, LanguageModel)
        figures = self.around.validate(model, step)
        if not is_main():
            return figures
        self.metrics.append("validation", step, figures)
        parts = ", ".join(f"{name} {values['loss']:.4f}" for name, values in figures["targets"].items())
        epoch = step * self.job.data.batch_size / len(self.job.data.rows)
        log.info("step %d, epoch %.1f: validation loss %.4f (%s)", step, epoch, figures["loss"], parts)
        if time.monotonic() - self._drawn > DRAW_SECONDS:
            self.draw()
        return figures

    def draw(self) -> None:
        """Draw the curves of what is done so far."""
        self._drawn = time.monotonic()
        loss = f"loss ({loss_unit(self.job.spec.targets)})"
        draw_curves(self.path / "curves.png", read_metrics(self.metrics.path), None, loss)
        if self.speeds.path.exists():
            draw_speed(self.path / "speed.png", read_metrics(self.speeds.path))

    def _summary(self, model: LanguageModel, end: Progress) -> dict[str, Any]:
        values = {
            "seed": self.job.seed,
            "steps": end.step,
            "planned_steps": self.job.steps,
            "epochs": end.step * self.job.data.batch_size / len(self.job.data.rows),
            "tokens": end.tokens,
            "skipped_steps": end.skipped,
            **trained_parameters(model),
            "best": {"step": end.best_step, "loss": end.best_loss},
            **self._target_weights(),
        }
        summary: dict[str, Any] = plain(values)
        return summary

    def _target_weights(self) -> dict[str, Any]:
        """Learned weights of the targets in the weights that are kept; empty where none are learned."""
        if self.job.spec.weighting != "uncertainty":
            return {}
        kept = load_checkpoint(self.path, prefer="best", optimiser=False).model
        log_variances = kept[f"heads.{UNCERTAINTY}.log_variance"]
        return {"target_weights": learned_weights(self.job.spec.targets, log_variances)}


def write_spec(path: Path, job: TuningJob) -> None:
    """Write ``tasks.json`` of a run folder: what its checkpoints predict."""
    write_json(path / f"{DOCUMENT}.json", job.spec.to_dict())
