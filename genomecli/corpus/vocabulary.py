"""The vocabulary: an immutable value that says which token each id means.

It is made of five special tokens and of blocks, one for each language that has tokens of its own. A block
lists all words of its alphabet in the order of their index, so the id of a k-mer is the block's start plus
the k-mer's index, and no dictionary is looked up on the way from bases to ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class Block:
    """The words of one language, or of one molecule shared by all species.

    Args:
        name: ``dna``, or ``species/dna`` where each species has its own tokens.
        molecule: name of the alphabet.
        species: whose words they are; None where all species share them.
        k: symbols a word.
        tokens: all words, in the order of their index.
        start: id of the first word.
    """

    name: str
    molecule: str
    species: str | None
    k: int
    tokens: tuple[str, ...]
    start: int

    @property
    def stop(self) -> int:
        """One past the id of the last word."""
        return self.start + len(self.tokens)

    @property
    def ids(self) -> range:
        """The ids of the block."""
        return range(self.start, self.stop)


@dataclass(frozen=True)
class Vocabulary:
    """Special tokens and blocks, with ids 0 to ``size - 1``.

    Raises:
        ValueError: if the blocks do not follow one another without gap.
    """

    blocks: tuple[Block, ...]
    specials: tuple[str, ...] = SPECIALS

    def __post_init__(self) -> None:
        expected = len(self.specials)
        for block in self.blocks:
            if block.start != expected:
                raise ValueError(f"block {block.name} starts at {block.start}, not at {expected}")
            expected = block.stop

    @property
    def size(self) -> int:
        """Number of ids."""
        return self.blocks[-1].stop if self.blocks else len(self.specials)

    @cached_property
    def block_of(self) -> NDArray[np.int16]:
        """int16[size]: index of the block that each id belongs to; -1 for special tokens."""
        owner = np.full(self.size, -1, dtype=np.int16)
        for index, block in enumerate(self.blocks):
            owner[block.start : block.stop] = index
        owner.setflags(write=False)
        return owner

    @cached_property
    def bounds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First id and number of tokens of each block, int64[blocks] each."""
        starts = np.array([block.start for block in self.blocks], dtype=np.int64)
        return starts, np.array([len(block.tokens) for block in self.blocks], dtype=np.int64)

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        plain = [token for block in self.blocks for token in block.tokens]
        shared = len(set(plain)) < len(plain)
        named = [
            f"{block.name}:{token}" if shared else token for block in self.blocks for token in block.tokens
        ]
        return (*self.specials, *named)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {text: number for number, text in enumerate(self._texts)}

    def text(self, number: int) -> str:
        """The token of an id; with its block's name where a word occurs in more than one block."""
        return self._texts[number]

    def id(self, text: str, block: Block | None = None) -> int:
        """The id of a token, in ``block`` if one is given. Raises KeyError."""
        if block is None:
            return self._ids[text]
        try:
            return block.start + block.tokens.index(text)
        except ValueError:
            raise KeyError(text) from None

    def block(self, species: str, molecule: str) -> Block:
        """The block in which ``species`` writes ``molecule`` (an alphabet's name). Raises KeyError."""
        for block in self.blocks:
            if block.molecule == molecule and block.species in (None, species):
                return block
        raise KeyError(f"{species}/{molecule}")

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with the meaning of any id."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        blocks = [
            {
                "name": b.name,
                "molecule": b.molecule,
                "species": b.species,
                "k": b.k,
                "start": b.start,
                "tokens": list(b.tokens),
            }
            for b in self.blocks
        ]
        return {"specials": list(self.specials), "blocks": blocks}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Vocabulary:
        """The inverse of :meth:`to_dict`."""
        blocks = tuple(Block(**{**block, "tokens": tuple(block["tokens"])}) for block in values["blocks"])
        return cls(blocks, tuple(values["specials"]))
