"""Stops are told by where genes end."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.decipherment.pairs import Text
from genomecli.analysis.decipherment.stops import code_stop_odds, count_ends, find_stops, stop_log_odds
from genomecli.sequences.codes import CODONS, genetic_code

UGA, UAA = CODONS.index("TGA"), CODONS.index("TAA")


def _tally() -> tuple[np.ndarray, np.ndarray]:
    inside, last = np.full(64, 1000), np.zeros(64, dtype=np.int64)
    inside[[UAA]], last[[UAA]] = 2, 300
    last[0] = 3
    return inside, last


def test_a_codon_that_ends_genes_stops_and_a_sense_codon_that_ends_a_few_does_not() -> None:
    inside, last = _tally()
    assert np.flatnonzero(find_stops(inside, last, known=True)).tolist() == [UAA]


def test_a_code_that_stops_inside_genes_is_held_against_it() -> None:
    inside, last = _tally()
    odds = stop_log_odds(inside, last, known=True)
    stops_at_uga, reads_uga = genetic_code(1), genetic_code(4)
    one, four = (code_stop_odds(odds, code.amino, tuple(code.dual)) for code in (stops_at_uga, reads_uga))
    assert four - one > 1000


def test_without_the_ends_of_genes_nothing_is_called_a_stop_but_codons_inside_still_speak() -> None:
    inside, last = _tally()
    assert not find_stops(inside, last, known=False).any()
    odds = stop_log_odds(inside, last, known=False)
    assert odds[UGA] < -1000
    assert odds[UAA] > -10


def test_ends_are_counted_by_group_and_drawn_with_their_genes() -> None:
    text = Text(np.array([5, 5, -1, 7]), np.array([2, 1, 1]))
    ends = np.array([UAA, -1, UGA])
    found = count_ends(text, ends, np.array([0, 1, 2]), known=True)
    assert found.inside.sum(axis=0)[[5, 7]].tolist() == [2, 1]
    assert found.last.sum(axis=0)[[UAA, UGA]].tolist() == [1, 1]
    groups = np.array([3, 0, 0])
    drawn = found.drawn(groups)
    assert drawn.inside.sum(axis=0)[[5, 7]].tolist() == [6, 0]
    assert drawn.last.sum(axis=0)[[UAA, UGA]].tolist() == [3, 0]
    assert not count_ends(text, ends, np.array([0, 1, 2]), known=False).last.any()


def test_windows_without_known_ends_say_nothing_of_stops() -> None:
    text, groups = Text(np.array([UAA, UAA, UGA]), np.array([2, 1])), np.array([0, 1])
    ends = np.full(2, -1)
    assert count_ends(text, ends, groups, known=False).log_odds()[UAA] < 0
    found = count_ends(text, ends, groups, known=False, exact=False)
    assert not found.log_odds().any()
    assert not found.stops().any()
    assert not found.drawn(np.ones(len(found.inside), dtype=np.int64)).log_odds().any()


def test_a_stop_that_ends_two_genes_in_a_hundred_is_one() -> None:
    inside, last = _tally()
    last[UGA], inside[UGA] = 6, 0
    assert np.flatnonzero(find_stops(inside, last, known=True)).tolist() == sorted([UAA, UGA])
