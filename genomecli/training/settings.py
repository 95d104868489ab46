"""Settings of training: optimiser, schedule, and the ``pretrain`` section."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from genomecli.settings import Name, Section, setting

Beta = Annotated[float, Field(ge=0, lt=1)]


class OptimiserSettings(Section):
    """How weights follow the gradient."""

    name: Name = setting("adamw", doc="Registered name of the optimiser: adamw.")
    lr: float = setting(1e-3, gt=0, doc="Peak learning rate.")
    betas: tuple[Beta, Beta] = setting((0.9, 0.98), doc="Decay of the first and second moment.")
    eps: float = setting(1e-8, gt=0, doc="Added to the root of the second moment.")
    weight_decay: float = setting(
        0.01, ge=0, doc="Decoupled decay of matrices; norms, biases and embeddings do not decay."
    )


class ScheduleSettings(Section):
    """How the learning rate moves from step to step."""

    kind: Literal["linear", "cosine", "wsd", "constant"] = setting(
        "wsd",
        doc="Shape after warm-up: linear or cosine to the end, wsd stays and then falls, constant stays.",
    )
    warmup: Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)] = setting(
        0.05, unit="steps", doc="Steps of linear warm-up; a number below 1 is a share of the run."
    )
    decay: float = setting(0.2, ge=0, le=1, doc="Share of the steps after warm-up over which wsd falls.")
    min_ratio: float = setting(0.0, ge=0, le=1, doc="Final learning rate as a share of the peak.")

    def warmup_steps(self, steps: int) -> int:
        """Warm-up of a run of ``steps`` steps."""
        return self.warmup if isinstance(self.warmup, int) else round(self.warmup * steps)
