"""Binary targets: negative or positive, with two outputs and a softmax, as Hugging Face's heads have."""

from __future__ import annotations

from genomecli.tasks.kinds.protocol import Classes


class Binary(Classes):
    """Labels int64[...], 0 or 1; outputs float[..., 2]."""
