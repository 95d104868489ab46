"""Gene families: genes that share k-mers of their proteins, joined by single linkage.

n genes. Two genes are joined if they share at least ``min_shared`` of the distinct k-mers of the one that has
fewer. The work grows with the number of k-mers, not with its square: a k-mer of up to ``CROWD`` genes
proposes all their pairs; one of more (a transposon's, a domain's) proposes each gene with the gene that has
most k-mers, as linclust does (Steinegger and Soding 2018), and with the next few in order of size. Every
proposed pair is then judged by its true count of shared k-mers. Beyond ``BUDGET`` residues one k-mer in s is
used, chosen by its hash, so that memory stays flat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.genes import in_order
from genomecli.sequences.alphabets import PROTEIN, Alphabet, Codes

Ints = NDArray[np.int64]
CROWD = 16
NEAR = 8
BLOCK = 1 << 15
"""Places whose k-mers are made at once, so that they stay in the cache."""

BUDGET = 8_000_000
PENDING = 1 << 20
"""Pairs of crowds that wait at least before repeats among them are dropped."""

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
    owners, words = [], []
    for begin in range(0, total, BLOCK):
        end = min(begin + BLOCK, total)
        word, plain = placed_kmers(symbols[begin : end + k - 1], k, alphabet, both_strands=both_strands)
        plain &= whole[begin:end]
        if rate > 1:
            plain &= mix(word) <= np.uint64((2**64 - 1) // rate)
        place = np.flatnonzero(plain)
        owners.append(np.searchsorted(offsets, place + begin, side="right") - 1)
        words.append(word[place])
    return np.concatenate(owners), np.concatenate(words)


def placed_kmers(
    symbols: Codes, k: int, alphabet: Alphabet, *, both_strands: bool
) -> tuple[Ints, NDArray[np.bool_]]:
    """The k-mer at each place, int64[t], and whether all of its letters are canonical, bool[t]."""
    base, total = alphabet.canonical, len(symbols) - k + 1
    words = np.zeros(total, dtype=np.int64)
    worst = np.zeros(total, dtype=np.uint8)
    for shift in range(k):
        letter = symbols[shift : shift + total]
        words *= base
        words += letter
        np.maximum(worst, letter, out=worst)
    if both_strands:
        assert alphabet.complement is not None
        paired = alphabet.complement[np.minimum(symbols, base)]
        other = np.zeros(total, dtype=np.int64)
        for shift in reversed(range(k)):
            other *= base
            other += paired[shift : shift + total]
        words = np.minimum(words, other)
    return words, worst < base


def mix(words: Ints) -> NDArray[np.uint64]:
    """uint64[t]: a well-mixed hash of integers (the finaliser of splitmix64, Steele et al. 2014)."""
    x = words.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True)
class Sketches:
    """Distinct k-mers of genes.

    Attributes:
        genes: number of genes.
        owner, word: int64[t], gene and k-mer of each distinct pair, ordered by gene; k-mers are renumbered.
        size: int64[genes], k-mers of each gene.
    """

    genes: int
    owner: Ints
    word: Ints
    size: Ints


def sketch(
    proteins: Proteins,
    genes: int,
    k: int,
    *,
    total: int | None = None,
    budget: int = BUDGET,
    alphabet: Alphabet = PROTEIN,
    both_strands: bool = False,
) -> Sketches:
    """The k-mers of all genes; one in s by hash if there are more than ``budget`` residues.

    A gene may come in several chunks. ``total`` is the number of residues, counted first if not given.
    ``alphabet`` and ``both_strands`` are those of :func:`kmers`, so that DNA is sketched as well.
    """
    if total is None:
        total = sum(len(symbols) for _, symbols, _ in proteins())
    rate = max(1, -(-total // budget))
    owners, words = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for numbers, symbols, offsets in proteins():
        owner, word = kmers(symbols, offsets, k, alphabet, both_strands=both_strands, rate=rate)
        owners.append(numbers[owner])
        words.append(word)
    owner, word = np.concatenate(owners), np.concatenate(words)
    word, known = _renumbered(word)
    pair = owner * known + word
    pair.sort()
    owner, word = np.divmod(pair[np.diff(pair, prepend=-1) > 0], known)
    return Sketches(genes, owner, word, np.bincount(owner, minlength=genes).astype(np.int64))


def _renumbered(words: Ints) -> tuple[Ints, int]:
    """Words by rank, int64[t], and how many there are (at least 1). Faster than ``np.unique``."""
    order = np.argsort(words)
    ordered = words[order]
    rank = np.empty(len(words), dtype=np.int64)
    rank[order] = np.cumsum(np.diff(ordered, prepend=ordered[:1]) > 0)
    return rank, int(rank.max(initial=0)) + 1


def families(similar: SimilarPairs, min_shared: float, also: tuple[Ints, Ints] | None = None) -> Ints:
    """The family of each gene: int64[genes], numbered in gene order; genes without k-mers stand alone.

    Args:
        similar: pairs of the genes.
        min_shared: what two genes must share, above 0 and up to 1.
        also: pairs of genes that are joined whatever they share, such as those with equal proteins.
    """
    if not similar.genes:
        return np.zeros(0, dtype=np.int64)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = similar.at(min_shared)
    if also is not None:
        left, right = np.concatenate([left, also[0]]), np.concatenate([right, also[1]])
    shape = (similar.genes, similar.genes)
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=shape)
    _, labels = connected_components(graph, directed=False)
    return in_order(labels)


def similar_pairs(sketches: Sketches, min_shared: float) -> tuple[Ints, Ints]:
    """The pairs of genes that share enough, int64[p] each, left < right; of crowds not all are named."""
    return SimilarPairs(sketches).at(min_shared)


class SimilarPairs:
    """Pairs of genes that share k-mers, proposed once and judged at any share.

    Attributes:
        genes: number of genes.
    """

    def __init__(self, sketches: Sketches) -> None:
        self.genes = sketches.genes
        self._sketches = sketches
        by_word = sketches.word * sketches.genes + sketches.owner
        by_word.sort()
        word, owner = np.divmod(by_word, max(sketches.genes, 1))
        starts = np.flatnonzero(np.diff(word, prepend=-1))
        counts = np.diff(np.append(starts, len(word)))
        exact, crowded = _proposals(owner, starts, counts, sketches)
        exact.sort()
        first = np.flatnonzero(np.diff(exact, prepend=-1))
        votes = np.diff(np.append(first, len(exact)))
        pairs, self._votes = _with_unvoted(exact[first], votes, _distinct(crowded))
        self._left, self._right = np.divmod(pairs, max(sketches.genes, 1))
        crowds = np.bincount(owner[np.repeat(counts > CROWD, counts)], minlength=sketches.genes)
        self._most = self._votes + np.minimum(crowds[self._left], crowds[self._right])

    def at(self, min_shared: float) -> tuple[Ints, Ints]:
        """The pairs that share at least this part of the k-mers of the gene that has fewer; int64[p] each."""
        sketches, left, right = self._sketches, self._left, self._right
        needed = np.ceil(min_shared * np.minimum(sketches.size[left], sketches.size[right]) - 1e-9)
        needed = np.maximum(needed, 1)
        sure = self._votes >= needed
        judged = np.flatnonzero(~sure & (self._most >= needed))
        sure[judged] = shared_kmers(sketches, left[judged], right[judged]) >= needed[judged]
        return left[sure], right[sure]


def _distinct(values: Ints) -> Ints:
    """Sorted distinct values, at least 0. Faster than ``np.unique``, which hashes."""
    values = np.sort(values)
    return values[np.diff(values, prepend=-1) > 0]


def _with_unvoted(pairs: Ints, votes: Ints, more: Ints) -> tuple[Ints, Ints]:
    """Distinct sorted pairs with their votes, and those of ``more`` that are not among them with none."""
    place = np.minimum(np.searchsorted(pairs, more), max(len(pairs) - 1, 0))
    new = more[pairs[place] != more] if len(pairs) else more
    return np.concatenate([pairs, new]), np.concatenate([votes, np.zeros(len(new), np.int64)])


def _proposals(owner: Ints, starts: Ints, counts: Ints, sketches: Sketches) -> tuple[Ints, Ints]:
    """Pairs as ``left * genes + right`` with left < right: one for each shared k-mer of few genes; and those
    that crowded k-mers propose, where not every pair that shares one is named."""
    exact: list[Ints] = [np.zeros(0, np.int64)]
    for size in range(2, CROWD + 1):
        members = owner[starts[counts == size][:, None] + np.arange(size)]
        i, j = np.triu_indices(size, 1)
        exact.append(_pair(members[:, i].ravel(), members[:, j].ravel(), sketches.genes))
    found, crowded = np.zeros(0, np.int64), [np.zeros(0, np.int64)]
    waiting = 0
    for start, count in zip(starts[counts > CROWD].tolist(), counts[counts > CROWD].tolist(), strict=True):
        members = owner[start : start + count]
        members = members[np.lexsort((members, -sketches.size[members]))]
        crowded.append(_pair(np.full(count - 1, members[0]), members[1:], sketches.genes))
        crowded += [_pair(members[:-step], members[step:], sketches.genes) for step in range(1, NEAR + 1)]
        waiting += (NEAR + 1) * count
        if waiting > max(len(found), PENDING):
            found, crowded, waiting = _distinct(np.concatenate([found, *crowded])), [], 0
    return np.concatenate(exact), np.concatenate([found, *crowded])


def _pair(a: Ints, b: Ints, genes: int) -> Ints:
    return np.minimum(a, b) * genes + np.maximum(a, b)


def shared_kmers(sketches: Sketches, left: Ints, right: Ints, block: int = 1 << 14) -> Ints:
    """int64[p]: how many k-mers the genes of each pair share."""
    table = kmer_table(sketches)
    result = np.zeros(len(left), dtype=np.int64)
    for begin in range(0, len(left), block):
        part = slice(begin, begin + block)
        result[part] = table[left[part]].multiply(table[right[part]]).sum(axis=1)
    return result


def kmer_table(sketches: Sketches) -> Any:
    """Which gene has which k-mer: scipy CSR int32[genes, words] of ones."""
    from scipy.sparse import csr_array

    ones = np.ones(len(sketches.word), dtype=np.int32)
    bounds = np.concatenate([[0], np.cumsum(sketches.size)])
    width = int(sketches.word.max()) + 1 if len(sketches.word) else 1
    return csr_array((ones, sketches.word, bounds), shape=(sketches.genes, width))
