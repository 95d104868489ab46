"""Shared k-mers of labelled sequences, by the machinery of gene families, for DNA on both strands.

A k-mer of DNA and its reverse complement are one. Two sequences are similar if they share a given part of the
distinct k-mers of the one that has fewer, which is all of them for a sequence that lies in another. Sequences
shorter than k share nothing. Of k-mers that more than 16 sequences have, not every pair is looked at, and
above 8 million letters one k-mer in s is used: see :mod:`genomecli.corpus.families`. The k-mers of a pair of
sequences are those of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from genomecli.corpus.families import Sketches, sketch
from genomecli.sequences.alphabets import Codes, get_alphabet
from genomecli.tasks.examples import Examples, Ints, SequenceColumn

K = {"dna": 12, "protein": 5}
"""Length of k-mers: so long that unrelated sequences of usual lengths share few by chance."""


def sketches(examples: Examples, k: int | None = None) -> Sketches:
    """The distinct k-mers of each row.

    Args:
        examples: n of them.
        k: length of k-mers; None for that of :data:`K`.
    """
    columns: dict[str, list[SequenceColumn]] = {examples.sequences.alphabet: [examples.sequences]}
    if examples.pair is not None:
        columns.setdefault(examples.pair.alphabet, []).append(examples.pair)
    parts = [_sketch(some, k) for some in columns.values()]
    return parts[0] if len(parts) == 1 else _joined(*parts)


def _sketch(columns: Sequence[SequenceColumn], k: int | None) -> Sketches:
    """The k-mers that each row has in any of some columns of one alphabet."""
    alphabet = get_alphabet(columns[0].alphabet)
    rows = len(columns[0])

    def chunks() -> Iterator[tuple[Ints, Codes, Ints]]:
        for column in columns:
            yield np.arange(rows, dtype=np.int64), column.symbols, column.offsets

    strands = alphabet.complement is not None
    return sketch(chunks, rows, k or K[alphabet.name], alphabet=alphabet, both_strands=strands)


def _joined(first: Sketches, second: Sketches) -> Sketches:
    """The k-mers of two alphabets, which have nothing in common."""
    beyond = int(first.word.max(initial=-1)) + 1
    owner = np.concatenate([first.owner, second.owner])
    word = np.concatenate([first.word, second.word + beyond])
    order = np.lexsort((word, owner))
    return Sketches(first.genes, owner[order], word[order], first.size + second.size)
