"""The one batch that flows from a corpus to a model: texts padded to a rectangle, or packed end to end.

Shapes: B texts, L padded length, T packed tokens, N selected positions. Padding stands after the text and is
``[PAD]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

IGNORE = -100
"""Target of a position that is not predicted."""

Held = TypeVar("Held")


@dataclass(frozen=True)
class Selection:
    """Positions that an objective reads, and what is to be found there.

    They are chosen on the CPU, so that nobody has to ask the device how many there are.

    Args:
        places: int64[N], indices into the batch's positions laid flat: row x L + column, or the packed index.
        targets: int64[N], the true id or class; ``IGNORE`` where an entry only fills up.
        weights: float32[N], weight of each loss; 0 where an entry only fills up.
        languages: int64[N], the language that each counts for.
    """

    places: Tensor
    targets: Tensor
    weights: Tensor
    languages: Tensor

    def within(self, first: int, stop: int) -> Selection:
        """Those whose places are from ``first`` up to ``stop``, counted from ``first``; on the CPU."""
        mine = ((self.places >= first) & (self.places < stop)).nonzero().squeeze(1)
        chosen = each_tensor(self, lambda value: value[mine])
        return replace(chosen, places=chosen.places - first)


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
        full: no text is shorter than L, so attention needs no mask; False where nobody has looked.
        selected: what each objective reads, by its name; empty before the batch is corrupted.
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
    full: bool = False
    selected: Mapping[str, Selection] = field(default_factory=dict)

    def to(self, device: torch.device | str, *, non_blocking: bool = True) -> Batch:
        """The same batch on ``device``."""
        return each_tensor(self, lambda value: value.to(device, non_blocking=non_blocking))

    @property
    def real_tokens(self) -> int:
        """Tokens that are no padding."""
        return int(self.lengths.sum())

    @property
    def mask_BL(self) -> Tensor:
        """bool[B, L]: True at real tokens."""
        steps = torch.arange(self.tokens.shape[1], device=self.tokens.device)
        return steps[None, :] < self.lengths[:, None]


@dataclass(frozen=True)
class PackedBatch:
    """Texts end to end: ``tokens[cu_seqlens[i]:cu_seqlens[i + 1]]`` is text i.

    Args:
        tokens: int64[T]; positions, languages and segments likewise.
        positions: see :class:`Batch`.
        languages: see :class:`Batch`.
        cu_seqlens: int32[B + 1]; texts of ``[PAD]`` and empty ones may fill it up.
        max_length: no text is longer.
        segments: see :class:`Batch`.
        selected: see :class:`Batch`; places are packed indices.
    """

    tokens: Tensor
    positions: Tensor
    languages: Tensor
    cu_seqlens: Tensor
    max_length: int
    segments: Tensor | None = None
    selected: Mapping[str, Selection] = field(default_factory=dict)

    def to(self, device: torch.device | str, *, non_blocking: bool = True) -> PackedBatch:
        """The same batch on ``device``."""
        return each_tensor(self, lambda value: value.to(device, non_blocking=non_blocking))


AnyBatch = Batch | PackedBatch


def each_tensor(held: Held, change: Callable[[Tensor], Tensor]) -> Held:
    """A copy of ``held`` (a batch, a selection, a mapping of them) with every tensor in it changed."""
    value: Any = held
    if isinstance(value, Tensor):
        value = change(value)
    elif isinstance(value, Mapping):
        value = {name: each_tensor(item, change) for name, item in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        value = replace(value, **{f.name: each_tensor(getattr(value, f.name), change) for f in fields(value)})
    return value  # type: ignore[no-any-return]
