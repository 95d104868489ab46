"""Stretches that most sequences have by design, such as the constant flanks of a reporter's constructs.

Two rows that share only such a stretch are not related, so letters in a k-mer that occurs in more than half
of the distinct sequences are hidden before k-mers are compared. That is done for at least ``ENOUGH`` distinct
sequences, and not where such k-mers cover half of the usual sequence: there the sequences are one family.

What fewer sequences have stays. Of 11,156 proteins of known structure, 2,756 have a tag of histidines; 878 of
these are, with 25 others, the largest of 10,036 clusters, joined by their tags.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.sketches import placed_kmers
from genomecli.sequences.alphabets import Codes, get_alphabet
from genomecli.tasks.examples import Ints, SequenceColumn

ENOUGH = 20
SAMPLE = 2000
"""Sequences, evenly over the rows, in which k-mers are counted."""


def without_flanks(column: SequenceColumn, k: int) -> SequenceColumn:
    """The sequences, with letters that most of them have by design hidden as ambiguous ones.

    Args:
        column: n distinct sequences.
        k: length of the k-mers that are counted.
    """
    if len(column) < ENOUGH:
        return column
    rows = np.unique(np.linspace(0, len(column) - 1, min(len(column), SAMPLE)).astype(np.int64))
    sample = column if len(rows) == len(column) else column.take(rows)
    common = _common(sample, k)
    if not len(common):
        return column
    covered = [one.mean() if len(one) else 0.0 for one in _covered(sample, common, k)]
    if np.median(covered) >= 0.5:
        return column
    hidden = np.concatenate([*_covered(column, common, k), np.zeros(0, dtype=bool)])
    symbols = column.symbols.copy()
    symbols[hidden] = get_alphabet(column.alphabet).canonical
    return SequenceColumn(column.alphabet, symbols, column.offsets)


def _common(sample: SequenceColumn, k: int) -> Ints:
    """The k-mers in more than half of the sequences, int64, ordered."""
    found = [np.unique(word[plain]) for word, plain in _placed(sample, k)]
    words, rows = np.unique(np.concatenate(found), return_counts=True)
    return words[rows * 2 > len(sample)]


def _covered(column: SequenceColumn, common: Ints, k: int) -> Iterator[NDArray[np.bool_]]:
    """Of each sequence, bool[length]: whether a letter lies in a common k-mer."""
    for length, (word, plain) in zip(column.lengths.tolist(), _placed(column, k), strict=True):
        steps = np.zeros(length + 1, dtype=np.int64)
        at = np.flatnonzero(
            plain & (common[np.minimum(np.searchsorted(common, word), len(common) - 1)] == word)
        )
        steps[at] += 1
        steps[at + k] -= 1
        yield np.cumsum(steps)[:-1] > 0


def _placed(column: SequenceColumn, k: int) -> Iterator[tuple[Ints, NDArray[np.bool_]]]:
    """The k-mer at each place of each sequence, and whether its letters are canonical; none if too short."""
    alphabet = get_alphabet(column.alphabet)
    strands = alphabet.complement is not None
    for row in range(len(column)):
        codes: Codes = column[row]
        if len(codes) < k:
            yield np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
        else:
            yield placed_kmers(codes, k, alphabet, both_strands=strands)
