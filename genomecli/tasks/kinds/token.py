"""Token targets: one class a base or residue."""

from __future__ import annotations

from genomecli.tasks.kinds.protocol import Classes


class Token(Classes):
    """Labels int64[B, S], one a symbol; outputs float[B, S, C]."""
