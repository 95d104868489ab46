"""Networks that the benchmark of one GPU measures, and their trainings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genomecli.config import Config
    from genomecli.models.settings import ModelSettings
    from genomecli.training.job import Job

CONTEXT = 1024


@dataclass(frozen=True)
class Size:
    """A dense network: every layer sees the whole text.

    Args:
        layers: number of blocks.
        width: of the residual stream.
        heads: each a multiple of 8 wide, as the variable-length kernel wants them.
        intermediate: inner width of the gated feed-forward layers.
        batch: tokens that are computed at a time.
        step: tokens of an optimiser step.
    """

    layers: int
    width: int
    heads: int
    intermediate: int
    batch: int = 65_536
    step: int = 262_144

    def shape(self) -> dict[str, int]:
        """Settings under ``pretrain.model``."""
        sizes = {"layers": self.layers, "width": self.width, "heads": self.heads}
        return {**sizes, "intermediate": self.intermediate, "local_window": 0}

    def settings(self) -> ModelSettings:
        """All settings of the network."""
        from genomecli.models.settings import ModelSettings

        return ModelSettings.model_validate({"preset": "small", "context": CONTEXT, **self.shape()})


SIZES = {
    "8M": Size(6, 320, 5, 960, batch=131_072),
    "35M": Size(12, 480, 5, 1344, batch=131_072),
    "133M": Size(18, 768, 12, 2176),
    "150M": Size(30, 640, 10, 1728),
    "650M": Size(33, 1280, 20, 3392, batch=32_768),
}
"""Depths and widths of ESM-2, and 133M as in the speed runs of SpeedrunningPLMs; the inner width is the
multiple of 64 that brings the weights nearest to the name. Heads are 64 wide, and 96 at 35M."""

TINY = {"tiny": Size(2, 64, 1, 192, batch=4096, step=8192)}


def overrides(size: Size, device: str, *, compiled: bool = False, steps: int = 24) -> list[str]:
    """Settings of one training."""
    model = [f"pretrain.model.{name}={value}" for name, value in size.shape().items()]
    reading = {"tokens_per_batch": size.batch, "tokens_per_step": size.step}
    given = [f"pretrain.reading.{name}={value}" for name, value in reading.items()]
    flags = [f"device={device}", f"pretrain.compile={str(compiled).lower()}", f"pretrain.steps={steps}"]
    return [*model, *given, *flags]


def config_of(path: Path, size: Size, device: str, *, compiled: bool = False, steps: int = 24) -> Config:
    """The settings of one training, checked."""
    from genomecli.config import load_config

    return load_config(path, overrides(size, device, compiled=compiled, steps=steps), needs=["pretrain"])


def job_of(config: Config) -> Job:
    """The training, assembled."""
    from genomecli.commands.pretrain import open_corpus
    from genomecli.training.job import Job
    from genomecli.training.machine import settle

    machine = settle(config.device, config.precision, config.threads)
    return Job(config.pretrain, config.seed, open_corpus(config.pretrain.corpus), machine)


def parameters(size: Size, vocabulary: int = 32) -> int:
    """Weights of a network."""
    from genomecli.models.cost import estimate_cost

    return estimate_cost(size.settings(), vocabulary).parameters["total"]
