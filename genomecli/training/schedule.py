"""The learning rate as a pure function of the step, so that a resumed run needs no state for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from genomecli.errors import ConfigError

Decay = Callable[[float, float], float]
"""From the share of the run done after warm-up (0 to 1) and the decay's share of it to a factor, 1 to 0."""


def _linear(done: float, share: float) -> float:
    return 1.0 - done


def _cosine(done: float, share: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * done))


def _wsd(done: float, share: float) -> float:
    return 1.0 if share == 0 else min(1.0, (1.0 - done) / share)


def _constant(done: float, share: float) -> float:
    return 1.0


SCHEDULES: dict[str, Decay] = {"linear": _linear, "cosine": _cosine, "wsd": _wsd, "constant": _constant}
"""Shapes by name. ``wsd`` (warm-up, stable, decay; Hu et al. 2024, arXiv:2404.06395) falls at the end."""


@dataclass(frozen=True)
class Schedule:
    """Factor of the peak learning rate at each step.

    Args:
        kind: a name in ``SCHEDULES``.
        steps: steps of the whole run.
        warmup: steps over which the factor rises from near 0 to 1.
        decay: share of the steps after warm-up that ``wsd`` decays over, 0 to 1.
        min_ratio: the factor that is reached after the last step.

    Raises:
        ConfigError: for an unknown kind.
    """

    kind: str
    steps: int
    warmup: int = 0
    decay: float = 0.2
    min_ratio: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in SCHEDULES:
            raise ConfigError([f"schedule.kind: unknown {self.kind!r}; choose one of {', '.join(SCHEDULES)}"])

    def __call__(self, step: int) -> float:
        """The factor for step ``step``, counted from 0; steps past the end get the end's."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        left = max(1, self.steps - self.warmup)
        done = min(1.0, (step - self.warmup) / left)  # below 1: no step is taken with a rate of 0
        shape = SCHEDULES[self.kind](done, self.decay)
        return self.min_ratio + (1.0 - self.min_ratio) * shape
