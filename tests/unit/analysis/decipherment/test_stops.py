"""Stops are told by where genes end."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.decipherment.stops import code_stop_odds, find_stops, stop_log_odds
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
