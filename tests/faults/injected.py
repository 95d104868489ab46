"""What is done to a process of a command before it begins, so that it meets a fault from within."""

from __future__ import annotations

import itertools
import time
from typing import Any

SCARCE = 160
"""Tokens that can be computed at once where memory is scarce."""

BAD_STEP = 1
"""The step, from 0, whose loss is no number."""


def backwards() -> None:
    """Let this process's clock go back by an hour at each look."""
    looks = itertools.count()
    real = time.time
    time.time = lambda: real() - 3600.0 * next(looks)  # type: ignore[assignment]


def undrawn_here(patch: Any) -> None:
    """Draw no figures, which takes longer than a small run. ``patch``: as pytest's ``monkeypatch``."""
    from genomecli.analysis import task_report
    from genomecli.training import finetuning, pretraining

    patch.setattr(task_report, "_write_figures", lambda *_: [])
    for room in (finetuning, pretraining):
        for name in ("draw_curves", "draw_speed"):
            patch.setattr(room, name, lambda *_: None)


class _ForGood:
    """Sets attributes as ``monkeypatch`` does, and leaves them so."""

    setattr = staticmethod(setattr)


def undrawn() -> None:
    """:func:`undrawn_here`, for the whole process: figures are no place where anything is lost."""
    undrawn_here(_ForGood)


def killed_at_the_end() -> None:
    """Be killed when the output is finished, and what it was made from is about to be removed."""
    import os
    import signal

    from genomecli.exchange.spool import Spool
    from genomecli.exchange.text_spool import TextSpool

    for spool in (Spool, TextSpool):
        spool.remove = lambda self: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]


def scarce_memory() -> None:
    """Refuse to compute more than some tokens at once, as a GPU does whose memory is taken."""
    import torch

    from genomecli.models.language_model import LanguageModel

    forward: Any = LanguageModel.forward

    def scarce(self: LanguageModel, tokens: torch.Tensor, *rest: Any, **named: Any) -> Any:
        if tokens.numel() > SCARCE:
            raise torch.OutOfMemoryError("no memory")
        return forward(self, tokens, *rest, **named)

    LanguageModel.forward = scarce  # type: ignore[method-assign]


def no_number() -> None:
    """Let the loss of one step be no number."""
    from genomecli.training.learner import Loss
    from genomecli.training.loop import Trainer

    backward = Trainer._backward

    def bad(self: Trainer, *given: Any) -> Loss:
        loss = backward(self, *given)
        return Loss(loss.total * float("nan"), loss.ratios) if self.progress.step == BAD_STEP else loss

    Trainer._backward = bad  # type: ignore[method-assign]
