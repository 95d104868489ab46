"""Muon for the matrices of the blocks, AdamW for everything else, as one optimiser.

Muon (Jordan 2024, https://kellerjordan.github.io/posts/muon/) replaces the update of a matrix by the nearest
orthogonal one, found by five Newton-Schulz iterations. Its length is matched to that of AdamW's updates (Liu
et al. 2025, arXiv:2502.16982, 0.2 sqrt(max(rows, columns))), so one learning rate serves both. Embeddings,
norms, convolutions and the output stay with AdamW.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from genomecli.errors import ConfigError

MATRICES = "encoder.blocks."
"""Where a parameter of two dimensions is a matrix for Muon."""

MOMENTUM = 0.95
Groups = list[dict[str, Any]]


def muon_names(model: nn.Module) -> set[str]:
    """Names of the trainable parameters that Muon takes."""
    return {
        name
        for name, parameter in model.named_parameters()
        if name.startswith(MATRICES) and parameter.ndim == 2 and parameter.requires_grad
    }


class MuonWithAdamW(torch.optim.Optimizer):
    """Two optimisers that look like one: shared groups, shared state, one step.

    Args:
        groups: parameter groups; those with ``muon`` True hold matrices alone.
        lr: learning rate of both, until a group's is set.
        adamw: makes the AdamW of the other groups.

    Raises:
        ConfigError: torch is too old to have Muon.
    """

    def __init__(self, groups: Groups, lr: float, adamw: Callable[[Groups], torch.optim.Optimizer]) -> None:
        make = getattr(torch.optim, "Muon", None)
        if make is None:
            problem = f"optimiser.name: muon needs torch 2.9 or newer, this is {torch.__version__}"
            raise ConfigError([problem])
        super().__init__(groups, {"lr": lr})
        matrices = [group for group in self.param_groups if group.get("muon")]
        others = [group for group in self.param_groups if not group.get("muon")]
        self._parts: list[torch.optim.Optimizer] = []
        if matrices:
            self._parts.append(make(matrices, lr=lr, momentum=MOMENTUM, adjust_lr_fn="match_rms_adamw"))
        if others:
            self._parts.append(adamw(others))
        # Groups are the same objects in the parts, and so is the state: whatever is set here holds there.
        for part in self._parts:
            part.state = self.state

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step of both; ``closure`` is not used."""
        for part in self._parts:
            part.step()
