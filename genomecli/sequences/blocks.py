"""A block: what a FASTA stream is cut into, many short records at once or one piece of a long one.

N symbols in the block, n records in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.sequences.alphabets import Alphabet, Codes

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive whole records, or one piece of one long record.

    Either ``whole`` is True and the block holds n >= 1 whole records; or it is False and the block holds one
    piece of one record: ``piece_start`` is where the piece begins in its record and ``last`` says that
    the record ends with it (a last piece may be empty). Pieces of a record follow each other directly.

    Args:
        alphabet: what ``symbols`` are codes of.
        headers: n header lines without ``>``, line end and blanks before it, as bytes.
        first: ordinal of the block's first record in its file, from 0.
        symbols: uint8[N], codes; ``INVALID`` (255) where the letter is not of the alphabet.
        offsets: int64[n + 1]: record i is ``symbols[offsets[i]:offsets[i + 1]]``.
        invalid: int64[n], symbols that are not of the alphabet.
        first_invalid: int64[n], position in the piece of the first of them, -1 where there is none.
        ambiguous: int64[n], symbols of the alphabet that are not canonical (N in DNA, X or * in protein).
        soft: uint8[N], 1 where the letter was lower case; None where the block has no lower-case letter.
        lower: int64[n], lower-case letters.
        piece_start: position of the block's first symbol in its record; 0 in a block of whole records.
        whole: the block holds whole records.
        last: the block's (last) record ends with it.
        aliased: int64[n], letters that are read as another (U in DNA); None where there is none.
    """

    alphabet: Alphabet
    headers: list[bytes]
    first: int
    symbols: Codes
    offsets: Counts
    invalid: Counts
    first_invalid: Counts
    ambiguous: Counts
    soft: Codes | None
    lower: Counts
    piece_start: int = 0
    whole: bool = True
    last: bool = True
    aliased: Counts | None = None

    def __len__(self) -> int:
        return len(self.headers)

    @property
    def lengths(self) -> Counts:
        """int64[n]: symbols of each record that lie in this block."""
        return np.diff(self.offsets)

    def record_symbols(self, i: int) -> Codes:
        """uint8 view of record ``i``'s symbols in this block."""
        return self.symbols[self.offsets[i] : self.offsets[i + 1]]

    def record_aliased(self, i: int) -> int:
        """Letters of record ``i`` in this block that are read as another."""
        return 0 if self.aliased is None else int(self.aliased[i])

    def record_soft(self, i: int) -> Codes | None:
        """uint8 view of record ``i``'s soft mask in this block, None where nothing is lower case."""
        if self.soft is None or not self.lower[i]:
            return None
        return self.soft[self.offsets[i] : self.offsets[i + 1]]
