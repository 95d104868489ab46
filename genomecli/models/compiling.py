"""Compiled blocks: one graph a block, for texts whose batches all have one shape.

Blocks are compiled in place and one by one: they are alike, so the first one's code serves all, and names of
parameters do not change, so a checkpoint does not tell whether its run was compiled.
"""

from __future__ import annotations

from genomecli.models.language_model import LanguageModel


def compile_blocks(model: LanguageModel, backend: str = "inductor") -> None:
    """Have torch compile each block at its first call.

    Args:
        model: on its device; changed in place.
        backend: of torch.compile.
    """
    for block in model.encoder.blocks:
        block.compile(backend=backend, dynamic=False)
