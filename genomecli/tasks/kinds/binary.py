"""Binary targets: negative or positive, with two outputs and a softmax, as Hugging Face's heads have."""

from __future__ import annotations

from typing import ClassVar

from genomecli.tasks.kinds.protocol import Classes


class Binary(Classes):
    """Labels int64[...], 0 or 1; outputs float[..., 2]."""

    primary: ClassVar[str] = "mcc"
    two_classes: ClassVar[bool] = True
