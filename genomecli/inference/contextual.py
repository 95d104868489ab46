"""Contextual vectors of the vocabulary: each token's mean state over all its occurrences, layer by layer.

Texts are read as they are, nothing masked, one language a text. Sums are kept in float64. For a bootstrap
over genes the texts can be put into groups whose sums are kept apart: the vectors of a draw are then sums
over the groups drawn, and no text is read twice.

Shapes: G groups, C layers, V vocabulary items asked for, D width, N tokens of a batch.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from genomecli.inference.batching import Window
from genomecli.inference.engine import Engine
from genomecli.inference.items import Item
from genomecli.inference.results import Layers

Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class ContextualMeans:
    """Sums of states by group of texts, from which means follow.

    Args:
        ids: int64[V], the vocabulary's ids.
        layers: the C layers.
        sums: float64[G, C, V, D].
        counts: int64[G, V], occurrences.
    """

    ids: Counts
    layers: tuple[int, ...]
    sums: Doubles
    counts: Counts

    @property
    def total(self) -> Counts:
        """int64[V]: occurrences in all groups."""
        total: Counts = self.counts.sum(axis=0)
        return total

    @property
    def means(self) -> Doubles:
        """float64[C, V, D]: means over all groups; NaN for tokens that do not occur."""
        return self.drawn(np.ones(len(self.counts)))

    def drawn(self, times: ArrayLike) -> Doubles:
        """Means when group g is taken ``times[g]`` times: a bootstrap draw, or all but one group.

        Args:
            times: [G], 0 or more each.

        Returns:
            float64[C, V, D]; NaN for tokens that do not occur in the draw.
        """
        weights = np.asarray(times, dtype=np.float64)
        occurrences = weights @ self.counts
        sums = np.tensordot(weights, self.sums, axes=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            means: Doubles = np.where(occurrences[:, None] > 0, sums / occurrences[:, None], np.nan)
        return means


def gene_of(item: Item) -> str:
    """The gene that an item is of, the same for a gene's codons and its protein; its id if none is known."""
    return str(item.meta.get("gene") or item.id)


def contextual_means(
    engine: Engine,
    items: Iterable[Item],
    ids: Sequence[int] | NDArray[np.integer],
    layers: Layers = "all",
    *,
    groups: int = 1,
    key: Callable[[Item], str] = gene_of,
) -> ContextualMeans:
    """Mean states of vocabulary items over the counted tokens of ``items``.

    Tokens that the items leave out (terminal codons) are read but do not count. A token in several windows
    counts once, with its window-weighted mean state.

    Args:
        engine: the model; it may be in training.
        items: of one language.
        ids: V ids of the vocabulary; tokens of other ids are not looked at.
        layers: which.
        groups: G; memory is G C V D float64.
        key: what decides an item's group: items of one key are in one group, whatever their order.
    """
    wanted = engine.layers(layers)
    chosen = np.asarray(ids, dtype=np.int64)
    sums = _Sums(engine, chosen, len(wanted), groups, key)
    engine.visit(items, wanted, sums.add)
    return ContextualMeans(chosen, wanted, *sums.result())


class _Sums:
    """float64 accumulators on the engine's device (on the CPU where the device lacks float64)."""

    def __init__(
        self,
        engine: Engine,
        ids: Counts,
        layers: int,
        groups: int,
        key: Callable[[Item], str],
    ) -> None:
        self._device = torch.device("cpu") if engine.device.type == "mps" else engine.device
        self._shape = (groups, len(ids))
        self._key = key
        column = np.full(engine.lexicon.vocabulary.size, -1, dtype=np.int64)
        column[ids] = np.arange(len(ids))
        self._column = torch.from_numpy(column).to(self._device)
        cells = groups * len(ids)
        width = engine.settings.width
        self._sums = torch.zeros(layers, cells, width, dtype=torch.float64, device=self._device)
        self._counts = torch.zeros(cells, dtype=torch.float64, device=self._device)

    def add(self, windows: Sequence[Window], tokens: Tensor, weights: Tensor, states: list[Tensor]) -> None:
        """Add a batch: tokens int64[B, L], weights float32[B, L], a float32[B, L, D] a layer."""
        tokens, weights = tokens.to(self._device), weights.to(self._device)
        column = self._column[tokens]
        used = (weights > 0) & (column >= 0)
        cell = (self._groups(windows)[:, None] * self._shape[1] + column)[used]
        weight = weights[used].double()
        self._counts.index_add_(0, cell, weight)
        for layer, hidden in enumerate(states):
            rows = hidden.to(self._device)[used].double() * weight[:, None]
            self._sums[layer].index_add_(0, cell, rows)

    def _groups(self, windows: Sequence[Window]) -> Tensor:
        """int64[B]: crc32 of each text's key, modulo G."""
        keys = (self._key(window.item).encode("utf-8", "surrogateescape") for window in windows)
        numbers = [zlib.crc32(key) % self._shape[0] for key in keys]
        return torch.tensor(numbers, dtype=torch.int64, device=self._device)

    def result(self) -> tuple[Doubles, Counts]:
        """Sums float64[G, C, V, D] and counts int64[G, V]."""
        layers, _, width = self._sums.shape
        sums = self._sums.view(layers, *self._shape, width).movedim(1, 0).cpu().numpy()
        counts = self._counts.view(*self._shape).round().long().cpu().numpy()
        return np.ascontiguousarray(sums), counts
