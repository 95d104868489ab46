"""How much of two sequences can be laid on each other, from the k-mers that they share.

A shared k-mer says where one sequence lies on the other, and on which strand. From there it is extended both
ways without gaps to where equal letters outweigh unequal ones most (the extension of BLAST, Altschul et al.
1990), with a threshold halfway between the identity asked and that of strangers. A copy with insertions or
deletions has several such pieces; letters of the shorter sequence that lie in any are aligned, each counted
once. Coverage of the shorter one is how CD-HIT (``-aS``, Li and Godzik 2006) and MMseqs2 (``--cov-mode``)
tell relatives from sequences that hold one stretch in common. p pairs, h places of shared k-mers, r pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.sketches import placed_kmers
from genomecli.sequences.alphabets import Alphabet, Codes, get_alphabet
from genomecli.tasks.examples import Floats, Ints, SequenceColumn

REACH = 256
"""Letters that a piece is extended by at most, on either side; other shared k-mers begin other pieces."""

SLACK = 8
"""Letters between two stretches of one offset that are never worth leaving out: a k-mer outweighs them."""

ENDS = 3
"""Letters at either end that an overlap may leave out: where one of the last few differs, it ends there."""

OFTEN = 8
"""Places of a k-mer in one sequence that are looked at: a repeat has more."""

PIECES = 256
"""Pieces of a pair that are looked at, the longest shared stretches first."""

LETTERS = 1 << 20
"""Letters of pairs that are looked at together."""

CELLS = 1 << 21


@dataclass(frozen=True)
class Laid:
    """What can be laid on each other of pairs of sequences, int64[p] each.

    Args:
        shorter: letters that are not ambiguous, of the sequence with fewer.
        aligned: how many of them lie in pieces, beside such a letter.
        equal: how many of those lie beside an equal one.
        stretch: the longest run of equal letters that holds a shared k-mer.
        overlap: letters of the longest piece that begins where one sequence does and ends where one does, but
            for :data:`ENDS` letters: one lies within the other, or an end of one on an end of the other.
    """

    shorter: Ints
    aligned: Ints
    equal: Ints
    stretch: Ints
    overlap: Ints


def lay(column: SequenceColumn, left: Ints, right: Ints, k: int, identity: float) -> Laid:
    """Lay pairs of sequences on each other, of DNA on both strands.

    Args:
        column: n sequences.
        left, right: int64[p], rows of the column; in any order.
        k: length of the k-mers that pieces begin with.
        identity: part of equal letters that is asked for.
    """
    alphabet = get_alphabet(column.alphabet)
    known = np.concatenate([[0], np.cumsum(column.symbols < alphabet.canonical)])[column.offsets]
    letters = np.diff(known)
    swap = letters[left] > letters[right]
    short, long = np.where(swap, right, left), np.where(swap, left, right)
    found = np.zeros((4, len(left)), dtype=np.int64)
    for part in _parts(column.lengths[left] + column.lengths[right]):
        found[:, part] = _Block(column, short[part], long[part], k, alphabet).lay(identity)
    return Laid(letters[short], *found)


def _parts(sizes: Ints, limit: int = LETTERS) -> Iterator[slice]:
    """Stretches of pairs that hold about ``limit`` letters in all."""
    ends = np.cumsum(sizes)
    begin = 0
    while begin < len(sizes):
        done = int(ends[begin - 1]) if begin else 0
        end = max(int(np.searchsorted(ends, done + limit, side="right")), begin + 1)
        yield slice(begin, end)
        begin = end


def _ranges(counts: Ints) -> Ints:
    """0..c-1 for each count, one after the other."""
    found: Ints = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return found


@dataclass(frozen=True)
class _Pieces:
    """Stretches that two sequences share, int64[r] each.

    Args:
        pair: whose they are.
        at: place of the first letter in the shorter sequence, in the block's symbols.
        beside: place of the letter that lies beside it, in the longer one.
        step: 1, or -1 where the longer one is read on its other strand.
        length: letters.
    """

    pair: Ints
    at: Ints
    beside: Ints
    step: Ints
    length: Ints

    def take(self, rows: Ints | slice) -> _Pieces:
        return _Pieces(*(one[rows] for one in (self.pair, self.at, self.beside, self.step, self.length)))


class _Block:
    """Some pairs, with the letters of their sequences side by side."""

    def __init__(self, column: SequenceColumn, short: Ints, long: Ints, k: int, alphabet: Alphabet) -> None:
        rows, number = np.unique(np.concatenate([short, long]), return_inverse=True)
        self.short, self.long = number[: len(short)], number[len(short) :]
        lengths = column.lengths[rows]
        # An ambiguous letter parts the sequences, so that no k-mer lies in two.
        self.starts = np.concatenate([[0], np.cumsum(lengths + 1)])
        self.ends = self.starts[:-1] + lengths
        self.symbols: Codes = np.full(int(self.starts[-1]), alphabet.canonical, dtype=np.uint8)
        own = np.repeat(self.starts[:-1], lengths) + _ranges(lengths)
        source = np.repeat(column.offsets[rows], lengths) + _ranges(lengths)
        self.symbols[own] = np.minimum(column.symbols[source], alphabet.canonical)
        self.k, self.alphabet = k, alphabet

    def lay(self, identity: float) -> Ints:
        """int64[4, p]: aligned and equal letters, the longest stretch and the longest overlap."""
        p = len(self.short)
        sizes = self.ends[self.short] - self.starts[self.short]
        base = np.concatenate([[0], np.cumsum(sizes)])
        aligned = np.zeros(int(base[-1]), dtype=bool)
        equal = aligned.copy()
        stretch, overlap = np.zeros((2, p), dtype=np.int64)
        if len(self.symbols) >= self.k:
            shared = self._shared()
            np.maximum.at(stretch, shared.pair, shared.length)
            threshold = (identity + 1 / self.alphabet.canonical) / 2
            for pieces in self._extended(_joined(shared), threshold):
                whole = self._room(pieces).max(axis=0) <= ENDS
                np.maximum.at(overlap, pieces.pair[whole], pieces.length[whole])
                self._mark(pieces, base, aligned, equal)
        sums = [np.concatenate([[0], np.cumsum(one)])[base] for one in (aligned, equal)]
        return np.stack([np.diff(sums[0]), np.diff(sums[1]), stretch, overlap])

    def _shared(self) -> _Pieces:
        """Longest runs of equal letters that hold shared k-mers."""
        forward, plain = placed_kmers(self.symbols, self.k, self.alphabet, both_strands=False)
        turned = forward
        if self.alphabet.complement is not None:
            other = self.alphabet.complement[self.symbols][::-1]
            turned = placed_kmers(other, self.k, self.alphabet, both_strands=False)[0][::-1]
        place = np.flatnonzero(plain)
        forward, turned = forward[place], turned[place]
        words = np.minimum(forward, turned)
        rank = np.unique(words, return_inverse=True)[1].astype(np.int64)
        kinds = int(rank.max(initial=-1)) + 1
        # All words in order of sequence and word, to find those of a pair's first sequence in its second.
        own = np.searchsorted(self.starts, place, side="right") - 1
        order = np.argsort(own * kinds + rank, kind="stable")
        table = (own * kinds + rank)[order]
        first = np.searchsorted(own, np.arange(len(self.ends) + 1))
        counts = np.diff(first)[self.short]
        pair = np.repeat(np.arange(len(self.short)), counts)
        asked = np.repeat(first[self.short], counts) + _ranges(counts)
        wanted = self.long[pair] * kinds + rank[asked]
        low = np.searchsorted(table, wanted)
        many = np.minimum(np.searchsorted(table, wanted, side="right") - low, OFTEN)
        found = order[np.repeat(low, many) + _ranges(many)]
        pair, asked = np.repeat(pair, many), np.repeat(asked, many)
        # A palindrome lies on both strands.
        ahead = (forward[asked] == forward[found]).nonzero()[0]
        back = ((forward[asked] == turned[found]) & (self.alphabet.complement is not None)).nonzero()[0]
        both = np.concatenate([ahead, back])
        step = np.repeat([1, -1], [len(ahead), len(back)])
        beside = place[found[both]] + np.where(step > 0, 0, self.k - 1)
        return _runs(pair[both], place[asked[both]], beside, step, self.k)

    def _extended(self, pieces: _Pieces, threshold: float) -> Iterator[_Pieces]:
        """The same, extended both ways, some at a time."""
        before, after = self._room(pieces)
        last = pieces.beside + pieces.step * (pieces.length - 1)
        width = min(int(np.maximum(before, after).max(initial=0)), REACH) + 1
        for part in _parts(np.full(len(last), width), CELLS // 4):
            one = pieces.take(part)
            back = self._gain(one.at - 1, one.beside - one.step, -one.step, -1, before[part], threshold)
            end = one.at + one.length
            on = self._gain(end, last[part] + one.step, one.step, 1, after[part], threshold)
            yield _Pieces(
                one.pair, one.at - back, one.beside - one.step * back, one.step, back + one.length + on
            )

    def _room(self, pieces: _Pieces) -> Ints:
        """Letters before and after pieces up to the nearer end of the two sequences, int64[2, r]."""
        short, long = self.short[pieces.pair], self.long[pieces.pair]
        last = pieces.beside + pieces.step * (pieces.length - 1)
        ahead = pieces.step > 0
        before = np.where(ahead, pieces.beside - self.starts[long], self.ends[long] - 1 - pieces.beside)
        after = np.where(ahead, self.ends[long] - 1 - last, last - self.starts[long])
        before = np.minimum(before, pieces.at - self.starts[short])
        after = np.minimum(after, self.ends[short] - pieces.at - pieces.length)
        return np.stack([before, after])

    def _gain(self, at: Ints, beside: Ints, step: Ints, way: int, room: Ints, threshold: float) -> Ints:
        """How many further letters raise the score most, int64[r]; ``room``: letters that there are."""
        width = min(int(room.max(initial=0)), REACH)
        if not width:
            return np.zeros(len(at), dtype=np.int64)
        ahead = np.arange(width)
        inside = ahead < room[:, None]
        x = np.where(inside, at[:, None] + way * ahead, 0)
        y = np.where(inside, beside[:, None] + step[:, None] * ahead, 0)
        same, known = self._beside(x, y, (step * way)[:, None])
        score = np.where(same, 1 - threshold, np.where(known, -threshold, 0.0))
        score[~inside] = -REACH
        total = np.cumsum(score, axis=1)
        best = total.argmax(axis=1)
        gain = total[np.arange(len(at)), best] > 0
        return np.where(gain, best + 1, 0).astype(np.int64)

    def _beside(self, x: Ints, y: Ints, step: Ints) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether letters are equal, and whether both are known; ``step`` as of pieces."""
        one, other = self.symbols[x], self.symbols[y]
        if self.alphabet.complement is not None:
            other = np.where(step > 0, other, self.alphabet.complement[other])
        base = self.alphabet.canonical
        known = (one < base) & (other < base)
        return known & (one == other), known

    def _mark(
        self, pieces: _Pieces, base: Ints, aligned: NDArray[np.bool_], equal: NDArray[np.bool_]
    ) -> None:
        """Note the letters of the shorter sequences that lie in pieces."""
        for part in _parts(pieces.length, CELLS):
            one = pieces.take(part)
            row = np.repeat(np.arange(len(one.pair)), one.length)
            on = _ranges(one.length)
            x = one.at[row] + on
            same, known = self._beside(x, one.beside[row] + one.step[row] * on, one.step[row])
            pair = one.pair[row]
            cell = base[pair] + x - self.starts[self.short[pair]]
            aligned[cell[known]] = True
            equal[cell[same]] = True


def _runs(pair: Ints, at: Ints, beside: Ints, step: Ints, k: int) -> _Pieces:
    """Shared k-mers that follow each other on one offset, as one stretch each."""
    offset = beside - step * at
    order = np.lexsort((at, offset, step, pair))
    pair, at, beside, step, offset = (one[order] for one in (pair, at, beside, step, offset))
    new = np.ones(len(pair), dtype=bool)
    new[1:] = (np.diff(pair) != 0) | (np.diff(step) != 0) | (np.diff(offset) != 0) | (np.diff(at) != 1)
    first = np.flatnonzero(new)
    length = np.diff(first, append=len(pair)) + k - 1
    return _Pieces(pair[first], at[first], beside[first], step[first], length)


def _joined(runs: _Pieces) -> _Pieces:
    """Stretches of one offset with few letters between them as one; of a pair the longest :data:`PIECES`."""
    offset = runs.beside - runs.step * runs.at
    end = runs.at + runs.length
    new = np.ones(len(runs.pair), dtype=bool)
    new[1:] = (np.diff(runs.pair) != 0) | (np.diff(runs.step) != 0) | (np.diff(offset) != 0)
    new[1:] |= runs.at[1:] - end[:-1] > SLACK
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(new))[: len(first)] - 1
    found = runs.take(first)
    length = end[last] - found.at
    order = np.lexsort((-length, found.pair))
    rank = _ranges(np.bincount(found.pair, minlength=1)[np.unique(found.pair)]) if len(first) else order
    kept = np.sort(order[rank < PIECES])
    return _Pieces(found.pair, found.at, found.beside, found.step, length).take(kept)


def share_of_strangers(laid: Laid, match: Floats) -> Floats:
    """Probability that letters outside of the longest stretch are as often equal in strangers, float64[p].

    Args:
        laid: of p pairs.
        match: float64[p], probability that two letters match.
    """
    from scipy.stats import binom

    beside = np.maximum(laid.aligned - laid.stretch, 0)
    found: Floats = binom.sf(np.maximum(laid.equal - laid.stretch, 0) - 1, beside, match)
    return found
