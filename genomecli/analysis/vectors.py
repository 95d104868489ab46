"""Word vectors of a model: rows of its embedding, and mean states over held-out texts, layer by layer.

Legend: C layers, V words of the language, R texts, D width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Floats, Integers

if TYPE_CHECKING:
    from genomecli.corpus.lexicon import Lexicon
    from genomecli.inference.contextual import ContextualMeans
    from genomecli.inference.items import Item
    from genomecli.models.stems import Stem
    from genomecli.training.checkpoint import LoadedModel


@dataclass(frozen=True, eq=False)
class TextMeans:
    """Mean state of whole texts, for retrieval.

    Args:
        layers: the C layers.
        keys: of the R texts: what pairs a gene with its protein.
        families: gene family of each text; -1 where there is none.
        vectors: float32[C, R, D].
    """

    layers: tuple[int, ...]
    keys: tuple[str, ...]
    families: tuple[int, ...]
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, found: ContextualMeans, items: Sequence[Item]) -> TextMeans:
        """The texts' part of ``found``, with key and family from each item's meta."""
        assert found.texts is not None, "the means of texts were not asked for"
        keys = tuple(str(item.meta.get("gene", "")) for item in items)
        families = tuple(int(str(item.meta.get("family", -1))) for item in items)
        return cls(found.layers, keys, families, found.texts)


def words_of(lexicon: Lexicon, species: str, molecule: str) -> NDArray[np.int64]:
    """int64[V]: ids of the 64 codons, or of the 20 amino acids, of a species."""
    block = lexicon.block(species, molecule)
    return np.arange(block.start, block.stop, dtype=np.int64)


def word_counts(items: Iterable[Item], words: NDArray[np.int64], step: int = 1) -> Integers:
    """int64[V]: how often each of some consecutive ids counts in texts.

    Args:
        items: the texts.
        words: int64[V].
        step: only every ``step``-th token counts (codons among overlapping 3-mers).
    """
    counts = np.zeros(len(words), dtype=np.int64)
    for item in items:
        found = item.tokens[::step][item.counted()[::step]] - words[0]
        counts += np.bincount(found[(found >= 0) & (found < len(words))], minlength=len(words))
    return counts


def static_rows(loaded: LoadedModel, species: str, molecule: str) -> Floats:
    """float64[V, D]: rows of the embedding of the words of one language."""
    stem = cast("Stem", loaded.model.encoder.stem)
    weight = stem.output_weight()
    rows = weight.detach().float().cpu().numpy()[words_of(loaded.lexicon, species, molecule)]
    return np.asarray(rows, dtype=np.float64)


def untrained(loaded: LoadedModel, seed: int) -> LoadedModel:
    """The same network with the weights that a run with this seed begins with, on the same device."""
    from genomecli.models.language_model import build_model, weights_seed

    lexicon = loaded.lexicon
    model = build_model(loaded.settings, lexicon.vocabulary.size, len(lexicon.languages), weights_seed(seed))
    device = next(loaded.model.parameters()).device
    return replace(loaded, model=model.to(device).eval(), step=0)


def all_layers(loaded: LoadedModel, wanted: str | Sequence[int]) -> tuple[int, ...]:
    """The layers asked for: below 0 counted from the end, those that do not exist left out."""
    depth = int(loaded.settings.layers)
    if isinstance(wanted, str):
        return tuple(range(depth + 1))
    numbers = {layer + depth + 1 if layer < 0 else layer for layer in wanted}
    return tuple(sorted(number for number in numbers if 0 <= number <= depth))
