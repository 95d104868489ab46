from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genomecli.corpus.policies import DroppedError, clean_cds, clean_protein, keep_lengths
from genomecli.corpus.settings import PolicySettings
from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.codes import genetic_code


def cds(text: str, table: int = 1, soft: list[int] | None = None, **said: Any) -> Any:
    facts = {name: said.pop(name) for name in ("partial3", "recoded") if name in said}
    mask = None if soft is None else np.array(soft, dtype=np.uint8)
    policies = PolicySettings(**said)
    return clean_cds(DNA.encode(text), mask, genetic_code(table), policies, where="f, record 'x'", **facts)


def texts(result: Any, alphabet: Any = DNA) -> list[str]:
    return [alphabet.decode(result.symbols[a:b]) for a, b in result.pieces]


def test_a_plain_gene_loses_its_stop_alone() -> None:
    result = cds("ATGAAATAA")
    assert texts(result) == ["ATGAAA"]
    assert (result.has_start, result.has_stop) == (True, True)
    assert (result.cut, result.changed, result.seen) == ({"stop codon": 3}, {}, [])
    assert texts(cds("ATGAAATAA", stop_codon="keep")) == ["ATGAAATAA"]


def test_what_ends_a_gene_depends_on_its_code() -> None:
    assert texts(cds("ATGAAATGA", 4)) == ["ATGAAATGA"]
    assert texts(cds("ATGAAATGA", 1)) == ["ATGAAA"]
    assert texts(cds("ATGAAAAGA", 2)) == ["ATGAAA"]


def test_a_codon_that_is_both_sense_and_stop_is_a_stop_only_at_a_whole_end() -> None:
    assert texts(cds("ATGTGAAAATGA", 27)) == ["ATGTGAAAA"]
    assert texts(cds("ATGTGAAAATGA", 27, partial3=True)) == ["ATGTGAAAATGA"]


def test_trailing_bases() -> None:
    result = cds("ATGAAATAATA")
    assert texts(result) == ["ATGAAA"]
    assert result.cut == {"stop codon": 3, "trailing bases": 2}
    assert texts(cds("ATGAAAT")) == ["ATGAAA"]
    assert texts(cds("ATGAAAT", trailing="keep")) == ["ATGAAAT"]
    kept = cds("ATGAAATAAC", trailing="keep")
    assert texts(kept) == ["ATGAAA"]
    assert kept.cut == {"stop codon": 3, "trailing bases": 1}
    with pytest.raises(DroppedError, match="no multiple of 3"):
        cds("ATGAAAT", trailing="skip")


def test_internal_stops() -> None:
    text = "ATGTAAAAATAA"
    with pytest.raises(DroppedError, match="internal stop"):
        cds(text)
    kept = cds(text, internal_stop="keep")
    assert texts(kept) == ["ATGTAAAAA"]
    assert kept.seen == ["internal stop kept"]
    with pytest.raises(InputError, match="codon 2"):
        cds(text, internal_stop="error")
    assert texts(cds(text, recoded=frozenset({1}))) == ["ATGTAAAAA"]


def test_ambiguity_in_genes_is_cut_at_codons() -> None:
    text = "ATGAAANNACCCTTRGGGTAA"
    masked = cds(text)
    assert texts(masked) == ["ATGAAANNACCCTTRGGG"]
    assert masked.changed == {"ambiguity letters hidden": 3}
    split = cds(text, ambiguity="split")
    assert texts(split) == ["ATGAAA", "CCC", "GGG"]
    assert split.cut == {"stop codon": 3, "ambiguity letters": 6}
    assert texts(cds("NNNATG", ambiguity="split")) == ["ATG"]
    with pytest.raises(DroppedError, match="ambiguity"):
        cds(text, ambiguity="skip")
    with pytest.raises(InputError, match="3 ambiguity letters, the first at 7"):
        cds(text, ambiguity="error")


def test_foreign_symbols() -> None:
    with pytest.raises(InputError, match="has a letter that is not DNA, at 5"):
        cds("ATGA-A")
    masked = cds("ATGA-A", foreign="mask")
    assert texts(masked) == ["ATGANA"]
    assert masked.changed == {"foreign symbol masked": 1, "ambiguity letters hidden": 1}
    with pytest.raises(DroppedError, match="foreign"):
        cds("ATGA-A", foreign="skip")


def test_lower_case_can_be_read_as_unknown() -> None:
    result = cds("ATGAAA", soft=[0, 0, 0, 1, 1, 1], lower_case="hard")
    assert texts(result) == ["ATGNNN"]
    assert result.changed == {"lower case masked": 3, "ambiguity letters hidden": 3}


def test_the_input_is_never_written_to() -> None:
    symbols = DNA.encode("ATGANA")
    before = symbols.copy()
    clean_cds(symbols, None, genetic_code(1), PolicySettings(foreign="mask"), where="")
    assert np.array_equal(symbols, before)


def test_empty_and_one_base_genes_have_nothing_left() -> None:
    for text in ("", "A", "AT"):
        result = cds(text)
        with pytest.raises(DroppedError, match="empty"):
            keep_lengths(result.pieces, 30, None)
    assert cds("TAA").pieces == [(0, 0)]


def test_lengths() -> None:
    assert keep_lengths([(0, 30), (40, 45)], 10, None) == [(0, 30)]
    with pytest.raises(DroppedError, match="too short"):
        keep_lengths([(0, 5)], 10, None)
    with pytest.raises(DroppedError, match="too long"):
        keep_lengths([(0, 50)], 10, 40)


def protein(text: str, **said: Any) -> Any:
    return clean_protein(PROTEIN.encode(text), None, PolicySettings(**said), where="")


def test_proteins() -> None:
    result = protein("MKV*")
    assert texts(result, PROTEIN) == ["MKV"]
    assert (result.has_start, result.has_stop, result.cut) == (True, True, {"stop": 1})
    assert texts(protein("MUKOV"), PROTEIN) == ["MUKOV"]
    assert protein("MUKOV").changed == {}
    assert protein("MXK").changed == {"ambiguity letters hidden": 1}
    assert texts(protein("MXKB", ambiguity="split"), PROTEIN) == ["M", "K"]
    with pytest.raises(DroppedError, match="internal stop"):
        protein("MK*V")
    assert texts(protein("MK*V", internal_stop="keep"), PROTEIN) == ["MK*V"]
    assert texts(protein("MK*", stop_codon="keep"), PROTEIN) == ["MK*"]
    assert protein("").pieces == [(0, 0)]
