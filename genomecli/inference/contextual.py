"""Contextual vectors of the vocabulary: each token's mean state over all its occurrences, layer by layer.

Texts are read as they are, nothing masked, one language a text. Sums are kept in float64. For a bootstrap
over genes or loci the texts can be put into groups whose sums are kept apart: the vectors of a draw are then
sums over the groups drawn, and no text is read twice. The mean state of each whole text can be had as well.

Shapes: G groups, C layers, V vocabulary items asked for, R texts, D width, N tokens of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genomecli.inference.batching import Window
from genomecli.inference.engine import Engine
from genomecli.inference.items import Item
from genomecli.inference.results import Layers

Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ContextualMeans:
    """Sums of states by group of texts, from which means follow.

    Args:
        ids: int64[V], the vocabulary's ids.
        layers: the C layers.
        sums: float64[G, C, V, D].
        counts: int64[G, V], occurrences.
        texts: float32[C, R, D], mean state of each text over the tokens that count, zeros for a text without
            any; None if they were not asked for.
    """

    ids: Counts
    layers: tuple[int, ...]
    sums: Doubles
    counts: Counts
    texts: NDArray[np.float32] | None = None

    @property
    def total(self) -> Counts:
        """int64[V]: occurrences in all groups."""
        total: Counts = self.counts.sum(axis=0)
        return total

    @property
    def means(self) -> Doubles:
        """float64[C, V, D]: means over all groups; NaN for tokens that do not occur."""
        return np.stack([self.at(layer) for layer in self.layers])

    def at(self, layer: int) -> Doubles:
        """float64[V, D]: means at one layer; NaN for tokens that do not occur."""
        sums = self.sums[:, self.layers.index(layer)].sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            means: Doubles = sums / self.total[:, None]
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
    step: int = 1,
    texts: bool = False,
    check: Callable[[], None] = lambda: None,
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
        key: what decides an item's group: items of one key are in one group, and keys are dealt to the
            groups in turn, in the order in which they first occur.
        step: only every ``step``-th token of an item counts (codons among overlapping 3-mers).
        texts: also give the mean state of each item; memory is C R D float64.
        check: called once a batch; may raise what ends the pass.
    """
    wanted = engine.layers(layers)
    chosen = np.asarray(ids, dtype=np.int64)
    dealer = _Dealer(key, groups)
    known = list(items) if texts else items
    size = (groups, len(known) if isinstance(known, list) else 0)
    sums = _Sums(engine, chosen, len(wanted), size, step, dealer)

    def add(windows: Sequence[Window], tokens: Tensor, weights: Tensor, states: list[Tensor]) -> None:
        check()
        sums.add(windows, tokens, weights, states)

    engine.visit(dealer.deal(known), wanted, add)
    return ContextualMeans(chosen, wanted, *sums.words(), sums.texts() if texts else None)


class _Dealer:
    """Numbers the items as they come, and deals their keys to the groups in turn."""

    def __init__(self, key: Callable[[Item], str], groups: int) -> None:
        self._key = key
        self._count = groups
        self._keys: dict[str, int] = {}
        self.group: list[int] = []

    def deal(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items with their number as ``record``; ``group`` holds the group of each."""
        for number, item in enumerate(items):
            place = self._keys.setdefault(self._key(item), len(self._keys)) if self._count > 1 else 0
            self.group.append(place % self._count)
            yield replace(item, record=number)


class _Sums:
    """float64 accumulators on the engine's device (on the CPU where the device lacks float64).

    Args:
        engine: of the model.
        ids: int64[V].
        layers: C.
        size: G, and R where the means of texts are wanted (else 0).
        step: only every ``step``-th token counts.
        dealer: knows the group of each item.
    """

    def __init__(
        self, engine: Engine, ids: Counts, layers: int, size: tuple[int, int], step: int, dealer: _Dealer
    ) -> None:
        self._device = torch.device("cpu") if engine.device.type == "mps" else engine.device
        self._shape = (size[0], len(ids))
        self._step, self._dealer = step, dealer
        column = np.full(engine.lexicon.vocabulary.size, -1, dtype=np.int64)
        column[ids] = np.arange(len(ids))
        self._column = torch.from_numpy(column).to(self._device)
        width = engine.settings.width
        self._sums, self._counts = self._zeros(layers, size[0] * len(ids), width)
        self._text_sums, self._text_counts = self._zeros(layers, size[1], width)

    def _zeros(self, layers: int, cells: int, width: int) -> tuple[Tensor, Tensor]:
        sums = torch.zeros(layers, cells, width, dtype=torch.float64, device=self._device)
        return sums, torch.zeros(cells, dtype=torch.float64, device=self._device)

    def add(self, windows: Sequence[Window], tokens: Tensor, weights: Tensor, states: list[Tensor]) -> None:
        """Add a batch: tokens int64[B, L], weights float32[B, L], a float32[B, L, D] a layer."""
        tokens, weights = tokens.to(self._device), weights.to(self._device)
        column = self._column[tokens]
        used = (weights > 0) & (column >= 0)
        if self._step > 1:
            used &= self._on_grid(windows, tokens.shape[1])
        numbers = [window.item.record for window in windows]
        cell = (self._rows([self._dealer.group[i] for i in numbers])[:, None] * self._shape[1] + column)[used]
        text = self._rows(numbers)[:, None].expand_as(tokens)[used]
        weight = weights[used].double()
        self._counts.index_add_(0, cell, weight)
        if len(self._text_counts):
            self._text_counts.index_add_(0, text, weight)
        for layer, hidden in enumerate(states):
            rows = hidden.to(self._device)[used].double() * weight[:, None]
            self._sums[layer].index_add_(0, cell, rows)
            if len(self._text_counts):
                self._text_sums[layer].index_add_(0, text, rows)

    def _rows(self, values: Sequence[int]) -> Tensor:
        return torch.tensor(values, dtype=torch.int64, device=self._device)

    def _on_grid(self, windows: Sequence[Window], length: int) -> Tensor:
        """bool[B, L]: the token's number in its item is a multiple of the step; [CLS] stands before it."""
        place = torch.arange(-1, length - 1, device=self._device)[None, :]
        first = self._rows([window.start for window in windows])[:, None]
        on_grid: Tensor = (first + place) % self._step == 0
        return on_grid

    def words(self) -> tuple[Doubles, Counts]:
        """Sums float64[G, C, V, D], and counts int64[G, V]: parts of a token in several windows make up 1."""
        layers, _, width = self._sums.shape
        sums = self._sums.view(layers, *self._shape, width).movedim(1, 0).cpu().numpy()
        counts = self._counts.view(*self._shape).round().long().cpu().numpy()
        return np.ascontiguousarray(sums), counts

    def texts(self) -> NDArray[np.float32]:
        """float32[C, R, D]; zeros for a text without counted tokens."""
        means = self._text_sums / self._text_counts.clamp(min=1e-9)[:, None]
        return np.asarray(means.cpu().numpy(), dtype=np.float32)
