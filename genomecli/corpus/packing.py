"""Packing: the texts of a batch end to end, without padding between them. On the CPU.

Which positions are real is asked here, where the answer costs nothing, and not on the device, which would
have to be waited for. Batches may be filled up to fixed sizes, so that most of them have one shape: then a
compiled step is compiled once.

Shapes: B texts, L padded length, T packed tokens, N selected positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genomecli.corpus.batch import IGNORE, Batch, PackedBatch, Selection
from genomecli.corpus.vocabulary import PAD

SHARES = 32
"""Selections are filled up to a multiple of the tokens divided by this."""


@dataclass(frozen=True)
class PackSizes:
    """What packed batches are filled up to.

    Args:
        tokens: T of every batch; a batch with more is filled up to the next multiple of ``longest``.
        longest: tokens of the longest text that may come.
    """

    tokens: int
    longest: int

    def fill(self, tokens: int) -> list[int]:
        """Lengths of the texts of ``[PAD]`` that fill up a batch of that many tokens."""
        total = max(self.tokens, -(-tokens // self.longest) * self.longest)
        whole, rest = divmod(total - tokens, self.longest)
        return [self.longest] * whole + [rest] * (rest > 0)

    def bounds(self, texts: int) -> int:
        """Length of ``cu_seqlens`` for that many texts, one of a few: one more than the texts of full length
        that a batch holds, times a power of four."""
        room = max(1, self.tokens // self.longest)
        while room < texts:
            room *= 4
        return 1 + room

    def selected(self, chosen: int) -> int:
        """Size of a selection of that many positions."""
        grain = max(1, self.tokens // SHARES)
        return max(1, -(-chosen // grain)) * grain


def real_places(batch: Batch) -> Tensor:
    """int64[T]: where the real tokens stand in the batch laid flat, text after text."""
    return batch.mask_BL.flatten().nonzero().squeeze(1)


def pack(batch: Batch, sizes: PackSizes | None = None) -> PackedBatch:
    """The same texts end to end.

    Args:
        batch: on the CPU.
        sizes: what to fill up to; None adds nothing.
    """
    real = real_places(batch)
    filling = [] if sizes is None else sizes.fill(len(real))
    ends = torch.cat([batch.lengths, torch.tensor(filling, dtype=torch.int64)]).cumsum(0)
    bounds = torch.zeros(1 + len(ends) if sizes is None else sizes.bounds(len(ends)), dtype=torch.int32)
    bounds[1 : 1 + len(ends)] = ends
    bounds[1 + len(ends) :] = ends[-1]
    longest = int(batch.lengths.max()) if sizes is None else max(sizes.longest, int(batch.lengths.max()))

    def flat(value: Tensor, filler: int) -> Tensor:
        kept = value.flatten()[real]
        return torch.cat([kept, kept.new_full((sum(filling),), filler)]) if filling else kept

    return PackedBatch(
        tokens=flat(batch.tokens, PAD),
        positions=flat(batch.positions, 0),
        languages=flat(batch.languages, 0),
        cu_seqlens=bounds,
        max_length=longest,
        segments=None if batch.segments is None else flat(batch.segments, 0),
        selected={name: _packed(chosen, batch, sizes) for name, chosen in batch.selected.items()},
    )


def _packed(chosen: Selection, batch: Batch, sizes: PackSizes | None) -> Selection:
    """The selection with packed places, filled up with entries that count nothing."""
    text, column = chosen.places // batch.tokens.shape[1], chosen.places % batch.tokens.shape[1]
    places = (batch.lengths.cumsum(0) - batch.lengths)[text] + column
    more = 0 if sizes is None else sizes.selected(len(places)) - len(places)

    def filled(value: Tensor, filler: int) -> Tensor:
        return torch.cat([value, value.new_full((more,), filler)]) if more else value

    return Selection(
        # Spread, since their gradients, all 0, are added to these places.
        places=torch.cat([places, torch.arange(more) % max(1, int(batch.lengths.sum()))]),
        targets=filled(chosen.targets, IGNORE),
        weights=filled(chosen.weights, 0),
        languages=filled(chosen.languages, 0),
    )


def unpack(states_TD: Tensor, real: Tensor, shape: tuple[int, int]) -> Tensor:
    """Packed states as those of the padded batch, float[B, L, D]; 0 at padding.

    Args:
        states_TD: float[T, D], nothing filled up.
        real: from :func:`real_places`, on the device of the states.
        shape: B and L.
    """
    laid = states_TD.new_zeros(shape[0] * shape[1], states_TD.shape[1])
    return laid.index_copy(0, real, states_TD).view(*shape, -1)
