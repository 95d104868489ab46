"""Changes of a sequence: trimmed, mirrored, made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from genomecli.sequences.alphabets import DNA
from genomecli.sequences.variants import (
    Change,
    HeldSequence,
    OtherStrand,
    changed,
    leftmost,
    trimmed,
    widened,
)

BASES = st.text("ACGT", max_size=12)


@pytest.mark.parametrize(
    ("old", "new", "start", "stop", "inserted"),
    [
        ("A", "G", 0, 1, "G"),
        ("ACG", "A", 1, 3, ""),
        ("A", "ACG", 1, 1, "CG"),
        ("ACGT", "ATGT", 1, 2, "T"),
        ("CAA", "CAAA", 1, 1, "A"),
        ("AC", "AC", 0, 0, ""),
        ("AC", "GT", 0, 2, "GT"),
    ],
)
def test_shared_ends_are_left_out(old: str, new: str, start: int, stop: int, inserted: str) -> None:
    change = trimmed(100, DNA.encode(old), DNA.encode(new))
    assert (change.start - 100, change.stop - 100, DNA.decode(change.new)) == (start, stop, inserted)


@given(before=BASES, old=BASES, new=BASES, after=BASES)
def test_a_trimmed_change_makes_the_same_sequence(before: str, old: str, new: str, after: str) -> None:
    symbols = DNA.encode(before + old + after)
    change = trimmed(len(before), DNA.encode(old), DNA.encode(new))
    assert DNA.decode(changed(symbols, [change])) == before + new + after
    assert change.growth == len(new) - len(old)


@given(before=BASES, old=BASES, new=BASES, after=BASES)
def test_the_other_strand_changes_alike(before: str, old: str, new: str, after: str) -> None:
    symbols = DNA.encode(before + old + after)
    change = Change(len(before), len(before) + len(old), DNA.encode(new))
    other = OtherStrand(HeldSequence(symbols), DNA)
    mirrored = change.mirrored(other.length, DNA)
    made = changed(other.fetch(0, other.length), [mirrored])
    expected = DNA.reverse_complement(changed(symbols, [change]))
    assert np.array_equal(made, expected)


def test_several_changes_at_once() -> None:
    symbols = DNA.encode("AACCGGTT")
    changes = [Change(1, 2, DNA.encode("T")), Change(4, 4, DNA.encode("AAA")), Change(6, 8, DNA.encode(""))]
    assert DNA.decode(changed(symbols, changes)) == "ATCCAAAGG"


REPEATS = st.text("AC", min_size=1, max_size=14)


def spellings(text: str, made: str) -> list[tuple[int, int, str]]:
    """All ways to make one text of another by taking away or bringing one stretch, by trying each."""
    growth = len(made) - len(text)
    size, brings = max(-growth, 0), max(growth, 0)
    return [
        (i, i + size, made[i : i + brings])
        for i in range(len(text) - size + 1)
        if text[:i] + made[i : i + brings] + text[i + size :] == made
    ]


@given(text=REPEATS, place=st.integers(0, 14), stretch=st.integers(1, 5), bases=st.text("AC", max_size=5))
def test_an_indel_has_one_place_however_it_is_written(
    text: str, place: int, stretch: int, bases: str
) -> None:
    place = min(place, len(text))
    made = text[:place] + bases + text[place + (0 if bases else stretch) :]
    ways = spellings(text, made)
    assume(text != made)
    sequence = HeldSequence(DNA.encode(text))
    low, high = min(start for start, _, _ in ways), max(stop for _, stop, _ in ways)
    whole = (low, high, made[low : high + len(made) - len(text)])
    for start, stop, new in ways:
        change = Change(start, stop, DNA.encode(new))
        first, wide = leftmost(sequence, change), widened(sequence, change, 99)
        assert (first.start, first.stop, DNA.decode(first.new)) == min(ways)
        assert (wide.start, wide.stop, DNA.decode(wide.new)) == whole
        narrow = widened(sequence, change, 6)
        assert narrow.start == low
        assert max(narrow.stop - narrow.start, len(narrow.new)) == min(6, max(high - low, len(whole[2])))
        for same in (first, wide, narrow):
            assert DNA.decode(changed(DNA.encode(text), [same])) == made


def test_an_indel_moves_through_a_long_repeat() -> None:
    text = "G" + "CA" * 5000 + "T"
    sequence = HeldSequence(DNA.encode(text))
    for change, new in (
        (Change(9001, 9003, DNA.encode("")), ""),
        (Change(9002, 9002, DNA.encode("ACAC")), "CACA"),
        (Change(10001, 10001, DNA.encode("CA")), "CA"),
    ):
        first = leftmost(sequence, change)
        assert (first.start, DNA.decode(first.new)) == (1, new)


def test_a_change_that_is_no_indel_alone_stays() -> None:
    sequence = HeldSequence(DNA.encode("AAAAAA"))
    for change in (
        Change(2, 3, DNA.encode("C")),
        Change(2, 4, DNA.encode("C")),
        Change(3, 3, DNA.encode("")),
    ):
        assert widened(sequence, change, 6) is change
