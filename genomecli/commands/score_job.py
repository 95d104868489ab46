"""What a run of ``score`` is made of: model, machine, and how each kind of sequence is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomecli.commands.spared import input_file
from genomecli.corpus.tokenizers import Tokenizer
from genomecli.errors import InputError, UsageError
from genomecli.files import read_json, read_manifest
from genomecli.inference.batching import SPECIAL_TOKENS
from genomecli.inference.engine import Engine
from genomecli.inference.items import Molecule, Strand
from genomecli.inference.marginals import Score, Scorer
from genomecli.inference.sources import Frames
from genomecli.inference.surprise import Scan
from genomecli.inference.training_history import TrainingHistory
from genomecli.runtime import log, pick_device, pick_precision, set_threads
from genomecli.sequences.codes import GeneticCode, genetic_code

if TYPE_CHECKING:
    from genomecli.config import Config
    from genomecli.inference.score_settings import ScoreSettings

_PLACES = (
    "model",
    "checkpoint",
    "vcf",
    "reference",
    "mutations",
    "wildtype",
    "scan",
    "figures",
    "tokens_per_batch",
)
"""Settings that do not change a score, or are known better by checksums."""

LEVELS = ("base", "residue")


@dataclass(frozen=True)
class Job:
    """A run, ready to go.

    Args:
        settings: section ``score``.
        engine: with the model.
        frames: that the run was trained at.
        history: what the run has learned.
        meta: model and settings, without places.
        config: resolved settings, for ``run.json``.
        seed: of the bootstrap.
    """

    settings: ScoreSettings
    engine: Engine
    frames: Frames
    history: TrainingHistory
    meta: Mapping[str, Any]
    config: Mapping[str, Any]
    seed: int

    @property
    def scale(self) -> float:
        """What natural logarithms are multiplied with."""
        return 1 / math.log(2) if self.settings.unit == "bits" else 1.0

    def scaled(self, score: Score) -> list[float | None]:
        """Score, forward and reverse in the unit that is asked for."""
        values = (score.value, score.forward, score.reverse)
        return [None if value is None else self.scale * value for value in values]


def open_job(config: Config, settings: ScoreSettings) -> Job:
    """Open the model.

    Raises:
        InputError: if it cannot be opened, or the window does not fit.
        UsageError: if the device is not there.
    """
    from genomecli.training.checkpoint import find_checkpoint, load_model

    assert settings.model is not None
    set_threads(config.threads)
    device = pick_device(config.device)
    loaded = load_model(settings.model, device, prefer=settings.checkpoint)
    meta = identity(config, settings)
    folder = find_checkpoint(settings.model, prefer=settings.checkpoint)
    trained = read_json(folder / "config.json")
    _check_words(trained, settings.model)
    history = TrainingHistory.of(trained)
    window = settings.window
    if window is None:  # places beyond the longest text of the training are new to the network
        context = loaded.settings.context
        window = min(history.context or context, context) - SPECIAL_TOKENS
    engine = Engine(loaded, device, meta["precision"], settings.tokens_per_batch, window=window)
    frames = Frames.of_run(trained)
    log.info("model at step %d on %s, %s", loaded.step, device, meta["precision"])
    resolved = {**config.common.model_dump(mode="json"), "score": settings.model_dump(mode="json")}
    return Job(settings, engine, frames, history, meta, resolved, config.seed)


def _check_words(trained: Mapping[str, Any], where: str) -> None:
    """Raise InputError for a vocabulary without some codon, of whose chance nothing is known."""
    absent = trained.get("imported", {}).get("absent", ())
    if absent:
        what = f"has no word for {', '.join(absent)}, so that chances of codons cannot be compared"
        raise InputError(what, where=where, fix="score with a model that has all 64 codons")


def identity(config: Config, settings: ScoreSettings) -> dict[str, Any]:
    """What decides the scores besides the inputs: model, settings, precision, kind of device, seed.

    On a CPU ``precision: auto`` is fp32: scores are differences of large numbers.
    """
    from genomecli.training.checkpoint import find_checkpoint

    assert settings.model is not None
    folder = find_checkpoint(settings.model, prefer=settings.checkpoint)
    device = pick_device(config.device)
    plain = device.type == "cpu" and config.precision == "auto"
    return {
        "model": read_manifest(folder)["files"]["model.safetensors"]["sha256"],
        "settings": settings.model_dump(mode="json", exclude=set(_PLACES)),
        "precision": "fp32" if plain else pick_precision(config.precision, device),
        "device": device.type,
        "seed": config.seed if settings.measured is not None else None,
    }


@dataclass(frozen=True)
class Readings:
    """How sequences of one kind are read.

    Args:
        molecule: what they are.
        tokenizer: of their language.
        language: its index.
        strands: that are read.
        frames: that are read.
        code: by which codons that mean the same are summed; None to compare tokens.
    """

    molecule: Molecule
    tokenizer: Tokenizer
    language: int
    strands: tuple[Strand, ...]
    frames: tuple[int, ...]
    code: GeneticCode | None

    def scorer(self, job: Job, *, hidden: bool = False) -> Scorer:
        """How variants of such sequences are scored; with ``hidden``, where the model sees nothing.

        Raises:
            UsageError: for a method that these tokens do not allow.
        """
        settings = job.settings
        if settings.method == "wildtype" and self.tokenizer.span > 1:
            raise UsageError(
                "where tokens overlap, a base that is not hidden stands in its neighbours",
                where="score.method wildtype",
                fix="use masked or pseudo_perplexity",
            )
        return Scorer(
            self.tokenizer,
            self.language,
            "masked" if hidden else settings.method,
            job.engine.window,
            self.strands,
            self.frames,
            settings.reach,
            max(1, settings.passes),
            self.code,
            settings.max_indel,
            hidden,
        )

    def scan(self, job: Job) -> Scan:
        """How such sequences are scanned. Raises UsageError if nothing is hidden and tokens overlap."""
        if job.settings.passes == 0 and self.tokenizer.span > 1:
            raise UsageError(
                "where tokens overlap, a base that is not hidden stands in its neighbours",
                where="score.passes 0",
                fix="set it to 1 or more",
            )
        return Scan(
            self.tokenizer, self.language, job.engine.window, self.strands, self.frames, job.settings.passes
        )


def readings(job: Job, molecule: Molecule) -> Readings:
    """How sequences of ``molecule`` are read.

    Raises:
        InputError: if the model has no tokens for it, or never learned to predict them.
        ConfigError: for tokens of several lengths.
        UsageError: for a species, frame or way to treat synonyms that the model does not allow.
    """
    settings, lexicon = job.settings, job.engine.lexicon
    species = _species(job)
    note = job.history.check(molecule, settings.model)
    if note is not None:
        log.warning(note)
    tokenizer = lexicon.tokenizer(species, molecule)
    tokenizer.check_uniform("score")
    dna = molecule != "protein"
    wanted = settings.strand
    if wanted == "auto":
        wanted = "both" if molecule == "genome" else "+"
    strands: tuple[Strand, ...] = ("+", "-") if wanted == "both" else ("-",) if wanted == "-" else ("+",)
    frames = _frames(job, tokenizer, molecule) if dna else (0,)
    code = _code(settings, tokenizer, frames) if dna else None
    language = lexicon.language_id(species, molecule)
    return Readings(molecule, tokenizer, language, strands if dna else ("+",), frames, code)


def _species(job: Job) -> str:
    wanted, known = job.settings.species, job.engine.lexicon.species
    if wanted is not None and wanted not in known:
        raise UsageError(f"the model does not know species {wanted!r}", fix=f"it knows {', '.join(known)}")
    told_apart = job.engine.lexicon.scope == "per_species" or job.engine.settings.language_embedding
    if wanted is None and len(known) > 1 and told_apart:
        what = f"the model tells {len(known)} species apart"
        raise UsageError(what, fix=f"set score.species to one of {', '.join(known)}")
    return wanted or known[0]


def _frames(job: Job, tokenizer: Tokenizer, molecule: Molecule) -> tuple[int, ...]:
    wanted, stride = job.settings.frame, tokenizer.stride
    if wanted == "all" or (wanted == "auto" and molecule == "genome"):
        return tuple(range(stride))
    frame = job.frames.cds if wanted == "auto" else wanted
    if frame >= stride:
        raise UsageError(f"frame {frame} is no frame of tokens every {stride} bases", fix="set score.frame")
    return (frame,)


def _code(settings: ScoreSettings, tokenizer: Tokenizer, frames: tuple[int, ...]) -> GeneticCode | None:
    codons = (tokenizer.k, tokenizer.stride) == (3, 3)
    if settings.synonyms == "sum" and not codons:
        raise UsageError("the model's tokens are no codons", where="score.synonyms sum", fix="use auto")
    if settings.synonyms == "separate" or not codons or (settings.synonyms == "auto" and len(frames) > 1):
        return None
    return genetic_code(settings.table or 1)


def stamp(path: Path) -> list[Any]:
    """What tells that a file has changed, without reading it: path, bytes, time."""
    if str(path) == "-":
        return ["-"]
    status = input_file(path).stat()
    return [str(path.resolve()), status.st_size, status.st_mtime_ns]
