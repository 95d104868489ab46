"""Names of kinds. A new one is one file and one line here, or one call from outside."""

from __future__ import annotations

from collections.abc import Mapping

from genomecli.errors import ConfigError
from genomecli.tasks.figure import DECIDING
from genomecli.tasks.kinds.binary import Binary
from genomecli.tasks.kinds.multiclass import Multiclass
from genomecli.tasks.kinds.multilabel import Multilabel
from genomecli.tasks.kinds.protocol import TaskKind
from genomecli.tasks.kinds.regression import Regression
from genomecli.tasks.kinds.token import Token
from genomecli.tasks.schema import Target

KINDS: dict[str, type[TaskKind]] = {
    "binary": Binary,
    "multiclass": Multiclass,
    "multilabel": Multilabel,
    "regression": Regression,
    "token": Token,
}
"""Built with their target."""

AUTO = "auto"
"""The setting that names no kind: the labels tell it."""


def register_kind(name: str, maker: type[TaskKind]) -> None:
    """Make ``kind: name`` mean ``maker``.

    Raises:
        ValueError: for a name that has another meaning already, or a kind whose form is none or whose primary
            figure cannot decide for its form.
    """
    if maker.form not in DECIDING:
        raise ValueError(f"kind {name!r} has the form {maker.form!r}; there are {', '.join(DECIDING)}")
    able = deciding(maker)
    if maker.primary not in able:
        what = f"kind {name!r}: {maker.primary!r} cannot decide between models of form {maker.form}"
        raise ValueError(f"{what}; choose one of {', '.join(able)}")
    if name == AUTO or KINDS.setdefault(name, maker) is not maker:
        raise ValueError(f"kind {name!r} is already registered; choose another name")


def deciding(maker: type[TaskKind]) -> list[str]:
    """Figures that can decide between two models of a kind."""
    return [*DECIDING[maker.form], *(["f1"] if maker.two_classes else [])]


def registered(kind: str, target: str) -> type[TaskKind]:
    """What a name stands for.

    Args:
        kind: the name.
        target: name of the target that has it, for the message.

    Raises:
        ConfigError: if it is not registered.
    """
    if kind not in KINDS:
        raise ConfigError([_unknown(kind, target)])
    return KINDS[kind]


def check_kinds(kinds: Mapping[str, str]) -> None:
    """Check the kinds that settings name, by target; ``auto`` is one of them.

    Raises:
        ConfigError: with all that are not registered.
    """
    wrong = [_unknown(kind, name) for name, kind in kinds.items() if kind not in (AUTO, *KINDS)]
    if wrong:
        raise ConfigError(wrong)


def _unknown(kind: str, target: str) -> str:
    known = ", ".join(KINDS)
    return f"finetune.targets.{target}.kind: unknown {kind!r}; registered are {known}, and {AUTO}"


def task_kind(target: Target) -> TaskKind:
    """The kind of a target. Raises ConfigError if it is not registered."""
    return registered(target.kind, target.name)(target)
