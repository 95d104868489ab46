"""A tuning run of one seed, assembled: network, heads, data, length. Nothing is trained here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from genomecli.errors import ConfigError
from genomecli.models.language_model import LanguageModel, build_model, weights_seed
from genomecli.training.checkpoint import Identity, fill_model
from genomecli.training.finetune_settings import FinetuneSettings
from genomecli.training.machine import Machine
from genomecli.training.optimiser import build_optimiser
from genomecli.training.starts import Start
from genomecli.training.task_data import TaskData
from genomecli.training.task_learner import TaskLearner
from genomecli.training.task_spec import TaskSpec
from genomecli.training.task_texts import TaskTexts
from genomecli.training.tuning import choose_trained, rate_scales


class TuningJob:
    """A run of one seed.

    Args:
        settings: the section ``finetune``.
        seed: of everything random.
        start: the network that it begins from.
        spec: targets, heads and reading.
        rows: what is trained on.
        machine: where.
        data: fingerprint of the labelled data and of the split.

    Raises:
        ConfigError: see :func:`check_share`.
    """

    def __init__(
        self,
        settings: FinetuneSettings,
        seed: int,
        start: Start,
        spec: TaskSpec,
        rows: TaskTexts,
        machine: Machine,
        data: str,
    ) -> None:
        check_share(settings, len(rows), machine.processes)
        self.settings = settings.model_copy(update={"tune": start.tune})
        self.seed = seed
        self.start = start
        self.spec = spec
        self.machine = machine
        self.fingerprint = data
        self.data = TaskData(
            rows,
            seed,
            batch_size=settings.batch_size,
            tokens_per_batch=settings.tokens_per_batch,
            window=spec.window,
            truncate=spec.long_input == "truncate",
        )
        self.learner = TaskLearner(
            spec.targets, rows.texts.stride, uncertainty=spec.weighting == "uncertainty"
        )

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole run, if it does not end before."""
        return self.data.steps(self.settings.epochs)

    @property
    def validate_every(self) -> int:
        """Steps between validations."""
        return self.data.steps(self.settings.validate_every)

    @property
    def identity(self) -> Identity:
        """What must stay when the run is resumed."""
        return Identity(
            model=self.start.settings.model_dump(mode="json"),
            corpus=self.fingerprint,
            seed=self.seed,
            steps=self.steps,
            threads=self.machine.threads,
            precision=self.machine.precision,
            device=self.machine.device.type,
            processes=self.machine.processes,
        )

    def model(self) -> LanguageModel:
        """The network that a new run begins with, on the device, with the weights to train chosen."""
        start = self.start
        seed = weights_seed(self.seed)
        with torch.random.fork_rng(devices=[]):
            heads = self.spec.heads(start.settings.width, start.lexicon)
        lexicon = start.lexicon
        model = build_model(
            start.settings, lexicon.vocabulary.size, len(lexicon.languages), seed=seed, heads=heads
        )
        fill_model(model, {**model.state_dict(), **start.tensors}, where="the network")
        choose_trained(model, self.settings, seed)
        return model.to(self.machine.device)

    def optimiser(self, model: LanguageModel) -> torch.optim.Optimizer:
        """The optimiser of the weights that are trained."""
        decay, rate = self.settings.layer_decay, self.settings.optimiser.lr
        plain = decay == 1.0 and self.spec.weighting == "sum"
        scale = None if plain else rate_scales(model, decay, rate)
        return build_optimiser(model, self.settings.optimiser, self.machine.device, scale)


def check_share(settings: FinetuneSettings, rows: int, processes: int) -> None:
    """See that each process has a row of each step, since all of them compute every step.

    Args:
        settings: the section ``finetune``.
        rows: what is trained on.
        processes: that train together.

    Raises:
        ConfigError: saying what to set.
    """
    size = min(settings.batch_size, rows)
    if processes <= size:
        return
    shared = "1 sequence" if size == 1 else f"{size} sequences"
    fix = f"start at most {size} of them" + (", or raise it" if rows > size else "")
    raise ConfigError([f"finetune.batch_size: {processes} processes share {shared} a step; {fix}"])


def trained_parameters(model: LanguageModel) -> Mapping[str, Any]:
    """How many weights the network has, and how many are trained."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return {"parameters": sum(n for n, _ in sizes), "trained": sum(n for n, on in sizes if on)}
