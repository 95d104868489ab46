from __future__ import annotations

import pytest

from genomecli.corpus.tally import Tally
from genomecli.errors import RunError


def one() -> Tally:
    tally = Tally()
    tally.read.add(3, 100)
    tally.kept.add(2, 70)
    tally.note("cut", "stop codon", 6, 2)
    tally.note("dropped", "empty", 24)
    tally.seen["no start codon"] += 1
    tally.pieces = 2
    return tally


def test_all_that_came_in_is_accounted_for() -> None:
    one().check("a.cds")
    for change, message in (((1, 0), "records"), ((0, 1), "symbols")):
        tally = one()
        tally.read.add(*change)
        with pytest.raises(RunError, match=f"counts do not add up: {3 + change[0] if change[0] else 101}"):
            tally.check("a.cds")
        assert message


def test_sums_and_plain_values() -> None:
    both = one()
    both.merge(one())
    both.check("both")
    assert both.read.records == 6
    assert both.cut["stop codon"].symbols == 12
    assert Tally.from_dict(both.to_dict()) == both
