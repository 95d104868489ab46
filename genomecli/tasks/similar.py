"""Pairs of labelled sequences of at least about some identity, by the k-mers that they share.

Identity is the part of aligned letters that are equal. Of sequences of identity i, a k-mer is untouched with
probability i^k (Mash, Ondov et al. 2016), so two may be similar that share i^k of the distinct k-mers of the
one with fewer, at least two, and more than unrelated sequences of their lengths and compositions share
(:mod:`genomecli.tasks.chance`; chance proposes one pair in ten tables). A k-mer of DNA and its reverse
complement are one. Letters that most sequences have by design are hidden (:mod:`genomecli.tasks.flanks`).

Proposed pairs of DNA that share less than half of these k-mers are then laid on each other
(:mod:`genomecli.tasks.aligned`), unless there are more than :data:`MANY_PAIRS`. They are similar if

- :data:`COVERAGE` of the shorter one is aligned, as by CD-HIT's ``-aS``, or :data:`LONG` letters, such as an
  exon of two genes whose introns differ; or the end of one lies on an end of
  the other over :data:`OVERLAP` letters, as windows do that overlap on a genome;
- of the aligned letters the part asked is equal; and
- they share more than one stretch: its longest run of equal letters alone is as long as that, or letters
  beside it are equal more often than in one of ten tables of strangers that all hold it.

Part of pairs joined, of made-up families of two that differ by substitutions and, one in a hundred letters,
by insertions and deletions; of proteins 30 or 60 families at once, of DNA three times 60:

    identity by substitutions   0.95   0.9    0.8    0.7    0.6    0.5    0.4
    proteins, k 4, at 0.5    60    1      1      1      1      0.80   0.17   0.02
                            110    1      1      1      1      0.98   0.42   0.05
                            300    1      1      1      1      1      0.52   0
                           1500    1      1      1      1      1      1      0
    DNA, k 12, at 0.8        60    1      0.91   0.31   0.01   0
                            110    1      0.98   0.24   0.01   0
                            300    1      1      0.32   0      0
                           1500    1      1      0.26   0      0
    the same, 80 % A and T   60    1      0.80   0.14   0      0
                            110    1      0.96   0.22   0.01   0
                           1500    1      1      0.33   0      0

No unrelated pair was joined in any of these (1,700 to 21,000 pairs a figure). Shared k-mers alone found as
many near copies (within 0.05), and joined strangers by one stretch: of 300 rows of 60 bases, 112 that had 15
letters in common were one cluster. Laid on each other, 2 of their 18,600 pairs are joined (in three tables),
by a second stretch of 12 letters; of 110, 200 and 500 bases with 18, 25 and 60 in common, none. A stretch of
just under half of the sequence still joins where the letters next to it happen to be equal, and so does one
of 30 letters where it ends one sequence and begins another. Windows of a genome are joined that overlap by 30
letters or more (of 1000 bases, 100); with 5 % of letters changed, 0.49 of 60 bases and 0.98 of 200 that
overlap by half.

Proteins are joined by shared k-mers alone: the domain that long proteins have in common is a relation, though
it covers a small part of them. The same rule would find as many relatives, and of 4,103 proteins of E. coli
would join 433 pairs in place of 553. Proteins of 60 residues were joined at identity 0.6 in 0.88, 0.80 and
0.52 of cases at k 3, 4 and 5; at k 3 however, 1,500 residues share more by chance than an identity of 0.5
leaves. DNA finds as much at k 10 (0.90 of 60 bases at 0.9), but at identity 0.7 that made one cluster of 503
genes of E. coli, where k 12 made 4 at most (both by k-mers alone). So nearly all pairs are found whose
identity is 0.1 to 0.15 above the one asked, and few below it: with k-mers, no identity lower than about 0.8
of DNA, or 0.5 of proteins, can be relied on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.families import kmer_table, shared_kmers, similar_pairs
from genomecli.corpus.genes import in_order
from genomecli.corpus.sketches import BUDGET, Sketches, sketch
from genomecli.sequences.alphabets import Codes, get_alphabet
from genomecli.tasks.aligned import lay, share_of_strangers
from genomecli.tasks.chance import most_by_chance
from genomecli.tasks.duplicates import key_groups, sequence_keys
from genomecli.tasks.examples import Examples, Floats, Ints, SequenceColumn, join_sequences
from genomecli.tasks.flanks import without_flanks

K = {"dna": 12, "protein": 4}
"""Length of k-mers."""

IDENTITY = {"dna": 0.8, "protein": 0.5}
"""Identity of similar sequences: below it, k-mers find them too seldom to rely on."""

JUDGED_BY = {"dna": "shared k-mers and what lies on each other", "protein": "shared k-mers"}
"""How likeness is judged, in words."""

LOOSE = {"dna": 0.7, "protein": 0.35}
"""A lower identity, at which some are found still."""

CHANCE = 0.1
"""Pairs of unrelated sequences that chance may propose, and join, among all of a table."""

COVERAGE = 0.5
"""Part of the shorter of two sequences of DNA that is aligned with the other."""

LONG = 100
"""Letters of two sequences of DNA that no motif has: so many aligned are enough, however long they are."""

OVERLAP = 30
"""Letters by which two sequences of DNA overlap at their ends; most motifs are shorter."""

SURE = 1e-4
"""Probability that strangers with one stretch in common are joined, at most; less of many pairs."""

MANY_PAIRS = 2_000_000
"""Proposed pairs of DNA that are laid on each other at most (a minute); more are judged by k-mers alone."""

EXACT = 400_000_000
"""Steps up to which all pairs are counted; beyond, those that :mod:`genomecli.corpus.families` proposes."""

MANY = 4_000_000
"""Residues beyond which k is one longer, as 4-mers would then be in too many proteins."""

_BLOCK = 512


def default_k(alphabet: str, letters: int) -> int:
    """The usual length of k-mers for that many letters in all."""
    return K[alphabet] + (alphabet == "protein" and letters > MANY)


class KmerSets:
    """Distinct k-mers of distinct sequences of one alphabet.

    Args:
        column: n sequences, all different.
        k: length of the k-mers; None for :func:`default_k`.
    """

    def __init__(self, column: SequenceColumn, k: int | None = None) -> None:
        alphabet = get_alphabet(column.alphabet)
        self.k = k or default_k(column.alphabet, len(column.symbols))
        self.strands = 1 if alphabet.complement is None else 2
        column = without_flanks(column, self.k)
        self.column = column
        self.rate = max(1, -(-len(column.symbols) // BUDGET))
        self.letters = _composition(column)
        rows = len(column)

        def chunks() -> Iterator[tuple[Ints, Codes, Ints]]:
            yield np.arange(rows, dtype=np.int64), column.symbols, column.offsets

        self.sketches = sketch(chunks, rows, self.k, alphabet=alphabet, both_strands=self.strands == 2)

    def pairs(self, identity: float) -> tuple[Ints, Ints]:
        """Pairs of sequences of at least about this identity, int64[p] each, left < right."""
        share = identity**self.k
        left, right, shared = _sharing(self.sketches, share)
        enough = shared > self._by_chance(left, right)
        left, right, shared = left[enough], right[enough], shared[enough]
        if self.strands == 1:
            return left, right
        good = shared >= COVERAGE * np.minimum(self.sketches.size[left], self.sketches.size[right])
        doubtful = np.flatnonzero(~good)
        if len(doubtful) > MANY_PAIRS:
            good[doubtful] = True
        else:
            chance = CHANCE / max(len(left), 1)
            good[doubtful] = self._aligned(left[doubtful], right[doubtful], identity, chance)
        return left[good], right[good]

    def _aligned(self, left: Ints, right: Ints, identity: float, chance: float) -> NDArray[np.bool_]:
        """Whether enough of two sequences lies on each other, and more than one stretch, bool[p]."""
        laid = lay(self.column, left, right, self.k, identity)
        enough = np.minimum(COVERAGE * laid.shorter, LONG)
        ends = laid.overlap >= OVERLAP
        alike = ((laid.aligned >= enough) | ends) & (laid.equal >= identity * laid.aligned - 1e-9)
        match = np.einsum("ij,ij->i", self.letters[left], self.letters[right])
        sure = share_of_strangers(laid, match) <= min(chance, SURE)
        found: NDArray[np.bool_] = alike & (sure | (laid.stretch >= np.where(ends, OVERLAP, enough)))
        return found

    def _by_chance(self, left: Ints, right: Ints) -> Ints:
        """What unrelated sequences share but once in very many pairs, int64[p]."""
        if not len(left):
            return left
        match = np.einsum("ij,ij->i", self.letters[left], self.letters[right])
        size = self.sketches.size.astype(np.float64)
        places = self.strands * self.rate * size[left] * size[right]
        pairs = self.sketches.genes * (self.sketches.genes - 1) / 2
        return most_by_chance(places * match**self.k, match, min(CHANCE / pairs, 0.01))


def _composition(column: SequenceColumn) -> Floats:
    """float64[n, letters]: share of each base or residue; of DNA on both strands."""
    alphabet = get_alphabet(column.alphabet)
    base = alphabet.canonical
    plain = column.symbols < base
    owner = np.repeat(np.arange(len(column)), column.lengths)[plain]
    counts = np.bincount(owner * base + column.symbols[plain], minlength=len(column) * base)
    counts = counts.reshape(len(column), base).astype(np.float64)
    if alphabet.complement is not None:
        counts += counts[:, alphabet.complement[:base]]
    found: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return found


def _sharing(sketches: Sketches, share: float) -> tuple[Ints, Ints, Ints]:
    """Pairs that share that part of the k-mers of the one with fewer, and at least two; and how many."""
    if (np.diff(sketches.starts).astype(np.float64) ** 2).sum() > EXACT:
        left, right = similar_pairs(sketches, share)
        shared = shared_kmers(sketches, left, right)
        good = shared >= 2
        return left[good], right[good], shared[good]
    table = kmer_table(sketches)
    turned = table.T.tocsr()
    found = []
    for begin in range(0, sketches.genes, _BLOCK):
        product = (table[begin : begin + _BLOCK] @ turned).tocoo()
        left, right, shared = product.row.astype(np.int64) + begin, product.col.astype(np.int64), product.data
        good = (left < right) & (shared >= 2)
        left, right, shared = left[good], right[good], shared[good].astype(np.int64)
        good = shared >= share * np.minimum(sketches.size[left], sketches.size[right]) - 1e-9
        found.append(np.stack([left[good], right[good], shared[good]]))
    left, right, shared = np.concatenate([*found, np.zeros((3, 0), np.int64)], axis=1)
    return left, right, shared


class NearCopies:
    """Equal and similar rows of examples.

    Args:
        examples: n of them.
        k: length of the k-mers; None for :func:`default_k`.

    Attributes:
        same: int64[n], in 0..G-1 by first row: rows with equal sequences, of DNA on either strand.
    """

    def __init__(self, examples: Examples, k: int | None = None) -> None:
        self.same = key_groups(sequence_keys(examples))
        first = np.unique(self.same, return_index=True)[1].astype(np.int64)
        columns = [examples.sequences] + ([] if examples.pair is None else [examples.pair])
        self._members = [
            _Members([column.take(first) for column in some], k) for some in _by_alphabet(columns)
        ]
        self._paired = examples.pair is not None

    def pairs(self, identity: Mapping[str, float] | float) -> tuple[Ints, Ints]:
        """Pairs of different sequences of at least about this identity: int64[p] each, numbers of ``same``.

        Rows of pairs are similar if both of their sequences are, in either order where both are of one
        alphabet.

        Args:
            identity: one, or one for each alphabet.
        """
        if not self._paired:
            return self._members[0].sets.pairs(_of(identity, self._members[0].alphabet))
        families = [members.families(_of(identity, members.alphabet)) for members in self._members]
        joined = np.sort(families[0], axis=0) if len(families) == 1 else np.concatenate(families)
        groups = np.unique(joined, axis=1, return_inverse=True)[1].reshape(-1)
        return _within(groups.astype(np.int64))

    def members(self, identity: Mapping[str, float] | float) -> tuple[Ints, tuple[Ints, Ints]]:
        """The single sequences of rows, int64[columns, G], and pairs of similar ones, int64[p] each.

        They are numbers; equal sequences of one alphabet have one, whichever column they stand in.

        Args:
            identity: one, or one for each alphabet.
        """
        numbers, pairs, first = [], [np.zeros((2, 0), dtype=np.int64)], 0
        for one in self._members:
            numbers.append(one.number.reshape(one.columns, -1) + first)
            pairs.append(np.stack(one.sets.pairs(_of(identity, one.alphabet))) + first)
            first += one.sets.sketches.genes
        left, right = np.concatenate(pairs, axis=1)
        return np.concatenate(numbers), (left, right)


def _of(identity: Mapping[str, float] | float, alphabet: str) -> float:
    return identity if isinstance(identity, float | int) else identity[alphabet]


def _by_alphabet(columns: Sequence[SequenceColumn]) -> list[list[SequenceColumn]]:
    found: dict[str, list[SequenceColumn]] = {}
    for column in columns:
        found.setdefault(column.alphabet, []).append(column)
    return list(found.values())


class _Members:
    """The different sequences of one alphabet in some columns of G rows."""

    def __init__(self, columns: Sequence[SequenceColumn], k: int | None) -> None:
        self.alphabet, self.columns = columns[0].alphabet, len(columns)
        every = columns[0]
        if len(columns) > 1:
            every = join_sequences(
                self.alphabet, [column[row] for column in columns for row in range(len(column))]
            )
        self.number = key_groups(sequence_keys(Examples([""] * len(every), every)))
        self.sets = KmerSets(every.take(np.unique(self.number, return_index=True)[1].astype(np.int64)), k)

    def families(self, identity: float) -> Ints:
        """The family of the sequence in each column of each row, int64[columns, G], by single linkage."""
        found = components(self.sets.sketches.genes, self.sets.pairs(identity))
        return found[self.number].reshape(self.columns, -1)


def components(count: int, pairs: tuple[Ints, Ints]) -> Ints:
    """What hangs together by some pairs: int64[count], numbered by first member."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs[0]), dtype=np.int8), pairs), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    return in_order(labels)


def _within(groups: Ints) -> tuple[Ints, Ints]:
    """All pairs within each group; of more than ``_BLOCK`` members, each with the first."""
    order = np.argsort(groups, kind="stable")
    found = []
    for members in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if len(members) <= _BLOCK:
            i, j = np.triu_indices(len(members), 1)
        else:
            i, j = np.zeros(len(members) - 1, np.int64), np.arange(1, len(members))
        found.append(np.stack([members[i], members[j]]))
    left, right = np.concatenate([*found, np.zeros((2, 0), np.int64)], axis=1)
    return left.astype(np.int64), right.astype(np.int64)
