"""What a run takes over of the network that ``init_from`` names: its sizes, and its words if others made it.

A network of ours reads what its own lexicon says, which must be that of the run. One that others trained
brings its words: the run reads the corpus with them, as far as they go. Only names and settings are read
here, no weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genomecli.corpus.lexicon import MOLECULE_ALPHABETS, Lexicon
from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.corpus.sampling import reading_lexicon
from genomecli.errors import ConfigError, refusing
from genomecli.files import read_json
from genomecli.models.settings import ModelSettings
from genomecli.training.checkpoint import Identity, find_checkpoint
from genomecli.training.settings import PretrainSettings

IMPORTED = "imported"
"""Key of a checkpoint's settings that says: translated from a folder of Hugging Face's."""


@dataclass(frozen=True)
class Origin:
    """The network that a run begins from.

    Args:
        name: of its folder.
        model: its settings.
        lexicon: what its ids mean.
        foreign: the alphabet that others trained it on, ``dna`` or ``protein``; empty for one of ours, also
            after ``export``.
        absent: words of the lexicon that it does not have.
    """

    name: str
    model: Mapping[str, Any]
    lexicon: Lexicon
    foreign: str = ""
    absent: tuple[str, ...] = ()


def read_origin(path: str) -> Origin:
    """The network of a run or checkpoint. Raises InputError if it is none."""
    folder = find_checkpoint(path)
    told = read_json(folder / "config.json").get(IMPORTED, {})
    with refusing("is no state of a checkpoint", where=folder / "state.json"):
        model = dict(read_json(folder / "state.json")["identity"]["model"])
    lexicon = Lexicon.from_dict(read_json(folder / "lexicon.json"), where=folder)
    absent = tuple(told.get("absent", ()))
    return Origin(Path(path).resolve().name, model, lexicon, told.get("alphabet", ""), absent)


def origin_of(settings: PretrainSettings) -> Origin | None:
    """That of ``init_from``; None without it, or where its folder is gone since the run began."""
    path = settings.init_from
    return read_origin(path) if path is not None and Path(path).exists() else None


def with_network(
    settings: PretrainSettings, origin: Origin | None, before: Identity | None
) -> PretrainSettings:
    """The settings with the sizes of the origin, where ``model`` is left out.

    Args:
        settings: of the run.
        origin: of ``init_from``, if there is one.
        before: what a resumed run began with, for an origin that is gone.

    Raises:
        ConfigError: if texts are longer than that network takes.
    """
    if settings.init_from is None or "model" in settings.model_fields_set:
        return settings
    told = origin.model if origin is not None else before.model if before is not None else None
    if told is None:
        return settings
    with refusing("its settings are those of no network", where=settings.init_from):
        model = ModelSettings.model_validate(dict(told))
    if model.context < settings.reading.context:
        what = f"reading.context is {settings.reading.context}, and the network of init_from takes"
        raise ConfigError([f"{what} {model.context} tokens at most; set reading.context to that or less"])
    return settings.model_copy(update={"model": model})


def run_lexicon(
    default: Lexicon, reading: ReadingSettings, origin: Origin | None, kept: Lexicon | None = None
) -> Lexicon:
    """The lexicon that a run reads with: that of the settings, or the words of a foreign origin.

    Args:
        default: the corpus' own.
        reading: of the run.
        origin: of ``init_from``, if there is one.
        kept: of the run that is resumed, for an origin that is gone.

    Raises:
        ConfigError: if the words of the origin cannot read what the settings ask for.
    """
    usual = reading_lexicon(default, reading)
    if origin is None:
        return usual if kept is None else kept
    if not origin.foreign:
        return usual
    _check_words(origin, reading)
    return as_species(origin.lexicon, usual.species)


def as_species(lexicon: Lexicon, species: tuple[str, ...]) -> Lexicon:
    """A foreign lexicon as that of these species, which all read its words."""
    return replace(lexicon, species=species)


def _check_words(origin: Origin, reading: ReadingSettings) -> None:
    problems = []
    others = [name for name in reading.molecules if MOLECULE_ALPHABETS[name] != origin.foreign]
    if others:
        has = "[cds], [genome] or both" if origin.foreign == "dna" else "[protein]"
        holds = "DNA" if origin.foreign == "dna" else "proteins"
        problems.append(
            f"reading.molecules names {' and '.join(others)}, and {origin.name} of init_from has words of "
            f"{holds} alone; set it to {has}"
        )
    if reading.tokens is not None:
        problems.append(
            f"reading.tokens is set, and {origin.name} of init_from brings its own words; leave it out"
        )
    if problems:
        raise ConfigError(problems, where="pretrain")
    for tokenizer in origin.lexicon.tokenizers:
        tokenizer.check_uniform("pretrain.init_from")
