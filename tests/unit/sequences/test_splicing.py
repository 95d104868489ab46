"""Splicing against Biopython's own extraction, and rings."""

from __future__ import annotations

import numpy as np
import pytest
from Bio.Seq import Seq
from Bio.SeqFeature import CompoundLocation, SimpleLocation
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.sequences.alphabets import DNA
from genomecli.sequences.splicing import resolve_parts, splice, spliced_position

SEQUENCE = "ACGTTGCAACGTRYNNGATTACAGGCATTTACCAGT"
SYMBOLS = DNA.encode(SEQUENCE)
part = st.tuples(st.integers(0, 30), st.integers(1, 6), st.sampled_from([1, -1])).map(
    lambda p: (p[0], p[0] + p[1], p[2])
)


@settings(deadline=None)
@given(st.lists(part, min_size=1, max_size=4))
def test_splice_equals_biopython(parts: list[tuple[int, int, int]]) -> None:
    locations = [SimpleLocation(*p[:2], strand=p[2]) for p in parts]
    location = locations[0] if len(locations) == 1 else CompoundLocation(locations)
    assert DNA.decode(splice(SYMBOLS, parts)) == str(location.extract(Seq(SEQUENCE)))


@given(st.lists(part, min_size=1, max_size=4))
def test_positions_point_at_the_base(parts: list[tuple[int, int, int]]) -> None:
    spliced = splice(SYMBOLS, parts)
    for position in range(len(SEQUENCE)):
        place = spliced_position(parts, position)
        holding = [p for p in parts if p[0] <= position < p[1]]
        assert (place is None) == (not holding)
        if place is not None:
            code = SYMBOLS[position]
            assert spliced[place] == (code if holding[0][2] > 0 else DNA.complement[code])  # type: ignore[index]


def test_letters_of_no_meaning_read_n() -> None:
    assert DNA.decode(splice(DNA.encode("AC-GT"), [(1, 4, -1)])) == "CNG"


def test_a_part_beyond_a_ring_s_end_is_cut_at_the_origin() -> None:
    assert resolve_parts([(30, 40, 1)], 36, circular=True) == ([(30, 36, 1), (0, 4, 1)], "")
    assert resolve_parts([(30, 40, -1)], 36, circular=True) == ([(0, 4, -1), (30, 36, -1)], "")
    assert resolve_parts([(36, 40, 1)], 36, circular=True) == ([(0, 4, 1)], "")
    parts, _ = resolve_parts([(30, 40, -1)], 36, circular=True)
    whole = SEQUENCE[30:] + SEQUENCE[:4]
    assert DNA.decode(splice(SYMBOLS, parts)) == str(Seq(whole).reverse_complement())


@pytest.mark.parametrize(
    ("parts", "circular", "problem"),
    [
        ([(30, 40, 1)], False, "beyond the contig's end"),
        ([(0, 40, 1)], True, "beyond the contig's end"),
        ([(5, 5, 1)], False, "empty or reversed location"),
        ([], False, "no location"),
    ],
)
def test_problems_are_named(parts: list[tuple[int, int, int]], circular: bool, problem: str) -> None:
    assert resolve_parts(parts, 36, circular=circular) == ([], problem)


def test_an_empty_splice_is_empty() -> None:
    assert np.array_equal(splice(SYMBOLS, []), np.zeros(0, np.uint8))
