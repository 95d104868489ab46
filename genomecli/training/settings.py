"""Settings of training: optimiser, schedule, and the ``pretrain`` section."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.models.settings import ModelSettings
from genomecli.objectives.settings import ObjectiveSettings
from genomecli.settings import InputPath, Name, Section, setting


def _whole(value: object) -> object:
    """25e6 is a whole number, though YAML reads a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, BeforeValidator(_whole)]
Beta = Annotated[float, Field(ge=0, lt=1)]


class _OptimiserOptions(Section):
    name: Name = setting(
        "adamw",
        doc="Registered name of the optimiser: adamw, or muon for the matrices of blocks (torch 2.9).",
    )
    betas: tuple[Beta, Beta] = setting((0.9, 0.98), doc="AdamW's decay of the first and second moment.")
    eps: float = setting(1e-8, gt=0, doc="Added to the root of the second moment.")
    weight_decay: float = setting(
        0.01, ge=0, doc="Decoupled decay of matrices; norms, biases and embeddings do not decay."
    )


class OptimiserSettings(_OptimiserOptions):
    """How weights follow the gradient."""

    lr: float = setting(1e-3, gt=0, doc="Peak learning rate.")


class FreshOptimiserSettings(_OptimiserOptions):
    """How the weights of a new network follow the gradient."""

    lr: Annotated[float, Field(gt=0)] | Literal["auto"] = setting(
        "auto",
        doc="Peak learning rate. auto: by the width of the network, 2e-3 up to 64, and from there falling "
        "with its square root: 1e-3 at 256, 5.8e-4 at 768.",
    )

    def settled(self, width: int) -> OptimiserSettings:
        """With a number for the rate of a network of ``width``, see :func:`rate_for`."""
        values = self.model_dump()
        return OptimiserSettings(**{**values, "lr": rate_for(width) if self.lr == "auto" else self.lr})


def rate_for(width: int) -> float:
    """Peak learning rate of a network of ``width``: 2e-3 x sqrt(64 / width), at most 2e-3.

    2e-3 was measured with the preset tiny; ModernBERT (arXiv:2412.13663) takes 8e-4 at width 768 and 5e-4 at
    1024, with larger batches.
    """
    return float(f"{2e-3 * min(1.0, math.sqrt(64 / width)):.2g}")


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


class ProbeSettings(Section):
    """Figures that are measured along training."""

    mrr_every: int = setting(
        0, ge=0, unit="steps", doc="Steps between measurements of the MRR on held-out records; 0 is never."
    )
    mrr_tokens: int = setting(
        20_000, ge=100, unit="tokens", doc="Tokens of each language and species that the MRR is measured on."
    )


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("names one twice; name each once")
    return names


Loggers = Annotated[tuple[Literal["tensorboard", "wandb"], ...], AfterValidator(_each_once)]
"""Programs that figures along training are also written for."""


def loggers_setting() -> Any:
    """The setting of that name, which pretrain and finetune share."""
    return setting(
        (),
        doc="Also write the figures along training for tensorboard (extra tensorboard; event files in a "
        "folder of that name in the run) or wandb (extra wandb; an offline run, nothing is sent).",
    )


class PretrainSettings(Section):
    """What ``pretrain`` trains, on what, for how long, and what it keeps."""

    corpus: InputPath = setting(doc="Corpus folder made by tokenize.")
    model: ModelSettings = setting(ModelSettings(), doc="The network.")
    reading: ReadingSettings = setting(ReadingSettings(), doc="Which texts are read, and in what batches.")
    objectives: ObjectiveSettings = setting(ObjectiveSettings(), doc="What is learned from them.")
    optimiser: FreshOptimiserSettings = setting(
        FreshOptimiserSettings(), doc="How weights follow the gradient."
    )
    schedule: ScheduleSettings = setting(ScheduleSettings(), doc="How the learning rate moves.")
    steps: int | None = setting(None, ge=1, doc="Optimiser steps. Give one of steps, tokens and epochs.")
    tokens: Count | None = setting(
        None, ge=1, unit="tokens", doc="Tokens to train on, about; padding not counted. 25e6 is fine."
    )
    epochs: float | None = setting(None, gt=0, doc="Passes over the texts.")
    clip: float = setting(1.0, ge=0, doc="Largest norm of the gradient; 0 leaves it as it is.")
    bad_loss: Literal["stop", "skip"] = setting(
        "stop",
        doc="What becomes of a step whose loss is no finite number: the run stops and names its records, or "
        "the step changes nothing and the run goes on, at most 20 times in a row. skip waits for each loss.",
    )
    compile: bool = setting(
        False,
        doc="Compile the blocks with torch.compile. It pays where batches have one shape, which they have on "
        "CUDA, where texts are packed; elsewhere each new shape is compiled anew.",
    )
    shard: bool = setting(
        False,
        doc="Processes that train together hold a share each of the blocks' weights, gradients and optimiser "
        "state (FSDP2), for networks that one GPU does not hold. In fp32 or bf16.",
    )
    log_every: int = setting(20, ge=1, unit="steps", doc="Steps between log lines.")
    loggers: Loggers = loggers_setting()
    validate_every: int = setting(
        500, ge=0, unit="steps", doc="Steps between validations; 0 validates at the end alone."
    )
    save_every: int = setting(
        500, ge=0, unit="steps", doc="Steps between checkpoints; 0 saves the best and the last alone."
    )
    keep: int = setting(2, ge=0, doc="Regular checkpoints to keep beside the best and the last; 0 keeps all.")
    max_minutes: float | None = setting(
        None, gt=0, unit="minutes", doc="Save a checkpoint and stop with exit code 75 when this time is over."
    )
    patience: int = setting(
        0, ge=0, doc="End after this many validations without a better loss; 0 goes on to the end."
    )
    seeds: Annotated[int, Field(ge=1, le=1000)] | tuple[Annotated[int, Field(ge=0)], ...] | None = setting(
        None, doc="Replicates: how many seeds, from the top-level seed on, or which ones."
    )
    init_from: InputPath | None = setting(
        None,
        doc="Run, checkpoint or folder of Hugging Face's whose weights a new run begins with. Where model is "
        "left out, its sizes are taken over. Its tokens must be the same; a folder of others brings its own, "
        "for genes or proteins alone.",
    )
    probes: ProbeSettings = setting(ProbeSettings(), doc="Figures that are measured along training.")

    @model_validator(mode="after")
    def _check(self) -> PretrainSettings:
        problems = []
        given = [name for name in ("steps", "tokens", "epochs") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            problems.append(f"give exactly one of steps, tokens and epochs, not {found}")
        borrowed = self.init_from is not None and "model" not in self.model_fields_set
        if self.model.context < self.reading.context and not borrowed:
            problems.append(
                f"model.context {self.model.context} is less than reading.context {self.reading.context}; "
                "raise the one or lower the other"
            )
        if isinstance(self.seeds, tuple) and (not self.seeds or len(set(self.seeds)) < len(self.seeds)):
            problems.append("seeds is empty or names one twice; name each seed once")
        if problems:
            raise ValueError("; ".join(problems))
        return self
