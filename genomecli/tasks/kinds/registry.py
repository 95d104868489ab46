"""Names of kinds. A new one is one file and one line here, or one call from outside."""

from __future__ import annotations

from collections.abc import Callable

from genomecli.errors import ConfigError
from genomecli.tasks.kinds.binary import Binary
from genomecli.tasks.kinds.multiclass import Multiclass
from genomecli.tasks.kinds.multilabel import Multilabel
from genomecli.tasks.kinds.protocol import TaskKind
from genomecli.tasks.kinds.regression import Regression
from genomecli.tasks.kinds.token import Token
from genomecli.tasks.schema import Target

Maker = Callable[[Target], TaskKind]

KINDS: dict[str, Maker] = {
    "binary": Binary,
    "multiclass": Multiclass,
    "multilabel": Multilabel,
    "regression": Regression,
    "token": Token,
}
"""Built with their target."""


def register_kind(name: str, maker: Maker) -> None:
    """Make ``kind: name`` mean ``maker``. A second, different meaning of a name is refused."""
    if KINDS.setdefault(name, maker) is not maker:
        raise ValueError(f"kind {name!r} is already registered; choose another name")


def task_kind(target: Target) -> TaskKind:
    """The kind of a target. Raises ConfigError if it is not registered."""
    if target.kind not in KINDS:
        known = ", ".join(KINDS)
        raise ConfigError([f"targets.{target.name}.kind: unknown {target.kind!r}; registered are {known}"])
    return KINDS[target.kind](target)
