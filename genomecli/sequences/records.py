"""A record: one sequence with its aligned columns and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genomecli.sequences.alphabets import Alphabet, Codes


@dataclass(slots=True)
class Record:
    """One sequence. Nothing here is special to DNA: strand, code and frame are in ``meta``.

    Args:
        id: the header up to the first white space.
        alphabet: what ``symbols`` are codes of.
        symbols: uint8[n].
        columns: named arrays of length n, such as ``soft`` (uint8, 1 where the letter was lower case).
        meta: annotation: ``description``, ``source``, ``contig``, ``strand`` (+1, -1), ``start`` and ``end``
            (0-based, half-open), ``parts``, ``table`` (genetic code), ``gene``, ``protein_id``,
            ``partial5``, ``partial3``, ``circular``.
    """

    id: str
    alphabet: Alphabet
    symbols: Codes
    columns: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    meta: dict[str, object] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def text(self) -> str:
        """The letters, lower case where the ``soft`` column says so."""
        soft = self.columns.get("soft")
        return self.alphabet.decode(self.symbols, None if soft is None else soft.astype(np.uint8))
