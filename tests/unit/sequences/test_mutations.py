"""Mutations as people write them."""

from __future__ import annotations

import pytest

from genomecli.sequences.mutations import Substitution, disagreement, parse_mutations, undone


def test_one_and_several() -> None:
    assert parse_mutations("H24Y") == (Substitution("H", 23, "Y"),)
    several = (Substitution("A", 22, "T"), Substitution("G", 44, "D"))
    for text in ("A23T:G45D", "g45d;a23t", "A23T,G45D", " A23T G45D ", "A23T/G45D"):
        assert parse_mutations(text) == several
    assert str(several[1]) == "G45D"
    assert parse_mutations("K7*")[0].new == "*"


@pytest.mark.parametrize("text", ["WT", "wt", "_wt", "wild-type"])
def test_the_wild_type_itself_has_none(text: str) -> None:
    assert parse_mutations(text) == ()


@pytest.mark.parametrize("text", ["", "24Y", "H24", "H0Y", "HH24Y", "A23T:A23G", "p.His24Tyr", "H-4Y"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no mutation|place"):
        parse_mutations(text)


def test_a_disagreement_is_told() -> None:
    assert disagreement(parse_mutations("M1V:K2R"), "MKV") is None
    assert disagreement(parse_mutations("K3R"), "MKV") == "K3R wants K at 3, and the wild type has V"
    assert "beyond" in (disagreement(parse_mutations("K9R"), "MKV") or "")


def test_undoing_gives_the_wild_type() -> None:
    assert undone(parse_mutations("M1V:K2R"), "VRV") == "MKV"
    with pytest.raises(ValueError, match="has R at 2, not the W of K2W"):
        undone(parse_mutations("K2W"), "VRV")
    with pytest.raises(ValueError, match="nothing"):
        undone(parse_mutations("K9W"), "VRV")
