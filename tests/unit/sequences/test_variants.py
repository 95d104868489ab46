"""Changes of a sequence: trimmed, mirrored, made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomecli.sequences.alphabets import DNA
from genomecli.sequences.variants import Change, HeldSequence, OtherStrand, changed, trimmed

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
