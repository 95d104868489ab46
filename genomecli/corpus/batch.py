"""The one batch that flows from a corpus to a model.

Shapes: B batch, L padded length, T packed tokens. Padding stands after the text and is ``[PAD]``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

IGNORE = -100
"""Target of a position that is not predicted."""


@dataclass(frozen=True)
class Batch:
    """Texts of similar length, padded.

    Args:
        tokens: int64[B, L].
        lengths: int64[B], real tokens a row.
        positions: int64[B, L]; starts again at 0 in the second text of a pair.
        languages: int64[B, L], index into the lexicon's languages.
        records: int64[B], row in the corpus; -1 where there is none.
        segments: int64[B, L], 0 in the first and 1 in the second text of a pair; None without pairs.
        targets: int64[B, L], the true id where it is to be predicted, otherwise ``IGNORE``.
        weights: float32[B, L], weight of each position's loss (soft mask); None for 1 everywhere.
        extras: named tensors whose first axis is B (labels, covariates, tracks, a second stream).
        step: optimiser step that the batch belongs to; -1 outside training.
    """

    tokens: Tensor
    lengths: Tensor
    positions: Tensor
    languages: Tensor
    records: Tensor
    segments: Tensor | None = None
    targets: Tensor | None = None
    weights: Tensor | None = None
    extras: dict[str, Tensor] = field(default_factory=dict)
    step: int = -1

    def to(self, device: torch.device | str, *, non_blocking: bool = True) -> Batch:
        """The same batch on ``device``."""

        def move(value: Tensor | None) -> Tensor | None:
            return None if value is None else value.to(device, non_blocking=non_blocking)

        moved = {
            name: move(getattr(self, name))
            for name in (
                "tokens",
                "lengths",
                "positions",
                "languages",
                "records",
                "segments",
                "targets",
                "weights",
            )
        }
        extras = {name: value.to(device, non_blocking=non_blocking) for name, value in self.extras.items()}
        return replace(self, **moved, extras=extras)  # type: ignore[arg-type]

    @property
    def real_tokens(self) -> int:
        """Tokens that are no padding."""
        return int(self.lengths.sum())

    @property
    def padded_tokens(self) -> int:
        """B times L."""
        return self.tokens.numel()

    @property
    def mask_BL(self) -> Tensor:
        """bool[B, L]: True at real tokens."""
        steps = torch.arange(self.tokens.shape[1], device=self.tokens.device)
        return steps[None, :] < self.lengths[:, None]

    def pack(self) -> PackedBatch:
        """The same texts end to end, without padding."""
        keep = self.mask_BL
        cu = torch.zeros(len(self.lengths) + 1, dtype=torch.int32, device=self.tokens.device)
        cu[1:] = self.lengths.cumsum(0)

        def flat(value: Tensor | None) -> Tensor | None:
            return None if value is None else value[keep]

        return PackedBatch(
            tokens=self.tokens[keep],
            positions=self.positions[keep],
            languages=self.languages[keep],
            cu_seqlens=cu,
            max_length=int(self.lengths.max()) if len(self.lengths) else 0,
            segments=flat(self.segments),
            targets=flat(self.targets),
            weights=flat(self.weights),
        )


@dataclass(frozen=True)
class PackedBatch:
    """Texts end to end: ``tokens[cu_seqlens[i]:cu_seqlens[i + 1]]`` is text i.

    Args:
        tokens: int64[T]; positions, languages, segments and targets likewise.
        cu_seqlens: int32[B + 1].
        max_length: tokens of the longest text.
        weights: float32[T] or None.
    """

    tokens: Tensor
    positions: Tensor
    languages: Tensor
    cu_seqlens: Tensor
    max_length: int
    segments: Tensor | None = None
    targets: Tensor | None = None
    weights: Tensor | None = None
