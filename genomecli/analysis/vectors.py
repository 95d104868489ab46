"""Word vectors of a model: rows of its embedding, and mean states over held-out texts, layer by layer.

Contextual sums are kept by bucket of genes, so that a bootstrap over genes needs no second pass.
Legend: G buckets, C layers, V words of the language, D width, t tokens of a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Floats, Integers
from genomecli.runtime import seed_of

if TYPE_CHECKING:
    from torch import Tensor

    from genomecli.corpus.lexicon import Lexicon
    from genomecli.inference.batching import Window
    from genomecli.inference.engine import Engine
    from genomecli.inference.items import Item
    from genomecli.models.stems import Stem
    from genomecli.training.checkpoint import LoadedModel


@dataclass(frozen=True, eq=False)
class WordSums:
    """Summed states of the words of one language.

    Args:
        layers: layer of each row of the second axis.
        sums: float32[G, C, V, D].
        counts: int64[G, V], occurrences.
    """

    layers: tuple[int, ...]
    sums: NDArray[np.float32]
    counts: Integers

    @property
    def total(self) -> Integers:
        """int64[V]: occurrences in all buckets."""
        return np.asarray(self.counts.sum(axis=0), dtype=np.int64)

    def means(self, layer: int) -> Floats:
        """float64[V, D]: mean state of each word at ``layer``; NaN for words never seen."""
        sums = self.sums[:, self.layers.index(layer)].sum(axis=0, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            means: Floats = sums / self.total[:, None]
        return means


@dataclass(frozen=True, eq=False)
class TextMeans:
    """Mean state of whole texts, for retrieval: float32[C, R, D], and key and family of each text."""

    layers: tuple[int, ...]
    keys: tuple[str, ...]
    families: tuple[int, ...]
    vectors: NDArray[np.float32]


def words_of(lexicon: Lexicon, species: str, molecule: str) -> NDArray[np.int64]:
    """int64[V]: ids of the 64 codons, or of the 20 amino acids, of a species."""
    block = lexicon.block(species, molecule)
    return np.arange(block.start, block.stop, dtype=np.int64)


def static_rows(loaded: LoadedModel, species: str, molecule: str) -> Floats:
    """float64[V, D]: rows of the embedding of the words of one language."""
    stem = cast("Stem", loaded.model.encoder.stem)
    weight = stem.output_weight()
    rows = weight.detach().float().cpu().numpy()[words_of(loaded.lexicon, species, molecule)]
    return np.asarray(rows, dtype=np.float64)


def untrained(loaded: LoadedModel, seed: int) -> LoadedModel:
    """The same network with fresh weights, on the same device."""
    from genomecli.models.language_model import build_model

    lexicon = loaded.lexicon
    model = build_model(
        loaded.settings, lexicon.vocabulary.size, len(lexicon.languages), seed_of(seed, "untrained")
    )
    device = next(loaded.model.parameters()).device
    return replace(loaded, model=model.to(device).eval(), step=0)


def all_layers(loaded: LoadedModel, wanted: str | Sequence[int]) -> tuple[int, ...]:
    """The layers asked for: below 0 counted from the end, those that do not exist left out."""
    depth = int(loaded.settings.layers)
    if isinstance(wanted, str):
        return tuple(range(depth + 1))
    numbers = {layer + depth + 1 if layer < 0 else layer for layer in wanted}
    return tuple(sorted(number for number in numbers if 0 <= number <= depth))


def sum_words(
    engine: Engine,
    items: Sequence[Item],
    words: NDArray[np.int64],
    layers: Sequence[int],
    *,
    buckets: int = 1,
    step: int = 1,
    keep_texts: bool = False,
) -> tuple[WordSums, TextMeans]:
    """Run the model over unmasked texts and sum the states of each word, on the model's device.

    Args:
        engine: of the model.
        items: texts of one language; text i goes to bucket i modulo ``buckets``.
        words: int64[V], consecutive ids.
        layers: which states.
        buckets: G.
        step: only every ``step``-th token is a word (codons among overlapping 3-mers).
        keep_texts: also return each text's mean state over the words that count.
    """
    sink = _Sink(engine, words, len(layers), (buckets, len(items) if keep_texts else 0), step)
    numbered = [replace(item, meta={**item.meta, "number": i}) for i, item in enumerate(items)]
    engine.visit(numbered, list(layers), sink)
    kept = items if keep_texts else ()
    keys = tuple(str(item.meta.get("gene", "")) for item in kept)
    families = tuple(int(str(item.meta.get("family", -1))) for item in kept)
    words_found = WordSums(tuple(layers), sink.word_sums(), sink.word_counts())
    return words_found, TextMeans(tuple(layers), keys, families, sink.text_means())


class _Sink:
    """Takes the engine's batches and adds each counted state to its word and bucket, and to its text."""

    def __init__(
        self, engine: Engine, words: NDArray[np.int64], layers: int, sizes: tuple[int, int], step: int
    ) -> None:
        import torch

        self.first, self.count, self.step = int(words[0]), len(words), step
        self.buckets, self.texts = sizes
        zeros = partial(torch.zeros, device=engine.device, dtype=torch.float32)
        self.sums = zeros(layers, self.buckets * self.count, engine.model.settings.width)
        self.weights = zeros(self.buckets * self.count)
        self.text_sums = zeros(layers, self.texts, engine.model.settings.width)
        self.text_weights = zeros(self.texts)

    def __call__(
        self, windows: Sequence[Window], tokens: Tensor, weights: Tensor, states: list[Tensor]
    ) -> None:
        import torch

        device = tokens.device
        number = torch.tensor([int(w.item.meta["number"]) for w in windows], device=device)  # type: ignore[call-overload]
        word = tokens - self.first
        counts = (weights > 0) & (word >= 0) & (word < self.count)
        if self.step > 1:
            start = torch.tensor([w.start for w in windows], device=device)
            place = torch.arange(tokens.shape[1], device=device)[None, :] - 1 + start[:, None]
            counts &= place % self.step == 0
        text = number[:, None].expand_as(tokens)[counts]
        target = (text % self.buckets) * self.count + word[counts]
        weight = weights[counts]
        self.weights.index_add_(0, target, weight)
        if self.texts:
            self.text_weights.index_add_(0, text, weight)
        for layer, state in enumerate(states):
            weighted = state[counts] * weight[:, None]
            self.sums[layer].index_add_(0, target, weighted)
            if self.texts:
                self.text_sums[layer].index_add_(0, text, weighted)

    def word_sums(self) -> NDArray[np.float32]:
        """float32[G, C, V, D]."""
        layers, _, width = self.sums.shape
        table = self.sums.reshape(layers, self.buckets, self.count, width).transpose(0, 1)
        return np.asarray(table.cpu().numpy(), dtype=np.float32)

    def word_counts(self) -> Integers:
        """int64[G, V]; parts of a token seen in several windows add up to 1."""
        counts = np.rint(self.weights.cpu().numpy()).astype(np.int64)
        return np.asarray(counts.reshape(self.buckets, self.count), dtype=np.int64)

    def text_means(self) -> NDArray[np.float32]:
        """float32[C, R, D]; zeros for a text without counted words."""
        means = self.text_sums / self.text_weights.clamp(min=1e-9)[:, None]
        return np.asarray(means.cpu().numpy(), dtype=np.float32)
