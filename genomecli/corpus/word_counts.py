"""Counts of the words and letters of long texts of four letters, read in frame 0 without overlap.

Making an id for each token and counting ids reads and writes four bytes a token and widens them to eight.
Here several symbols are counted at once: the text is read as 16-bit numbers of two symbols each, and a unit
of six or eight symbols is a sum of three or four of these, shifted so that no two symbols share a bit. The
words and letters of the text are marginal sums of the units' counts. N symbols in a text.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.tokenizers import Tokenizer
from genomecli.sequences.alphabets import DNA, Codes

Ints = NDArray[np.int64]
BLOCK = 3 << 18
"""Symbols at a time, a multiple of every unit: intermediate arrays stay near the second-level cache."""

LEAST = 16
"""Symbols of a text for each count of a unit from which this is faster than making ids."""

UNITS = (6, 8)


def unit_of(tokenizer: Tokenizer) -> int | None:
    """How many symbols are counted at once for a tokenizer; None if its words cannot be counted so.

    They can if they are the plain ones of DNA, one after the other: what a registered tokenizer does with
    symbols is its own affair.
    """
    if type(tokenizer) is not Tokenizer or tokenizer.alphabet is not DNA or tokenizer.stride != tokenizer.k:
        return None
    return next((unit for unit in UNITS if unit % tokenizer.k == 0), None)


def count_units(symbols: Codes, unit: int) -> Ints:
    """int64[4 ** unit]: occurrences of each unit, the first letter varying slowest.

    Args:
        symbols: uint8[N], all below four; N a multiple of ``unit``.
        unit: symbols counted at once, 6 or 8.
    """
    half = unit // 2
    pairs = np.require(symbols.view("<u2"), requirements="A")  # a contig may start at any byte
    keys = pairs[half - 1 :: half].copy()
    for place in reversed(range(half - 1)):
        keys <<= 2
        keys += pairs[place::half]
    # The even symbols lie in a key's low byte, the first of them lowest; the odd ones in its high byte.
    found = np.bincount(keys, minlength=1 << 8 + unit).reshape(4**half, -1, 4**half)[:, 0]
    axes = [axis for place in range(half) for axis in (unit - 1 - place, half - 1 - place)]
    return found.reshape((4,) * unit).transpose(axes).reshape(-1)


def word_counts(units: Ints, unit: int, k: int) -> Ints:
    """int64[4 ** k]: occurrences of the words of ``k`` symbols in units of ``unit``, a multiple of it.

    Args:
        units: int64[4 ** unit], occurrences of each unit.
        unit: symbols of a unit.
        k: symbols of a word.
    """
    total = np.zeros(4**k, dtype=np.int64)
    for place in range(0, unit, k):
        total += units.reshape(4**place, 4**k, -1).sum(axis=(0, 2))
    return total
