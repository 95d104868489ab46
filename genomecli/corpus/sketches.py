"""k-mers of sequences, and which of them each gene has: what relatives are found by.

Shapes: N symbols of joined sequences, m sequences, t k-mers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.sequences.alphabets import PROTEIN, Alphabet, Codes

Ints = NDArray[np.int64]
BLOCK = 1 << 15
"""Places whose k-mers are made at once, so that they stay in the cache."""

BUDGET = 8_000_000
"""Residues beyond which only some k-mers are used, so that memory stays flat."""

Proteins = Callable[[], Iterator[tuple[Ints, Codes, Ints]]]
"""Gives chunks: int64[m] genes, their residues joined (uint8[N]), and int64[m + 1] offsets."""


def kmers(
    symbols: Codes,
    offsets: Ints,
    k: int,
    alphabet: Alphabet = PROTEIN,
    *,
    both_strands: bool = False,
    rate: int = 1,
) -> tuple[Ints, Ints]:
    """All k-mers of canonical residues or bases, or one in ``rate`` of them.

    Args:
        symbols: uint8[N], sequences joined.
        offsets: int64[m + 1], where each starts.
        k: symbols a k-mer, at most 14 residues or 31 bases.
        alphabet: what ``symbols`` are codes of.
        both_strands: a k-mer and its reverse complement are one, the smaller of the two; DNA only.
        rate: which k-mers are kept depends on their letters alone, so equal sequences keep the same.

    Returns:
        int64[t] sequence and int64[t] k-mer (its digits to the base of 20 residues or 4 bases), in order.
    """
    total = len(symbols) - k + 1
    if total <= 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    whole = np.ones(total, dtype=np.bool_)  # k-mers that lie in one sequence
    for shift in range(1, k):
        ends = offsets[1:-1] - shift
        whole[ends[(ends >= 0) & (ends < total)]] = False
    places, words = [], []
    for begin in range(0, total, BLOCK):
        end = min(begin + BLOCK, total)
        word, plain = placed_kmers(symbols[begin : end + k - 1], k, alphabet, both_strands=both_strands)
        plain &= whole[begin:end]
        if rate > 1:
            plain &= mix(word) <= np.uint64((2**64 - 1) // rate)
        place = np.flatnonzero(plain)
        words.append(word[place])
        place += begin
        places.append(place)
    counts = np.diff(np.searchsorted(np.concatenate(places), offsets))
    return np.repeat(np.arange(len(counts)), counts), np.concatenate(words)


def placed_kmers(
    symbols: Codes, k: int, alphabet: Alphabet, *, both_strands: bool
) -> tuple[Ints, NDArray[np.bool_]]:
    """The k-mer at each place, int64[t], and whether all of its letters are canonical, bool[t]."""
    base, total = alphabet.canonical, len(symbols) - k + 1
    plain = np.ones(total, dtype=np.bool_)
    if len(symbols) and symbols.max() >= base:
        for shift in range(k):
            plain &= symbols[shift : shift + total] < base
        symbols = np.minimum(symbols, base)
    words = _digits(symbols, k, base)
    if both_strands:
        assert alphabet.complement is not None
        paired = alphabet.complement[symbols]
        words = np.minimum(words, _digits(paired[::-1], k, base)[::-1])
    return words.astype(np.int64), plain


def _digits(symbols: NDArray[Any], k: int, base: int) -> NDArray[Any]:
    """The number that each k symbols write, in the narrowest type: of two halves, so with few additions."""
    if k == 1:
        return symbols
    behind = k // 2
    front, back = _digits(symbols, k - behind, base), _digits(symbols, behind, base)
    size = (base + 1) ** k  # a symbol may also be ``base``, where it is ambiguous
    kind = np.uint16 if size < 1 << 16 else np.int32 if size < 1 << 31 else np.int64
    words: NDArray[Any] = front[: len(symbols) - k + 1].astype(kind)
    np.multiply(words, kind(base**behind), out=words)
    np.add(words, back[k - behind :].astype(kind, copy=False), out=words)
    return words


def mix(words: Ints) -> NDArray[np.uint64]:
    """uint64[t]: a well-mixed hash of integers (the finaliser of splitmix64, Steele et al. 2014)."""
    x = words.astype(np.uint64)
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


@dataclass(frozen=True)
class Sketches:
    """Distinct k-mers of genes, as a table of words by genes.

    Attributes:
        genes: number of genes.
        owner: int64[t], the genes of each word, ascending, one word after the other.
        starts: int64[words + 1], where each word begins.
        size: int64[genes], k-mers of each gene.
        least: k-mers that two genes must share at least, whatever part of all that is.
    """

    genes: int
    owner: Ints
    starts: Ints
    size: Ints
    least: int = 1


def sketch(
    proteins: Proteins,
    genes: int,
    k: int,
    *,
    total: int | None = None,
    budget: int = BUDGET,
    alphabet: Alphabet = PROTEIN,
    both_strands: bool = False,
    least: int = 1,
) -> Sketches:
    """The k-mers of all genes; one in s by hash if there are more than ``budget`` residues.

    A gene may come in several chunks. ``total`` is the number of residues, counted first if not given.
    ``alphabet`` and ``both_strands`` are those of :func:`kmers`, so that DNA is sketched as well. ``least``
    is that of :class:`Sketches` where not all k-mers are used.
    """
    if total is None:
        total = sum(len(symbols) for _, symbols, _ in proteins())
    rate = max(1, -(-total // budget))
    bits = max(genes - 1, 1).bit_length()
    roomy = (alphabet.canonical**k - 1).bit_length() + bits <= 63  # word and owner fit into one number
    owners, words = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for numbers, symbols, offsets in proteins():
        owner, word = kmers(symbols, offsets, k, alphabet, both_strands=both_strands, rate=rate)
        owner = numbers[owner]
        if roomy:
            word <<= bits
            word |= owner
        else:
            owners.append(owner)
        words.append(word)
    word = np.concatenate(words)
    del words
    if not roomy:
        word = (_renumbered(word) << bits) | np.concatenate(owners)
    del owners
    word.sort()
    pair = word[changes(word)]
    owner = pair & ((1 << bits) - 1)
    pair >>= bits
    starts = np.append(np.flatnonzero(changes(pair)), len(pair))
    size = np.bincount(owner, minlength=genes).astype(np.int64)
    return Sketches(genes, owner, starts, size, least if rate > 1 else 1)


def changes(values: Ints) -> NDArray[np.bool_]:
    """bool[t]: values that differ from the one before them; the first does."""
    new = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new


def _renumbered(words: Ints) -> Ints:
    """Words by rank, int64[t]. Faster than ``np.unique``."""
    order = np.argsort(words)
    ordered = words[order]
    rank = np.empty(len(words), dtype=np.int64)
    rank[order] = np.cumsum(np.diff(ordered, prepend=ordered[:1]) > 0)
    return rank
