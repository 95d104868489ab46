"""Compiled blocks: one graph a block, for texts whose batches all have one shape.

Blocks are compiled in place and one by one: they are alike, so the first one's code serves all, and names of
parameters do not change, so a checkpoint does not tell whether its run was compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genomecli.models.language_model import LanguageModel

GRAPHS = 64
"""Graphs that may be made of the blocks, which share one code: one for each shape of batches and each kind of
block. Beyond its own limit of 8 torch goes on uncompiled."""


def compile_blocks(model: LanguageModel, backend: str | Callable[..., Any] = "inductor") -> None:
    """Have torch compile each block at its first call.

    Args:
        model: on its device; changed in place.
        backend: of torch.compile.
    """
    import torch._dynamo.config as dynamo  # takes longer than the rest of torch

    dynamo.recompile_limit = max(dynamo.recompile_limit, GRAPHS)
    for block in model.encoder.blocks:
        block.compile(backend=backend, dynamic=False)
