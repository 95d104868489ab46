"""What the loop is told to do when, and how far it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from genomecli.training.meters import Pairs


@dataclass(frozen=True)
class Plan:
    """When the loop does what.

    Args:
        steps: optimiser steps of the whole run.
        rate: peak learning rate.
        schedule: factor of the peak rate at each step, counted from 0.
        clip: largest norm of the gradient; 0 leaves it as it is.
        precision: fp32, bf16 or fp16.
        seed: seed of dropout.
        log_every: steps between log lines; likewise the others. 0 is never, save for the last step.
        skip_bad: leave out a step whose loss is no finite number, and go on. Each loss is then waited for.
        patience: validations without a better loss after which training ends; 0 never.
        deadline: value of ``time.monotonic()`` at which to save and stop; infinity never.
    """

    steps: int
    rate: float
    schedule: Callable[[int], float]
    clip: float = 1.0
    precision: str = "fp32"
    seed: int = 0
    log_every: int = 10
    validate_every: int = 0
    save_every: int = 0
    probe_every: int = 0
    skip_bad: bool = False
    patience: int = 0
    deadline: float = math.inf


@dataclass(frozen=True)
class Progress:
    """How far a run is: with the weights and the optimiser's state, all that resuming needs.

    Args:
        step: steps done.
        tokens: real tokens seen.
        best_loss: lowest validation loss, None before the first.
        best_step: steps done when it was measured.
        waits: validations since then.
        skipped: steps that changed nothing, since their loss was no finite number.
        window: sums since the last log line.
        scaler: state of the fp16 gradient scaler.
    """

    step: int = 0
    tokens: int = 0
    best_loss: float | None = None
    best_step: int | None = None
    waits: int = 0
    skipped: int = 0
    window: Pairs = field(default_factory=dict)
    scaler: dict[str, float] = field(default_factory=dict)
