from __future__ import annotations

import numpy as np
import pytest
from Bio.Seq import Seq
from hypothesis import given
from hypothesis import strategies as st

from genomecli.sequences.alphabets import DNA, INVALID, PROTEIN, Alphabet, get_alphabet, register_alphabet

iupac = st.text(alphabet=DNA.symbols, max_size=50)


@given(iupac)
def test_reverse_complement_agrees_with_biopython(text: str) -> None:
    ours = DNA.decode(DNA.reverse_complement(DNA.encode(text)))
    assert ours == str(Seq(text).reverse_complement())


@given(st.text(alphabet=PROTEIN.symbols, max_size=50))
def test_encode_then_decode_is_identity(text: str) -> None:
    assert PROTEIN.decode(PROTEIN.encode(text)) == text


def test_lower_case_and_u_are_read_and_others_are_invalid() -> None:
    assert DNA.encode(b"acguT").tolist() == [0, 1, 2, 3, 3]
    assert DNA.encode(b"AC-G.5").tolist() == [0, 1, INVALID, 2, INVALID, INVALID]


def test_soft_mask_comes_back_as_lower_case() -> None:
    codes = DNA.encode("ACGT")
    assert DNA.decode(codes, np.array([0, 1, 1, 0], dtype=np.uint8)) == "AcgT"


def test_protein_has_no_complement() -> None:
    with pytest.raises(ValueError, match="no complement"):
        PROTEIN.reverse_complement(PROTEIN.encode("MK"))


def test_a_name_cannot_change_its_meaning() -> None:
    toy = Alphabet("toy-dice", "123456", 6)
    register_alphabet(toy)
    assert get_alphabet("toy-dice") == toy
    with pytest.raises(ValueError, match="already registered"):
        register_alphabet(Alphabet("toy-dice", "654321", 6))
    assert toy.fingerprint != Alphabet("toy-dice", "654321", 6).fingerprint
