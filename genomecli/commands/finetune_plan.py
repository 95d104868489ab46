"""What ``finetune --dry-run`` says: every network that would be trained, its time, and the memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genomecli.commands.finetune_trial import Setting, Trial
from genomecli.runtime import log
from genomecli.training.estimate import Estimate, Load, duration, estimate_run
from genomecli.training.tuning_job import trained_parameters

if TYPE_CHECKING:
    from genomecli.commands.finetune import Planned
    from genomecli.commands.finetune_data import FinetuneData
    from genomecli.signals import StopFlag
    from genomecli.training.machine import Machine
    from genomecli.training.tuning_job import TuningJob


def show_plan(data: FinetuneData, plans: Sequence[Planned], machine: Machine, flag: StopFlag) -> None:
    """Say how long training takes at most: of every network of the first trial, and of all trials together.

    Rates are measured here and now. Validation, prediction and the baselines that are no networks are not
    counted.
    """
    plan = plans[0]
    trial = Trial(Setting(data, machine, flag, math.inf, False), plan.split, plan.seed, Path(), plan.name)
    found: list[Estimate] = []
    for name, job in trial.jobs():
        estimate, sizes = _estimate(job, machine)
        weights = f"{sizes['trained']:,} of {sizes['parameters']:,} weights"
        log.info("%s: %d steps at most; %s are trained", name, job.steps, weights)
        log.info("%s: %s", name, estimate.paced)
        found.append(estimate)
    networks = f"{len(found)} network{'s' * (len(found) > 1)}"
    each = f" in each of {len(plans)} trials" if len(plans) > 1 else ""
    seconds = len(plans) * sum(estimate.seconds for estimate in found)
    log.info("training: %s%s, %s at most, validation not counted", networks, each, duration(seconds))
    for line in max(found, key=lambda one: one.memory).memory_lines():
        log.info("%s", line)


def _estimate(job: TuningJob, machine: Machine) -> tuple[Estimate, Mapping[str, int]]:
    """What one network takes, and how many weights it has and trains."""
    model = job.model()
    sizes = trained_parameters(model)
    lexicon = job.start.lexicon
    load = Load(
        vocabulary_size=lexicon.vocabulary.size,
        languages=len(lexicon.languages),
        length=max(8, round(job.data.tokens_per_step / job.data.batch_size)),
        batch_tokens=min(job.settings.tokens_per_batch, round(job.data.tokens_per_step)),
        decoded=0.01,
        device=machine.device,
        precision=machine.precision,
    )
    model.requires_grad_(True)  # the measurement is that of all weights; fewer are faster
    return estimate_run(model, load, round(job.steps * job.data.tokens_per_step)), sizes
