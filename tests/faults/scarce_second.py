"""genomecli whose second process has little memory: ``python -m tests.faults.scarce_second``."""

from __future__ import annotations

import os
from typing import Any

import torch

MOST = 64
"""Tokens whose states the second process can compute at once."""


class _Scarce(torch.autograd.Function):
    """No memory on the way back."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.tokens = x.shape[:-1].numel()
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        if ctx.tokens > MOST:
            raise torch.OutOfMemoryError("no memory")
        return grads[0]


def scarce() -> None:
    """Let the way back through a block fail for more tokens than :data:`MOST`."""
    from genomecli.models.encoder import Block

    forward: Any = Block.forward

    def failing(self: Block, *given: Any) -> torch.Tensor:
        return _Scarce.apply(forward(self, *given))  # type: ignore[no-any-return, no-untyped-call]

    Block.forward = failing  # type: ignore[method-assign]


if __name__ == "__main__":
    from genomecli.cli import run

    if os.environ["RANK"] == "1":
        scarce()
    run()
