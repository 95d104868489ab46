"""Names of mixers, stems and heads. A new one is one file and one line here, or one call from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from genomecli.errors import ConfigError
from genomecli.models.convolution import Convolution
from genomecli.models.heads import ClassificationHead, MaskedLanguageHead
from genomecli.models.mixers import Attention
from genomecli.models.stems import TokenStem
from genomecli.models.task_heads import SymbolHead, TaskHead

Maker = Callable[..., nn.Module]

MIXERS: dict[str, Maker] = {
    "attention": Attention,
    "convolution": Convolution,
}
"""Built as ``maker(settings, layer)``; see :class:`genomecli.models.mixers.Mixer`."""

STEMS: dict[str, Maker] = {
    "token": TokenStem,
}
"""Built as ``maker(settings, vocabulary_size, languages)``; see :class:`genomecli.models.stems.Stem`."""

HEADS: dict[str, Maker] = {
    "masked_language": MaskedLanguageHead,
    "classification": ClassificationHead,
    "task": TaskHead,
    "symbol": SymbolHead,
}
"""Built with arguments of their own."""


def register_mixer(name: str, maker: Maker) -> None:
    """Make ``model.mixer: name`` mean ``maker``, called as :data:`MIXERS` says.

    Raises:
        ValueError: if the name has another meaning already.
    """
    _register(MIXERS, "mixer", name, maker)


def register_stem(name: str, maker: Maker) -> None:
    """Make ``model.stem: name`` mean ``maker``, called as :data:`STEMS` says.

    Raises:
        ValueError: if the name has another meaning already.
    """
    _register(STEMS, "stem", name, maker)


def register_head(name: str, maker: Maker) -> None:
    """Make ``maker`` known as the head ``name``.

    Raises:
        ValueError: if the name has another meaning already.
    """
    _register(HEADS, "head", name, maker)


def _register(table: dict[str, Maker], kind: str, name: str, maker: Maker) -> None:
    if table.setdefault(name, maker) is not maker:
        raise ValueError(f"{kind} {name!r} is already registered as {table[name]!r}; choose another name")


def make(table: dict[str, Maker], kind: str, name: str, *arguments: Any) -> nn.Module:
    """Build what ``name`` stands for in ``table``.

    Raises:
        ConfigError: if the name is not registered.
    """
    if name not in table:
        raise ConfigError([f"unknown {kind} {name!r}; registered are {', '.join(sorted(table))}"], where=kind)
    return table[name](*arguments)
