"""Settings of ``finetune``: a body, labelled data, what is predicted, and how it is trained and judged."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from genomecli.models.settings import ModelSettings
from genomecli.settings import InputPath, Name, Section, setting
from genomecli.tasks.settings import (
    BaselineSettings,
    DataSettings,
    HeadSettings,
    MetricSettings,
    SplitSettings,
    TargetName,
    TargetSettings,
)
from genomecli.training.settings import Loggers, OptimiserSettings, ScheduleSettings, loggers_setting


class LoraSettings(Section):
    """Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685); needs the extra ``lora``."""

    rank: int = setting(8, ge=1, le=256, doc="Rank of the update of each adapted matrix.")
    alpha: float = setting(16.0, gt=0, doc="The update is scaled by alpha / rank.")
    dropout: float = setting(0.0, ge=0, lt=1, doc="Dropout before the update.")
    modules: Annotated[tuple[Name, ...], Field(min_length=1)] | None = setting(
        None,
        doc="Names of the linear layers that are adapted. Left out: qkv and out of attention, taps and out "
        "of convolution; out is the last one of feed-forward layers too.",
    )


class JudgingSettings(MetricSettings):
    """How predictions are judged, and of which rows."""

    test: bool = setting(
        True,
        doc="Judge the test rows. false is for trying settings: test rows are neither predicted nor measured "
        "then, and the verdict is that of the validation rows. Choose settings so, and judge the test rows "
        "in one last run with true; who chooses by test figures has no test rows left.",
    )


class FinetuneSettings(Section):
    """What ``finetune`` trains on labelled data, and how it is judged."""

    model: InputPath | None = setting(
        None,
        doc="Pretrained run, checkpoint, or folder of Hugging Face's; also --model. null: random weights of "
        "the section network.",
    )
    checkpoint: Literal["best", "last"] = setting("best", doc="Which checkpoint of a run folder.")
    network: ModelSettings | None = setting(
        None, doc="Sizes of a network that starts from random weights; only without model."
    )
    tokens: Literal["base", "codon", "kmer3", "kmer6"] = setting(
        "base", doc="Tokens of DNA of a network that starts from random weights."
    )
    species: Name | None = setting(
        None,
        doc="The species of the model that the sequences are read as; needed if it tells several apart (by "
        "tokens of their own, or a language embedding). Left out: of a tuned model, that of its tuning.",
    )
    data: DataSettings = setting(doc="The labelled data.")
    targets: dict[TargetName, TargetSettings] = setting(
        doc="What is predicted, by name; several share one body.", min_length=1
    )
    split: SplitSettings = setting(SplitSettings(), doc="Training, validation and test.")
    head: HeadSettings = setting(HeadSettings(), doc="What stands on top of the body.")
    weighting: Literal["sum", "uncertainty"] = setting(
        "sum",
        doc="Several targets: sum of their losses, or weights learned from each target's noise "
        "(Kendall et al. 2018, arXiv:1705.07115).",
    )
    tune: Literal["full", "last", "frozen", "embeddings", "lora"] = setting(
        "full",
        doc="full: all weights; last: the last layers; frozen: the head alone; embeddings: the body's "
        "embedding rows as first layer of a small network; lora: low-rank updates.",
    )
    last_layers: int = setting(1, ge=1, doc="For tune last: how many blocks are trained.")
    layer_decay: float = setting(
        1.0, gt=0, le=1, doc="Factor of the learning rate from each block to the one below it."
    )
    lora: LoraSettings = setting(LoraSettings(), doc="For tune lora.")
    dropout: float | None = setting(
        None,
        ge=0,
        lt=1,
        doc="Dropout in the body while it is tuned, and of networks it is held against; left out: its own.",
    )
    optimiser: OptimiserSettings = setting(OptimiserSettings(), doc="How weights follow the gradient.")
    schedule: ScheduleSettings = setting(
        ScheduleSettings(kind="linear", warmup=0.1), doc="How the learning rate moves."
    )
    epochs: float = setting(20.0, gt=0, doc="Passes over the training rows, at most.")
    batch_size: int = setting(32, ge=1, doc="Sequences a step; several processes share them.")
    tokens_per_batch: int = setting(
        16_384,
        ge=16,
        unit="tokens",
        doc="Tokens computed at once by a process, padding included; a step may take several.",
    )
    context: int | None = setting(
        None, ge=4, unit="tokens", doc="Longest text that is read at once; left out: all that the body takes."
    )
    long_input: Literal["window", "truncate", "error"] = setting(
        "window",
        doc="Longer sequences. window: trained on random stretches, predicted from overlapping windows; "
        "truncate: the first tokens; error: stop.",
    )
    validate_every: float = setting(1.0, gt=0, doc="Epochs between validations.")
    patience: int = setting(
        5, ge=0, doc="End after this many validations without a better loss; 0 goes on to the end."
    )
    clip: float = setting(1.0, ge=0, doc="Largest norm of the gradient; 0 leaves it as it is.")
    bad_loss: Literal["stop", "skip"] = setting(
        "stop",
        doc="What becomes of a step whose loss is no finite number: the run stops and names its rows, or the "
        "step changes nothing and the run goes on, at most 20 times in a row. skip waits for each loss.",
    )
    log_every: int = setting(
        20, ge=1, unit="steps", doc="Steps between log lines; at most a twentieth of all."
    )
    loggers: Loggers = loggers_setting()
    seeds: Annotated[int, Field(ge=1, le=1000)] | tuple[Annotated[int, Field(ge=0)], ...] | None = setting(
        None, doc="Replicates: how many seeds, from the top-level seed on, or which ones."
    )
    max_minutes: float | None = setting(
        None, gt=0, unit="minutes", doc="Save a checkpoint and stop with exit code 75 when this time is over."
    )
    baselines: BaselineSettings = setting(
        BaselineSettings(), doc="What the network is held against, on the same split."
    )
    metrics: JudgingSettings = setting(JudgingSettings(), doc="How predictions are judged.")

    @model_validator(mode="after")
    def _check(self) -> FinetuneSettings:
        problems = []
        if self.model is not None and self.network is not None:
            problems.append("give model or network, not both")
        if self.seeds not in (None, 1) and self.split.folds:
            problems.append("give several seeds or folds, not both: their spreads mean different things")
        if self.model is None and self.tune in ("last", "frozen", "embeddings", "lora"):
            problems.append(f"tune {self.tune} needs a model; random weights are tuned in full")
        if self.optimiser.name == "muon" and self.tune == "frozen":
            problems.append(
                "optimiser.name muon and tune frozen do not go together: Muon takes the matrices of blocks, "
                "and frozen trains none of them; set optimiser.name to adamw, or tune to full, last or lora"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self
