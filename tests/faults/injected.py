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


def undrawn() -> None:
    """Draw no figures, which takes longer than a small run and is no place where anything is lost."""
    from genomecli.analysis import task_report
    from genomecli.training import finetuning, pretraining

    task_report._write_figures = lambda *_: []  # type: ignore[assignment]
    for room in (finetuning, pretraining):
        room.draw_curves = room.draw_speed = lambda *_: None  # type: ignore[assignment, attr-defined]


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
