"""Gene families: genes that share k-mers of their proteins, joined by single linkage.

n genes. Two genes are joined if they share at least ``min_shared`` of the distinct k-mers of the one that has
fewer. The work grows with the number of k-mers, not with its square: a k-mer of up to ``CROWD`` genes
proposes all their pairs; one of more (a transposon's, a domain's) proposes each gene with the gene that has
most k-mers, as linclust does (Steinegger and Soding 2018), and with the next few in order of size. Every
proposed pair is then judged by its true count of shared k-mers. Beyond ``sketches.BUDGET`` residues one k-mer
in s is used, chosen by its hash, so that memory stays flat. Then two genes must share two of these whatever
their size: among so many residues one k-mer is shared by chance, and short genes would all be joined by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.genes import in_order
from genomecli.corpus.numbering import components
from genomecli.corpus.sketches import Sketches, changes

Ints = NDArray[np.int64]
CROWD = 16
NEAR = 8
SAMPLED_LEAST = 2
"""K-mers that two genes must share at least where not all are used."""

VOTES = 1 << 18
"""Shared k-mers that are counted at a time, about."""

PENDING = 1 << 20
"""Pairs of crowds that wait at least before repeats among them are dropped."""


def families(similar: SimilarPairs, min_shared: float, also: tuple[Ints, Ints] | None = None) -> Ints:
    """The family of each gene: int64[genes], numbered in gene order; genes without k-mers stand alone.

    Args:
        similar: pairs of the genes.
        min_shared: what two genes must share, above 0 and up to 1.
        also: pairs of genes that are joined whatever they share, such as those with equal proteins.
    """
    if not similar.genes:
        return np.zeros(0, dtype=np.int64)
    left, right = similar.at(min_shared)
    if also is not None:
        left, right = np.concatenate([left, also[0]]), np.concatenate([right, also[1]])
    return in_order(components(similar.genes, left, right))


def similar_pairs(sketches: Sketches, min_shared: float) -> tuple[Ints, Ints]:
    """The pairs of genes that share enough, int64[p] each, left < right; of crowds not all are named."""
    return SimilarPairs(sketches, min_shared).at(min_shared)


class SimilarPairs:
    """Pairs of genes that share k-mers, proposed once and judged at any share.

    Args:
        sketches: the genes' k-mers.
        least: the smallest share that is asked for later; pairs that cannot reach it are not kept.

    Attributes:
        genes: number of genes.
    """

    def __init__(self, sketches: Sketches, least: float = 0.0) -> None:
        self.genes = sketches.genes
        self._sketches, self._least = sketches, least
        bits = max(self.genes - 1, 1).bit_length()
        counts = np.diff(sketches.starts)
        crowds = _Crowds(sketches, counts)
        needed = self._needed(least)
        crowded, floor = crowds.size > 0, int(needed[sketches.size > 0].min(initial=1 << 30))
        kept, votes = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
        for pairs, found in _voted(sketches, counts, bits):
            # Most pairs share one k-mer by chance: judge only those that can reach what any gene needs.
            hopeful = found >= floor
            if not hopeful.all():
                hopeful |= crowded[pairs >> bits] & crowded[pairs & ((1 << bits) - 1)]
                pairs, found = pairs[hopeful], found[hopeful]
            left, right = pairs >> bits, pairs & ((1 << bits) - 1)
            most = found + np.minimum(crowds.size[left], crowds.size[right])
            near = np.flatnonzero(most >= np.minimum(needed[left], needed[right]))
            kept.append(pairs[near])
            votes.append(found[near])
        pairs, found = _with_unvoted(
            np.concatenate(kept), np.concatenate(votes), _proposals(sketches, counts, bits)
        )
        left, right = pairs >> bits, pairs & ((1 << bits) - 1)
        most = found + np.minimum(crowds.size[left], crowds.size[right])
        near = np.flatnonzero(most >= np.minimum(needed[left], needed[right]))
        self._left, self._right = left[near], right[near]
        self._shared = found[near] + crowds.shared(self._left, self._right)

    def _needed(self, min_shared: float) -> NDArray[np.int32]:
        """int32[genes]: what a gene must share with one that has no fewer k-mers; more of them need more."""
        needed: NDArray[np.int32] = np.ceil(min_shared * self._sketches.size - 1e-9).astype(np.int32)
        return np.maximum(needed, np.int32(self._sketches.least))

    def at(self, min_shared: float) -> tuple[Ints, Ints]:
        """The pairs that share at least this part of the k-mers of the gene that has fewer; int64[p] each."""
        assert min_shared >= self._least, "pairs that share less were not kept"
        needed = self._needed(min_shared)
        enough = self._shared >= np.minimum(needed[self._left], needed[self._right])
        return self._left[enough], self._right[enough]


class _Crowds:
    """The k-mers of more than ``CROWD`` genes; all others a pair shares are counted as its votes.

    Attributes:
        size: int32[genes], such k-mers of each gene.
    """

    def __init__(self, sketches: Sketches, counts: Ints) -> None:
        owner = sketches.owner[np.repeat(counts > CROWD, counts)]
        crowds = counts[counts > CROWD]
        self._words = max(len(crowds), 1)
        # A gene's k-mers as neighbours in one sorted column: the number of the gene, then of the k-mer.
        self._keys = np.sort(owner * self._words + np.repeat(np.arange(len(crowds)), crowds))
        self.size = np.bincount(owner, minlength=sketches.genes).astype(np.int32)
        self._first = np.cumsum(self.size, dtype=np.int64) - self.size

    def shared(self, left: Ints, right: Ints, block: int = 1 << 14) -> NDArray[np.int32]:
        """int32[p]: how many of them the genes of each pair share."""
        result = np.zeros(len(left), dtype=np.int32)
        both = np.flatnonzero(np.minimum(self.size[left], self.size[right]))
        for begin in range(0, len(both), block):
            part = both[begin : begin + block]
            few, many = left[part], right[part]
            swapped = self.size[few] > self.size[many]
            few, many = np.where(swapped, many, few), np.where(swapped, few, many)
            size = self.size[few].astype(np.int64)
            pair = np.repeat(np.arange(len(part)), size)
            place = np.arange(len(pair)) + (self._first[few] - (np.cumsum(size) - size))[pair]
            sought = self._keys[place] + ((many - few) * self._words)[pair]
            found = np.minimum(np.searchsorted(self._keys, sought), len(self._keys) - 1)
            result[part] = np.bincount(pair[self._keys[found] == sought], minlength=len(part))
        return result


def _distinct(values: Ints) -> Ints:
    """Sorted distinct values. Faster than ``np.unique``, which hashes."""
    values = np.sort(values)
    return values[changes(values)]


def _with_unvoted(pairs: Ints, votes: NDArray[np.int32], more: Ints) -> tuple[Ints, NDArray[np.int32]]:
    """Distinct sorted pairs with their votes, and those of ``more`` that are not among them with none."""
    place = np.minimum(np.searchsorted(pairs, more), max(len(pairs) - 1, 0))
    new = more[pairs[place] != more] if len(pairs) else more
    return np.concatenate([pairs, new]), np.concatenate([votes, np.zeros(len(new), np.int32)])


def _voted(sketches: Sketches, counts: Ints, bits: int) -> Iterator[tuple[Ints, NDArray[np.int32]]]:
    """The pairs that share k-mers of few genes, as ``left << bits | right`` with left < right, int64[p] and
    sorted; and how many of these they share, int32[p]. Some at a time, so that they stay in the cache."""
    owner, starts = sketches.owner, sketches.starts[:-1]
    shared: list[Ints] = [np.zeros(0, np.int64)]
    for size in range(2, CROWD + 1):
        first = starts[counts == size]
        columns = [owner[first + place] for place in range(size)] if len(first) else []
        shared += [(left << bits) | right for left, right in combinations(columns, 2)]
    pairs = np.concatenate(shared)
    del shared
    pairs.sort()
    begin = 0
    while begin < len(pairs):
        end = min(begin + VOTES, len(pairs))
        end = int(np.searchsorted(pairs, pairs[end - 1], side="right"))
        part = pairs[begin:end]
        first = np.flatnonzero(changes(part))
        yield part[first], np.diff(first, append=len(part)).astype(np.int32)
        begin = end


def _proposals(sketches: Sketches, counts: Ints, bits: int) -> Ints:
    """Distinct pairs, as ``left << bits | right`` with left < right, that crowded k-mers propose; not every
    pair that shares one is named."""
    found, crowded = np.zeros(0, np.int64), [np.zeros(0, np.int64)]
    waiting = 0
    for members in _crowds(sketches, counts, bits):
        first = np.broadcast_to(members[:, :1], members[:, 1:].shape)
        crowded.append(_pair(first, members[:, 1:], bits))
        crowded += [_pair(members[:, :-step], members[:, step:], bits) for step in range(1, NEAR + 1)]
        waiting += (NEAR + 1) * members.size
        if waiting > max(len(found), PENDING):
            found, crowded, waiting = _distinct(np.concatenate([found, *crowded])), [], 0
    return _distinct(np.concatenate([found, *crowded]))


def _crowds(sketches: Sketches, counts: Ints, bits: int) -> Iterator[Ints]:
    """The genes of crowded k-mers, those with most first: int64[words, genes of each], some at a time."""
    owner, starts = sketches.owner, sketches.starts[:-1]
    most = int(sketches.size.max(initial=0))
    for count in np.unique(counts[counts > CROWD]).tolist():
        firsts = starts[counts == count]
        step = max(1, PENDING // count)
        for begin in range(0, len(firsts), step):
            members = owner[firsts[begin : begin + step, None] + np.arange(count)]
            order = ((most - sketches.size[members]) << bits) | members
            order.sort(axis=1)
            yield order & ((1 << bits) - 1)


def _pair(a: Ints, b: Ints, bits: int) -> Ints:
    pairs: Ints = (np.minimum(a, b) << bits) | np.maximum(a, b)
    return pairs.ravel()


def shared_kmers(sketches: Sketches, left: Ints, right: Ints, block: int = 1 << 14) -> Ints:
    """int64[p]: how many k-mers the genes of each pair share."""
    result = np.zeros(len(left), dtype=np.int64)
    if not len(left):
        return result
    table = kmer_table(sketches)
    for begin in range(0, len(left), block):
        part = slice(begin, begin + block)
        result[part] = table[left[part]].multiply(table[right[part]]).sum(axis=1)
    return result


def kmer_table(sketches: Sketches) -> Any:
    """Which gene has which k-mer: scipy CSR int32[genes, words] of ones."""
    from scipy.sparse import csc_array

    ones = np.ones(len(sketches.owner), dtype=np.int32)
    shape = (sketches.genes, max(len(sketches.starts) - 1, 1))
    starts = sketches.starts if len(sketches.starts) > 1 else np.zeros(2, dtype=np.int64)
    return csc_array((ones, sketches.owner, starts), shape=shape).tocsr()
