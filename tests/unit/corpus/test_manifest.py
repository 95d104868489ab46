from __future__ import annotations

from typing import Any

import pytest

from genomecli.corpus.manifest import CorpusInfo, Group, SpeciesInfo
from genomecli.errors import InputError


def info() -> CorpusInfo:
    groups = (Group("a", "cds", 0, 3, 30, (0, 1)), Group("a", "protein", 3, 3, 10, (2,), soft=True))
    return CorpusInfo((SpeciesInfo("a", 4, 7, "x"),), groups, ("s0", "s1", "s2"))


def test_plain_values_and_back() -> None:
    assert CorpusInfo.from_dict(info().to_dict(), where="x") == info()
    assert info().groups[0].name == "a.cds"


@pytest.mark.parametrize(
    "change",
    [{"groups": [{"species": "a"}]}, {"shards": ["s0"]}, {"species": None}, {"species": [{"nme": "a"}]}],
)
def test_nonsense_is_an_error_of_the_user_s(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="manifest of a corpus|not listed"):
        CorpusInfo.from_dict(info().to_dict() | change, where="x")
