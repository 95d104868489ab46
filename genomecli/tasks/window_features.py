"""The letters around a symbol, one-hot: what the simple baseline of token targets sees.

Shapes: N symbols of all sequences, m of them, W places of the window, A letters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from genomecli.sequences.alphabets import get_alphabet
from genomecli.tasks.examples import Floats, Ints, SequenceColumn

HALF = {"dna": 12, "protein": 7}
"""Symbols on each side. Windows of about 15 residues have been usual for secondary structure since Qian and
Sejnowski 1988; 25 bases hold a splice site."""


def window_letters(column: SequenceColumn, places: Ints) -> Ints:
    """int64[m, W]: the letter at each place of the window; A (one more than the last) beyond the ends.

    Letters that mean no single base or residue share the last code, A - 1.

    Args:
        column: the sequences.
        places: int64[m], symbols of all sequences, end to end.
    """
    half, letters = HALF[column.alphabet], get_alphabet(column.alphabet).canonical
    owner = np.searchsorted(column.offsets, places, side="right") - 1
    around = places[:, None] + np.arange(-half, half + 1)
    inside = (around >= column.offsets[owner][:, None]) & (around < column.offsets[owner + 1][:, None])
    found = column.symbols[np.clip(around, 0, len(column.symbols) - 1)].astype(np.int64)
    return np.where(inside, np.minimum(found, letters), letters + 1)


def one_hot(column: SequenceColumn, places: Ints) -> Any:
    """:func:`window_letters` as 0 and 1, scipy CSR float64[m, W * A]; nothing stands beyond the ends.

    Args:
        column: the sequences.
        places: int64[m], symbols of all sequences, end to end.
    """
    from scipy.sparse import coo_array

    letters = window_letters(column, places)
    A, W = get_alphabet(column.alphabet).canonical + 1, letters.shape[1]
    rows, at = np.nonzero(letters < A)
    columns = at * A + letters[rows, at]
    shape = (len(places), W * A)
    return coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()


def window_sums(column: SequenceColumn, places: Ints, weights: Floats) -> Floats:
    """What a linear model says of each symbol, without the table of 0 and 1; float64[m, C].

    Args:
        column: the sequences.
        places: int64[m].
        weights: float64[C, W * A].
    """
    letters = window_letters(column, places)
    A, W = get_alphabet(column.alphabet).canonical + 1, letters.shape[1]
    table = np.zeros((W, A + 1, len(weights)))
    table[:, :A] = weights.T.reshape(W, A, len(weights))
    found: Floats = np.zeros((len(places), len(weights)))
    for at in range(W):
        found += table[at, letters[:, at]]
    return found
