"""Names of objectives. A new one is one file and one line here, or one call from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from genomecli.corpus.lexicon import Lexicon
from genomecli.errors import ConfigError
from genomecli.objectives.cls import build_cls
from genomecli.objectives.mlm import build_mlm
from genomecli.objectives.protocol import Objective
from genomecli.objectives.settings import ObjectiveSettings
from genomecli.objectives.tlm import build_tlm

Build = Callable[[Any, Lexicon, Sequence[str]], Sequence[Objective]]

OBJECTIVES: dict[str, Build] = {
    "tlm": build_tlm,
    "mlm": build_mlm,
    "cls": build_cls,
}
"""Called with the objective's settings, the lexicon, and the names of all objectives of the run.

Objectives corrupt a batch in this order."""


def register_objective(name: str, build: Build) -> None:
    """Make ``objectives.others.NAME`` mean ``build``, which gets its settings as a plain dict.

    Raises:
        ValueError: if the name has another meaning already.
    """
    if OBJECTIVES.setdefault(name, build) is not build:
        raise ValueError(f"objective {name!r} is already registered; choose another name")


def build_objectives(settings: ObjectiveSettings, lexicon: Lexicon) -> tuple[Objective, ...]:
    """The objectives that the settings choose, in the registry's order.

    Raises:
        ConfigError: if one is not registered.
    """
    chosen: dict[str, Any] = {
        name: value for name in ("mlm", "tlm", "cls") if (value := getattr(settings, name)) is not None
    } | dict(settings.others)
    unknown = [name for name in chosen if name not in OBJECTIVES]
    if unknown:
        known = ", ".join(OBJECTIVES)
        raise ConfigError([f"unknown objective {name!r}; registered are {known}" for name in unknown])
    names = [name for name in OBJECTIVES if name in chosen]
    return tuple(made for name in names for made in OBJECTIVES[name](chosen[name], lexicon, names))
