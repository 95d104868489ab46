"""Leakage: what one side of a split can learn by heart of another.

Counted are rows whose sequence is equal to one on another side (of DNA also read from the other strand), rows
that are similar to one without being equal, groups of the data that lie on two sides, sequences whose windows
do, and equal sequences, of one strand, with different classes. Similar is judged by shared k-mers at two
fixed identities, whatever the split was made by, so that a split is not measured with its own yardstick: see
:mod:`genomecli.tasks.similar`, which says how many such pairs it finds. Of pairs, rows are counted too whose
single sequences are known (:mod:`genomecli.tasks.members`). n rows, G different sequences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.tasks.duplicates import key_groups, linked, sequence_keys
from genomecli.tasks.examples import MISSING, Examples, Ints
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.similar import IDENTITY, LONG, LOOSE, OVERLAP, NearCopies
from genomecli.tasks.splits import Split

Rows = NDArray[np.bool_]

PAIRS = (("test", "train"), ("valid", "train"), ("test", "valid"))


Pairs = tuple[Ints, Ints]


_ASKED = {
    "dna": f"Of DNA half of the shorter sequence (or {LONG} letters) has to lie on the other, or {OVERLAP} "
    "letters at the ends of both.",
    "protein": "Of proteins a stretch in common, such as a domain, is enough.",
}


@dataclass(frozen=True)
class Copies:
    """Equal and similar rows of a data set, whatever its split.

    Args:
        same: int64[n], in 0..G-1: rows with equal sequences share a number; of DNA on either strand.
        exact: int64[n], likewise, on one strand.
        kin: int64[n], numbers of sequences as similarity sees them: those of ``same``, or of equal proteins.
        near: pairs of similar sequences, int64[p] each, numbers of ``kin``.
        loose: likewise, of a lower identity; those of ``near`` among them.
        identity, lower: identity of similar sequences, and the lower one, in words.
        asked: how much of them has to be alike, in a sentence.
        members: of pairs int64[2, n], numbers of the first and the second sequences; None otherwise.
        relatives: pairs of similar ones, int64[p] each.
    """

    same: Ints
    exact: Ints
    kin: Ints
    near: Pairs
    loose: Pairs
    identity: str
    lower: str
    asked: str = ""
    members: Ints | None = None
    relatives: Pairs = (np.zeros(0, np.int64), np.zeros(0, np.int64))


def find_copies(examples: Examples, alike: Examples | None = None) -> Copies:
    """Equal and similar rows.

    Args:
        examples: n of them.
        alike: the same as similarity sees them, such as the proteins of genes; left out: as they are.
    """
    judged = examples if alike is None else alike
    found = NearCopies(judged)
    same = found.same if alike is None else key_groups(sequence_keys(examples))
    exact = key_groups(sequence_keys(examples, both_strands=False))
    near = found.pairs(IDENTITY)
    # More pairs are judged at the lower identity, so chance is allowed less of each, and a pair of the higher
    # one may be missing there.
    both = np.concatenate([np.stack(near), np.stack(found.pairs(LOOSE))], axis=1)
    left, right = np.unique(both, axis=1)
    loose = left, right
    columns = [judged.sequences] + ([] if judged.pair is None else [judged.pair])
    names = list(dict.fromkeys(column.alphabet for column in columns))
    said = [" and ".join(_in_words(level, name, names) for name in names) for level in (IDENTITY, LOOSE)]
    said = [text if alike is None else f"{text} protein" for text in said]
    asked = " ".join(_ASKED[name] for name in names)
    copies = Copies(same, exact, found.same, near, loose, said[0], said[1], asked)
    if judged.pair is None:
        return copies
    members, relatives = found.members(IDENTITY)
    return replace(copies, members=members[:, found.same], relatives=relatives)


def _in_words(level: Mapping[str, float], name: str, names: Sequence[str]) -> str:
    """``80 %``, or of several alphabets ``80 % (dna)``."""
    return f"{level[name]:.0%}".replace("%", " %") + (f" ({name})" if len(names) > 1 else "")


@dataclass(frozen=True)
class Overlap:
    """Rows of one side that another side shows already.

    Args:
        side, other: names of the sides.
        rows: of ``side``.
        equal: how many of them have an equal sequence on the other side.
        similar: how many further ones have a similar one there, at least.
        loose: how many beyond those have one of a lower identity there, at least.
        example: places of such a row and of its copy; empty texts where there is none.
        one_member: of pairs, rows of ``side`` of whose two sequences one is equal or similar to a single
            sequence on the other side.
        both_members: likewise both, copies of whole pairs among them.
    """

    side: str
    other: str
    rows: int
    equal: int
    similar: int
    loose: int
    example: tuple[str, str] = ("", "")
    one_member: int = 0
    both_members: int = 0


_SIDE = {"train": "training", "valid": "validation", "test": "test"}


@dataclass(frozen=True)
class Leakage:
    """What was found in one split.

    Args:
        overlaps: of each pair of sides that both have rows.
        repeated: rows whose sequence an earlier row has already.
        conflicts: sequences that have two classes of one target.
        conflict: places of two such rows.
        parted: groups of the split with rows on two sides.
        identity, lower: identity of similar sequences, and the lower one, in words.
        asked: how much of them has to be alike, in a sentence.
        cut: sequences with windows on two sides.
        sequences: that the windows were cut from; 0 where nothing was cut.
        by_place: the split is one of stretches of a genome, which are to part such windows.
        paired: rows are pairs.
    """

    overlaps: tuple[Overlap, ...]
    repeated: int
    conflicts: int
    conflict: tuple[str, str]
    parted: int
    identity: str
    lower: str
    cut: int = 0
    sequences: int = 0
    by_place: bool = False
    paired: bool = False
    asked: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def levels(self) -> str:
        """What similar and less similar mean, in words."""
        return (
            f"Similar: about {self.identity} identity or more (equal letters among those aligned); less "
            f"similar: further rows of about {self.lower} or more. Both are judged by shared k-mers, "
            f"whatever the split was made by, and are at least so many. {self.asked}".strip()
        )

    def warnings(self) -> list[str]:
        """Sentences; none if there is nothing to warn of."""
        said = [sentence for overlap in self.overlaps if (sentence := self._sentence(overlap))]
        said += [sentence for overlap in self.overlaps if (sentence := self._members(overlap))]
        if self.parted:
            said.append(f"Groups with rows on two sides of the split: {self.parted}.")
        if self.cut and not self.by_place:
            said.append(f"Sequences with windows on two sides of the split: {self.cut} of {self.sequences}.")
        if self.conflicts:
            first, second = self.conflict
            shown = f", such as {first} and {second}"
            said.append(f"Sequences that come with different classes: {self.conflicts}{shown}.")
        return said

    def _sentence(self, overlap: Overlap) -> str:
        parts = []
        if overlap.equal:
            parts.append(f"{overlap.equal} equal a sequence")
        if overlap.similar:
            more = " more" if overlap.equal else ""
            parts.append(
                f"at least {overlap.similar}{more} are similar ({self.identity} identity or more) to one"
            )
        if not parts:
            return ""
        example = f", such as {overlap.example[0]} and {overlap.example[1]}"
        return (
            f"Of {overlap.rows} {_SIDE[overlap.side]} rows, {' and '.join(parts)} of the "
            f"{_SIDE[overlap.other]} rows{example}: figures on such rows are too good."
        )

    def _members(self, overlap: Overlap) -> str:
        """What to say of pairs whose single sequences were learned from."""
        one, both = overlap.one_member, overlap.both_members
        if overlap.other != "train" or not one + both:
            return ""
        return (
            f"Of {overlap.rows} {_SIDE[overlap.side]} pairs, both sequences of {both} and one sequence of "
            f"{one} are equal or similar to a single sequence of the training pairs: figures on them do not "
            "hold for pairs of new sequences (split.by: member parts them)."
        )


def leakage(copies: Copies, examples: Examples, raw: Mapping[str, RawLabels], split: Split) -> Leakage:
    """What one split leaks.

    Args:
        copies: of the same examples.
        examples: n of them.
        raw: their labels.
        split: of them.
    """
    sides = split.sides
    overlaps = [
        _overlap(copies, examples, sides, side, other)
        for side, other in PAIRS
        if len(sides[side]) and len(sides[other])
    ]
    conflicts, example = _conflicts(copies.exact, raw)
    return Leakage(
        tuple(overlaps),
        len(copies.same) - int(copies.same.max(initial=-1)) - 1,
        conflicts,
        (_place(examples, example[0]), _place(examples, example[1])),
        _parted(split, split.group_of),
        copies.identity,
        copies.lower,
        0 if examples.record is None else _parted(split, examples.record),
        0 if examples.record is None else len(np.unique(examples.record)),
        split.by_place,
        copies.members is not None,
        copies.asked,
    )


def _overlap(copies: Copies, examples: Examples, sides: Mapping[str, Ints], side: str, other: str) -> Overlap:
    mine = np.zeros(len(examples), dtype=bool)
    theirs = np.zeros(len(examples), dtype=bool)
    mine[sides[side]], theirs[sides[other]] = True, True
    equal = mine & np.isin(copies.same, copies.same[theirs])
    near, loose = (_beside(copies.kin, mine, theirs, pairs) for pairs in (copies.near, copies.loose))
    similar = near & ~equal
    example = ("", "")
    row = int((equal if equal.any() else similar).argmax())
    if equal.any():
        copy = int(np.flatnonzero(theirs & (copies.same == copies.same[row]))[0])
        example = _place(examples, row), _place(examples, copy)
    elif similar.any():
        left, right = copies.near
        own = copies.kin[row]
        beside = np.concatenate([[own], right[left == own], left[right == own]])
        copy = int(np.flatnonzero(theirs & np.isin(copies.kin, beside))[0])
        example = _place(examples, row), _place(examples, copy)
    further = int((loose & ~near & ~equal).sum())
    counts = len(sides[side]), int(equal.sum()), int(similar.sum()), further
    return Overlap(side, other, *counts, example, *_members_beside(copies, mine, theirs))


def _members_beside(copies: Copies, mine: Rows, theirs: Rows) -> tuple[int, int]:
    """Pairs of mine of whose single sequences one, and both, are equal or similar to one of theirs."""
    if copies.members is None:
        return 0, 0
    flat = copies.members.reshape(-1)
    found = _beside(flat, np.tile(mine, 2), np.tile(theirs, 2), copies.relatives)
    seen = found.reshape(2, -1).sum(axis=0)
    return int((seen == 1).sum()), int((seen == 2).sum())


def _beside(kin: Ints, mine: Rows, theirs: Rows, pairs: Pairs) -> Rows:
    """bool[n]: rows of mine with an equal or similar sequence among theirs."""
    there = np.bincount(kin[theirs], minlength=int(kin.max(initial=-1)) + 1) > 0
    left, right = pairs
    found = there.copy()
    found[left[there[right]]] = True
    found[right[there[left]]] = True
    beside: Rows = mine & found[kin]
    return beside


def _place(examples: Examples, row: int) -> str:
    if row < 0:
        return ""
    if examples.record is not None:
        # Windows of one sequence share its place; their ids say where each was cut.
        return examples.ids[row]
    return examples.places[row] if len(examples.places) else f"row {row + 1}"


def _parted(split: Split, group_of: Ints) -> int:
    """Groups with rows on more than one side; ``group_of``: int64[n]."""
    side = np.full(len(group_of), -1, dtype=np.int64)
    for number, rows in enumerate(split.sides.values()):
        side[rows] = number
    placed = side >= 0
    pairs = np.unique(np.stack([group_of[placed], side[placed]]), axis=1)
    return int(np.count_nonzero(np.bincount(pairs[0]) > 1)) if pairs.size else 0


def _conflicts(exact: Ints, raw: Mapping[str, RawLabels]) -> tuple[int, tuple[int, int]]:
    """How many sequences have two classes of a target, and two such rows; measured values may differ."""
    wrong: set[int] = set()
    example = (-1, -1)
    left, right = linked(exact)
    for labels in raw.values():
        at = _different(labels, left, right)
        if len(at) and example[0] < 0:
            example = int(left[at[0]]), int(right[at[0]])
        wrong |= set(exact[left[at]].tolist())
    return len(wrong), example


def _different(labels: RawLabels, left: Ints, right: Ints) -> Ints:
    """Which of the pairs of equal sequences have different labels, both known."""
    if labels.form == "regression" or not len(left):
        return np.zeros(0, dtype=np.int64)
    if labels.form == "class":
        a, b = labels.values[left], labels.values[right]
        return np.flatnonzero((a != b) & (a != MISSING) & (b != MISSING))
    if labels.form == "multilabel":
        a, b = labels.values[left], labels.values[right]
        return np.flatnonzero(((a != b) & ~np.isnan(a) & ~np.isnan(b)).any(axis=1))
    rows = zip(left.tolist(), right.tolist(), strict=True)
    return np.array([i for i, (a, b) in enumerate(rows) if _symbols_differ(labels, a, b)], dtype=np.int64)


def _symbols_differ(labels: RawLabels, a: int, b: int) -> bool:
    first, second = labels.labels.row(a), labels.labels.row(b)
    return bool(((first != second) & (first != MISSING) & (second != MISSING)).any())


def over_folds(found: Sequence[Leakage]) -> Leakage:
    """The leakage of all folds as one: rows and groups are summed, with the first example of each kind.

    Sequences whose windows are parted are those of the fold with most.
    """
    first = found[0]
    overlaps = []
    for side, other in PAIRS:
        some = [o for one in found for o in one.overlaps if (o.side, o.other) == (side, other)]
        if some:
            example = next((o.example for o in some if o.example[0]), ("", ""))
            rows, equal = sum(o.rows for o in some), sum(o.equal for o in some)
            similar, loose = sum(o.similar for o in some), sum(o.loose for o in some)
            one, both = sum(o.one_member for o in some), sum(o.both_members for o in some)
            overlaps.append(Overlap(side, other, rows, equal, similar, loose, example, one, both))
    parted, cut = sum(one.parted for one in found), max(one.cut for one in found)
    return replace(first, overlaps=tuple(overlaps), parted=parted, cut=cut)
