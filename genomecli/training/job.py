"""A pretraining run of one seed, assembled: data, objectives, model, length. Nothing is trained here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from genomecli.corpus.anchors import token_pairs
from genomecli.corpus.batch import Batch
from genomecli.corpus.interface import Corpus
from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.packing import PackSizes
from genomecli.corpus.reading_settings import PAIRED, AnchorSettings, ReadingSettings
from genomecli.corpus.sampling import Sampler, tokens_of_a_pass
from genomecli.corpus.step_sizes import check_ranks, settle_sizes, settled
from genomecli.errors import ConfigError, InputError, refusing
from genomecli.files import read_manifest
from genomecli.models.encode import packs
from genomecli.models.language_model import LanguageModel, build_model, weights_seed
from genomecli.models.settings import ModelSettings
from genomecli.objectives.mixture import Mixture, build_mixture
from genomecli.runtime import log
from genomecli.training.checkpoint import (
    KIND,
    Checkpoint,
    Identity,
    fill_model,
    find_checkpoint,
    load_checkpoint,
)
from genomecli.training.estimate import Load
from genomecli.training.machine import Machine
from genomecli.training.origin import as_species, origin_of, run_lexicon, with_network
from genomecli.training.settings import PretrainSettings

if TYPE_CHECKING:
    from genomecli.models.stems import Stem

SIZES = ("tokens_per_batch", "tokens_per_step")
"""Settings of reading that may be left open, and that an :class:`Identity` keeps."""

SHAPELESS = frozenset({"preset", "dropout", "attention_dropout", "initializer_range", "zero_init_out"})
"""Settings of a model that its weights do not depend on once they are trained."""


@dataclass(frozen=True)
class CorpusOnDisk:
    """A corpus and what tells it apart.

    Args:
        reader: gives records and symbols.
        lexicon: the corpus's own.
        fingerprint: changes with any record.
        name: of its folder.
    """

    reader: Corpus
    lexicon: Lexicon
    fingerprint: str
    name: str


class Job:
    """A run of one seed.

    Args:
        settings: the section ``pretrain``.
        seed: of everything random.
        corpus: to train on.
        machine: where.
        before: what the run began with, if it is resumed: sizes left open stay what they were.
        kept: the lexicon of the run that is resumed.

    Attributes:
        settings: as given, with numbers for the sizes of batches and steps and the rate where left open.
        optimiser: settings of the optimiser, likewise.

    Raises:
        InputError: if there is nothing to train on, or ``init_from`` is of another lexicon.
        ConfigError: if settings do not fit the corpus.
    """

    def __init__(
        self,
        settings: PretrainSettings,
        seed: int,
        corpus: CorpusOnDisk,
        machine: Machine,
        before: Identity | None = None,
        kept: Lexicon | None = None,
    ) -> None:
        self.seed = seed
        self.corpus = corpus
        self.machine = machine
        self.origin = origin_of(settings)
        settings = with_network(settings, self.origin, before)
        self.lexicon = run_lexicon(corpus.lexicon, settings.reading, self.origin, kept)
        self.optimiser = settings.optimiser.settled(settings.model.width)
        rate = settings.optimiser.model_copy(update={"lr": self.optimiser.lr})
        reading = self._reading(settings, before)
        self.settings = settings.model_copy(update={"reading": reading, "optimiser": rate})
        self.sampler = Sampler(corpus.reader, self.lexicon, self.settings.reading, seed)
        check_ranks(self.settings.reading, self.sampler.micro_batches, machine.processes)
        if settings.shard and machine.precision == "fp16":
            raise ConfigError(["pretrain.shard takes precision bf16 or fp32, not fp16"])
        self.mixture: Mixture = build_mixture(settings.objectives, self.lexicon)
        self._check_objectives()

    def _reading(self, settings: PretrainSettings, before: Identity | None) -> ReadingSettings:
        reading = settings.reading
        known = {} if before is None else {name: getattr(before, name) for name in SIZES}
        kept = {name: size for name, size in known.items() if size and getattr(reading, name) == "auto"}
        reading = reading.model_copy(update=kept)
        if "auto" not in (reading.tokens_per_step, reading.tokens_per_batch):
            return reading
        planned = None if settings.tokens is None else float(settings.tokens)
        if settings.epochs is not None:
            planned = settings.epochs * tokens_of_a_pass(self.corpus.reader, self.lexicon, reading, self.seed)
        return settle_sizes(reading, planned)

    def _check_objectives(self) -> None:
        chosen, relation = self.settings.objectives, self.settings.reading.relation
        if chosen.tlm is not None and relation not in PAIRED:
            known = " or ".join(PAIRED)
            raise ConfigError(
                [f"objectives.tlm needs pairs; set reading.relation to {known}, not {relation}"]
            )

    @cached_property
    def reading(self) -> dict[str, Any]:
        """What the sampler says of the texts."""
        return self.sampler.describe()

    def whole_texts(self, tokens: int) -> Iterator[Batch]:
        """Training records, each whole and once, at most about ``tokens`` of a source.

        The texts of training are crops that may overlap; whoever counts words must not count them twice.
        """
        whole = {"context": tokens, "tokens_per_batch": tokens, "tokens_per_step": tokens, "pool": 1}
        reading = self.settings.reading.model_copy(update=whole | self._once())
        return Sampler(self.corpus.reader, self.lexicon, reading, self.seed).validation("train", tokens)

    def _once(self) -> dict[str, Any]:
        """Settings with which no gene is read both by itself and in a pair."""
        reading = self.settings.reading
        if reading.relation == "back_translated":
            return {"relation": "disjoint", "anchors": AnchorSettings()}
        return {"pairs": reading.pairs.model_copy(update={"share": None})}

    @cached_property
    def tokens_per_step(self) -> float:
        """Real tokens of one optimiser step, on average."""
        groups = self.reading["groups"]
        means = [group["tokens_per_epoch"] / group["texts_per_epoch"] for group in groups]
        texts_per_token = sum(group["share_of_tokens"] / m for group, m in zip(groups, means, strict=True))
        texts: float = self.reading["texts_per_step"]
        return texts / float(texts_per_token)

    @cached_property
    def steps(self) -> int:
        """Optimiser steps of the run."""
        if self.settings.steps is not None:
            return self.settings.steps
        tokens = self.settings.tokens
        wanted = float(tokens) if tokens is not None else (self.settings.epochs or 1.0) * self.corpus_tokens
        return max(1, math.ceil(wanted / self.tokens_per_step))

    @property
    def corpus_tokens(self) -> int:
        """Tokens of one pass over the training texts."""
        return sum(int(group["tokens_per_epoch"]) for group in self.reading["groups"])

    @property
    def identity(self) -> Identity:
        """What must stay when the run is resumed."""
        return Identity(
            model=self.settings.model.model_dump(mode="json"),
            corpus=self.corpus.fingerprint,
            seed=self.seed,
            steps=self.steps,
            threads=self.machine.threads,
            precision=self.machine.precision,
            device=self.machine.device.type,
            tokens_per_batch=settled(self.settings.reading.tokens_per_batch),
            tokens_per_step=settled(self.settings.reading.tokens_per_step),
            processes=self.machine.processes,
        )

    @property
    def pack(self) -> PackSizes | None:
        """Sizes of packed batches; None where texts are computed padded."""
        reading, machine = self.settings.reading, self.machine
        if not packs(self.settings.model, machine.device, machine.precision, training=True):
            return None
        return PackSizes(settled(reading.tokens_per_batch), reading.context)

    def load(self) -> Load:
        """What the estimate of time and memory is made of."""
        groups = self.reading["groups"]
        longest = max(group["tokens_per_epoch"] / group["texts_per_epoch"] for group in groups)
        masks = self.settings.objectives.mlm or self.settings.objectives.tlm
        return Load(
            vocabulary_size=self.lexicon.vocabulary.size,
            languages=len(self.lexicon.languages),
            length=min(self.settings.reading.context, max(8, round(longest))),
            batch_tokens=settled(self.settings.reading.tokens_per_batch),
            decoded=masks.rate if masks is not None else 0.01,
            device=self.machine.device,
            precision=self.machine.precision,
        )

    def heads(self) -> dict[str, nn.Module]:
        """Fresh heads of the objectives."""
        return self.mixture.heads(self.settings.model.width, self.lexicon)

    def empty_model(self) -> LanguageModel:
        """The model with weights of the seed, on the device."""
        with torch.random.fork_rng(devices=[]):
            heads = self.heads()
        model = build_model(
            self.settings.model,
            self.lexicon.vocabulary.size,
            len(self.lexicon.languages),
            seed=weights_seed(self.seed),
            heads=heads,
        )
        return model.to(self.machine.device)

    def new_model(self) -> LanguageModel:
        """The model that a new run begins with: of the seed, or of ``init_from``."""
        model = self.empty_model()
        if self.settings.init_from is not None:
            self._fill_from(model, self.settings.init_from)
        if self.settings.reading.anchors.shared_start:
            self._share_start(model)
        return model

    def _share_start(self, model: LanguageModel) -> None:
        """Codons that are anchored begin as their amino acid, plus half of their own vector."""
        pairs = {
            pair
            for species, anchors in self.sampler.anchors.items()
            for pair in token_pairs(self.lexicon, species, anchors)
        }
        rows = torch.tensor(sorted(pairs), dtype=torch.long, device=self.machine.device).reshape(-1, 2)
        weight = cast("Stem", model.encoder.stem).output_weight()
        with torch.no_grad():
            weight[rows[:, 0]] = weight[rows[:, 1]] + 0.5 * weight[rows[:, 0]]

    def check_init(self) -> None:
        """See that the weights of ``init_from`` fit, if it is set. Raises InputError."""
        if self.settings.init_from is not None:
            self._read_init(self.settings.init_from)

    def _read_init(self, path: str) -> Checkpoint:
        checkpoint = load_checkpoint(path, optimiser=False)
        there = checkpoint.lexicon
        if self.origin is not None and self.origin.foreign:
            there = as_species(there, self.lexicon.species)
        check_lexicon(there, self.lexicon, path)
        check_shape(checkpoint.identity.model, self.settings.model, path)
        return checkpoint

    def _fill_from(self, model: LanguageModel, path: str) -> None:
        checkpoint = self._read_init(path)
        fresh = {name: value for name, value in model.state_dict().items() if name.startswith("heads.")}
        kept = {**fresh, **checkpoint.model}
        left_out = fill_model(model, kept, where=path)
        new = sorted({name.split(".")[1] for name in fresh if name not in checkpoint.model})
        log.info("weights of %s, step %d", path, checkpoint.progress.step)
        if self.origin is not None and self.origin.absent:
            what = "%s has no word for %s, which begin as its unknown word"
            log.warning(what, self.origin.name, ", ".join(self.origin.absent))
        for what, names in (("left out", left_out), ("new", new)):
            if names:
                log.warning("heads %s: %s", what, ", ".join(names))

    def config(self, common: Mapping[str, Any]) -> dict[str, Any]:
        """The resolved settings of the run, with names and fingerprints of its inputs instead of paths.

        Where the corpus has none of a kind of text that ``reading.molecules`` names, ``inputs.molecules`` are
        those that it has: the network learns nothing of the others.

        Args:
            common: device, precision and threads as they were set.
        """
        section = self.settings.model_dump(mode="json")
        section["corpus"] = self.corpus.name
        inputs: dict[str, Any] = {"corpus": self.corpus.fingerprint}
        if self.settings.init_from is not None:
            section["init_from"] = Path(self.settings.init_from).name
            inputs["init_from"] = weights_digest(self.settings.init_from)
        reading = self.settings.reading
        groups = self.corpus.reader.groups
        held = {one.molecule for one in groups if one.species in (reading.species or self.lexicon.species)}
        if not held.issuperset(reading.molecules):
            inputs["molecules"] = [name for name in reading.molecules if name in held]
        return {**common, "seed": self.seed, "pretrain": section, "inputs": inputs}


def weights_digest(path: str) -> str | None:
    """The sha256 of the weights that ``path`` means; None if it is no longer there."""
    if not Path(path).exists():
        return None
    manifest = read_manifest(find_checkpoint(path), KIND)
    return str(manifest["files"]["model.safetensors"]["sha256"])


def check_lexicon(there: Lexicon, here: Lexicon, where: object) -> None:
    """Refuse weights whose ids mean something else.

    Raises:
        InputError: with both fingerprints and what each lexicon holds.
    """
    if there.fingerprint != here.fingerprint:
        raise InputError(
            f"its tokens are {_describe(there)}, and those of this run are {_describe(here)}",
            where=where,
            fix="set reading.tokens and reading.species as they were there",
        )


def _describe(lexicon: Lexicon) -> str:
    blocks = " ".join(f"{block.name}:{len(block.tokens)}" for block in lexicon.vocabulary.blocks)
    return f"{lexicon.fingerprint} ({', '.join(lexicon.species)}; {lexicon.scope} {blocks})"


def check_shape(there: Mapping[str, Any], here: ModelSettings, where: object) -> None:
    """Refuse weights of another network. Raises InputError naming each setting with both values."""
    mine = here.model_dump(mode="json")
    # Settings that an earlier version did not have count as their defaults.
    with refusing("its settings are those of no network", where=where):
        there = ModelSettings.model_validate(dict(there)).model_dump(mode="json")
    names = sorted({*there, *mine} - SHAPELESS)
    different = [f"{n} {there.get(n)!r} not {mine.get(n)!r}" for n in names if there.get(n) != mine.get(n)]
    if different:
        what, fix = f"is of another network: {', '.join(different)}", "leave model out, or set it alike"
        raise InputError(what, where=where, fix=fix)
