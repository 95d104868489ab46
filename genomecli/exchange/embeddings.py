"""From what the engine says to the rows of an embedding table.

| level | a row | vectors |
|---|---|---|
| record | a sequence (of a corpus: with its group) | ``layerN_POOLING``, one for each layer and pooling |
| token | a token of a sequence, with its position and text | ``layerN`` |
| vocabulary | a word of a language, with its number of occurrences | ``static``, ``layerN`` |

Positions are those of a token's first symbol, 0-based, as the sequence is read: with strand - they count from
its other end.

Shapes: m tokens, C columns, V words, D width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from genomecli.exchange.table_format import DTypeName, Label, TableBlock, TableHeader
from genomecli.inference.contextual import contextual_means
from genomecli.inference.engine import Engine
from genomecli.inference.items import Item
from genomecli.inference.pooling import Pooling

if TYPE_CHECKING:
    from genomecli.corpus.lexicon import Lexicon
    from genomecli.models.stems import Stem

STATIC = "static"
TEXT: Literal["str"] = "str"
NUMBER: Literal["int"] = "int"


@dataclass(frozen=True)
class Rows:
    """Rows of one record, or of a part of it.

    Args:
        item: the record.
        block: its rows.
        last: the record ends with them.
    """

    item: Item
    block: TableBlock
    last: bool


@dataclass(frozen=True)
class RecordRows:
    """One row a record.

    Args:
        engine: the model.
        layers: which.
        poolings: which.
        shown: entries of the items' meta that become labels, such as ``description``.
    """

    engine: Engine
    layers: tuple[int, ...]
    poolings: tuple[Pooling, ...]
    shown: tuple[str, ...] = ()

    def header(self, dtype: DTypeName, meta: Mapping[str, Any]) -> TableHeader:
        """What the rows share."""
        columns = tuple(f"layer{layer}_{name}" for layer in self.layers for name in self.poolings)
        return TableHeader(columns, self.engine.settings.width, dtype, _text_labels(self.shown), meta)

    def rows(self, items: Iterable[Item]) -> Iterator[Rows]:
        """The row of each item, in order."""
        for pooled in self.engine.pool(items, self.layers, self.poolings):
            labels = [[text] for text in _shown(pooled.item, self.shown)]
            vectors = pooled.vectors.reshape(1, -1, pooled.vectors.shape[-1])
            yield Rows(pooled.item, TableBlock([pooled.item.id], labels, vectors), last=True)


@dataclass(frozen=True)
class TokenRows:
    """One row a token, in the order of the text; tokens of terminals and ambiguous letters have rows too.

    Args:
        engine: the model.
        layers: which.
        shown: entries of the items' meta that become labels.
    """

    engine: Engine
    layers: tuple[int, ...]
    shown: tuple[str, ...] = ()

    def header(self, dtype: DTypeName, meta: Mapping[str, Any]) -> TableHeader:
        """What the rows share."""
        columns = tuple(f"layer{layer}" for layer in self.layers)
        labels = (*_text_labels(self.shown), ("position", NUMBER), ("token", TEXT))
        return TableHeader(columns, self.engine.settings.width, dtype, labels, meta)

    def rows(self, items: Iterable[Item]) -> Iterator[Rows]:
        """The rows of each item, in order; a long item's come window by window."""
        words = plain_words(self.engine.lexicon)
        for piece in self.engine.pieces(items, self.layers):
            item, count = piece.item, piece.hidden.shape[1]
            numbers = range(piece.start, piece.start + count)
            positions: list[Label] = [item.offset + item.step * number for number in numbers]
            tokens: list[Label] = [words[item.tokens[number]] for number in numbers]
            labels = [[text] * count for text in _shown(item, self.shown)] + [positions, tokens]
            block = TableBlock([item.id] * count, labels, piece.hidden.swapaxes(0, 1))
            yield Rows(item, block, piece.last)


def _text_labels(names: Sequence[str]) -> tuple[tuple[str, Literal["str", "int"]], ...]:
    return tuple((name, TEXT) for name in names)


def _shown(item: Item, names: Sequence[str]) -> list[Label]:
    return [str(item.meta.get(name) or "") for name in names]


def plain_words(lexicon: Lexicon) -> list[str]:
    """The text of each id, without its block's name."""
    return [*lexicon.vocabulary.specials, *(w for block in lexicon.vocabulary.blocks for w in block.tokens)]


@dataclass(frozen=True)
class Words:
    """Words of one species, and the texts to see them in.

    Args:
        languages: name and ids (int64[V]) of each language; no id is in two of them.
        items: texts in these languages; None where no text is read.
    """

    languages: tuple[tuple[str, NDArray[np.int64]], ...]
    items: Iterable[Item] | None = None


def words_of(lexicon: Lexicon, species: str, items: Iterable[Item] | None = None) -> Words:
    """The words of a species' languages."""
    blocks = [block for block in lexicon.vocabulary.blocks if block.species in (None, species)]
    return Words(tuple((f"{species}/{block.molecule}", np.array(block.ids)) for block in blocks), items)


def block_words(lexicon: Lexicon, species: str | None = None) -> Words:
    """The words of all blocks, or of a species' blocks, each block under its own name; without texts."""
    owners = (None, *lexicon.species) if species is None else (None, species)
    blocks = [block for block in lexicon.vocabulary.blocks if block.species in owners]
    return Words(tuple((block.name, np.array(block.ids)) for block in blocks))


def static_vectors(engine: Engine, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """float32[V, D]: rows of the embedding, before position, language and norm are added."""
    weight = cast("Stem", engine.model.encoder.stem).output_weight()
    rows: NDArray[np.float32] = weight.detach().float().cpu().numpy()[ids]
    return rows


def vocabulary_table(
    engine: Engine,
    words: Sequence[Words],
    layers: tuple[int, ...],
    *,
    static: bool,
    dtype: DTypeName,
    meta: Mapping[str, Any],
) -> tuple[TableHeader, TableBlock]:
    """One row a word and language: its embedding row, and its mean state at each layer.

    A language that no text is in has no rows. A word that its language's texts lack has count 0 and NaN for
    its mean states.

    Args:
        engine: the model.
        words: all with texts, or all without; then there are no mean states.
        layers: of the mean states.
        static: also give the embedding's rows.
        dtype: of the table.
        meta: kept in the table.
    """
    contextual = any(chosen.items is not None for chosen in words)
    columns = (STATIC,) * static + tuple(f"layer{layer}" for layer in layers) * contextual
    labels = (("language", TEXT), ("count", NUMBER))
    header = TableHeader(columns, engine.settings.width, dtype, labels, meta)
    blocks = [block for chosen in words for block in _word_blocks(engine, chosen, layers, static=static)]
    ids = [word for block in blocks for word in block.ids]
    names = [[value for block in blocks for value in block.labels[i]] for i in range(2)]
    empty = np.empty((0, len(columns), header.width), dtype=np.float32)
    return header, TableBlock(ids, names, np.concatenate([empty, *(block.vectors for block in blocks)]))


def _word_blocks(
    engine: Engine, words: Words, layers: tuple[int, ...], *, static: bool
) -> Iterator[TableBlock]:
    """The rows of each language."""
    texts = plain_words(engine.lexicon)
    everything = np.concatenate([ids for _, ids in words.languages])
    means = None if words.items is None else contextual_means(engine, words.items, everything, layers)
    start = 0
    for name, ids in words.languages:
        part = slice(start, start + len(ids))
        start = part.stop
        counts = np.zeros(len(ids), dtype=np.int64) if means is None else means.total[part]
        if means is not None and not counts.any():
            continue
        vectors = [static_vectors(engine, ids)[:, None]] if static else []
        if means is not None:
            vectors.append(means.means[:, part].swapaxes(0, 1).astype(np.float32))
        labels: list[list[Label]] = [[name] * len(ids), counts.tolist()]
        yield TableBlock([texts[number] for number in ids], labels, np.concatenate(vectors, axis=1))
