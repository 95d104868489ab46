"""The letter at each place, one-hot, of sequences that all have one length: windows cut around an event.

Frequencies of words do not tell where a word stands, and around a splice site or a promoter's start that is
most of what there is to see. Shapes: m rows, L places, A letters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from genomecli.sequences.alphabets import get_alphabet
from genomecli.tasks.examples import Examples, Ints, SequenceColumn

LONGEST = 1000
"""Symbols of the longest sequences whose places are looked at."""

MOST_LETTERS = 4_000_000
"""Letters of all rows, at most: beyond it the regressions take minutes."""


def common_length(examples: Examples) -> int:
    """The length that all sequences have; 0 where they differ, come in pairs, or are too long or too many."""
    lengths = examples.sequences.lengths
    if examples.pair is not None or not len(lengths):
        return 0
    length = int(lengths[0])
    fits = 1 < length <= LONGEST and length * len(lengths) <= MOST_LETTERS
    return length if fits and bool((lengths == length).all()) else 0


def by_place(column: SequenceColumn, rows: Ints, length: int) -> Any:
    """1 for the letter at each place, scipy CSR float64[m, L * A], the letters of a place side by side.

    Letters that mean no single base or residue are 0 everywhere.

    Args:
        column: the sequences.
        rows: int64[m].
        length: L; symbols beyond it do not count.
    """
    from scipy.sparse import coo_array

    A = get_alphabet(column.alphabet).canonical
    picked = column.take(rows)
    owner = np.repeat(np.arange(len(picked), dtype=np.int64), picked.lengths)
    place = np.arange(len(owner)) - picked.offsets[owner]
    kept = (picked.symbols < A) & (place < length)
    at = place[kept] * A + picked.symbols[kept]
    return coo_array((np.ones(len(at)), (owner[kept], at)), shape=(len(picked), length * A)).tocsr()
