"""Token targets: one class a base or residue."""

from __future__ import annotations

from typing import ClassVar

from genomecli.tasks.kinds.protocol import Classes
from genomecli.tasks.schema import Form


class Token(Classes):
    """Labels int64[B, S], one a symbol; outputs float[B, S, C]."""

    form: ClassVar[Form] = "token"
