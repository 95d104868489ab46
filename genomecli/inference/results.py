"""What the engine gives out, and which models it takes.

Shapes: t tokens of an item, m tokens of a piece, C layers, P poolings, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import InputError
from genomecli.inference.items import Item

if TYPE_CHECKING:
    from genomecli.corpus.lexicon import Lexicon
    from genomecli.models.language_model import LanguageModel

Floats = NDArray[np.float32]
Layers = Sequence[int] | Literal["all"]
"""Numbers of layers, 0 after the embedding, negative ones counted from the last (-1); or ``all``."""


class Readable(Protocol):
    """A model and what its ids mean: a ``LoadedModel``, or :class:`LiveModel` during training."""

    @property
    def model(self) -> LanguageModel:
        """The network."""
        ...

    @property
    def lexicon(self) -> Lexicon:
        """What its ids mean."""
        ...


@dataclass(frozen=True)
class LiveModel:
    """A model in training, for probes."""

    model: LanguageModel
    lexicon: Lexicon


@dataclass(frozen=True, slots=True)
class Result:
    """States of one item.

    Args:
        item: as given.
        hidden: by layer, float32[t, D], without special tokens.
        cls: by layer, float32[D], the state of [CLS]; the mean over windows if there are several.
    """

    item: Item
    hidden: dict[int, Floats]
    cls: dict[int, Floats]

    @property
    def id(self) -> str:
        """The item's id."""
        return self.item.id


@dataclass(frozen=True, slots=True)
class Piece:
    """States of some consecutive tokens of an item; the pieces of an item follow each other directly.

    Args:
        item: as given.
        start: its first token here.
        hidden: float32[C, m, D].
        cls: float32[C, D], the state of [CLS] of this piece's window.
        last: the item ends with it.
    """

    item: Item
    start: int
    hidden: Floats
    cls: Floats
    last: bool


@dataclass(frozen=True, slots=True)
class Pooled:
    """Vectors of one item.

    Args:
        item: as given.
        vectors: float32[C, P, D], layers and poolings in the order asked for.
    """

    item: Item
    vectors: Floats


def resolve_layers(layers: Layers, blocks: int) -> tuple[int, ...]:
    """Layer numbers, 0 (after the embedding) to ``blocks`` (the last), in the order asked for.

    Args:
        layers: which.
        blocks: of the model.

    Raises:
        InputError: if the model lacks a layer.
    """
    if isinstance(layers, str):
        return tuple(range(blocks + 1))
    found = [int(layer) + blocks + 1 if layer < 0 else int(layer) for layer in layers]
    wrong = [given for given, layer in zip(layers, found, strict=True) if not 0 <= layer <= blocks]
    if wrong:
        raise InputError(
            f"the model has no layer {wrong[0]}", fix=f"it has 0 (embedding) to {blocks}, and -1 is the last"
        )
    return tuple(dict.fromkeys(found))
