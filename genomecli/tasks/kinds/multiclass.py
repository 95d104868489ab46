"""Multiclass targets: one class of several a sequence."""

from __future__ import annotations

from genomecli.tasks.kinds.protocol import Classes


class Multiclass(Classes):
    """Labels int64[...], 0 to C - 1; outputs float[..., C]."""
