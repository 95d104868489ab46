from __future__ import annotations

import warnings

import numpy as np
import pytest
from Bio.Data import CodonTable
from Bio.Seq import Seq

from genomecli.errors import UsageError
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.codes import CODONS, all_codes, codon_index, genetic_code


@pytest.mark.parametrize("code", all_codes(), ids=lambda code: str(code.table))
def test_translation_agrees_with_biopython_also_on_ambiguity(code) -> None:
    letters = np.random.default_rng(code.table).choice(list("ACGT" * 4 + "NRYSWKMBDHV"), 3000)
    text = "".join(letters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = str(Seq(text).translate(table=code.table))
    assert PROTEIN.decode(code.translate(DNA.encode(text))) == expected


def test_known_tables_are_all_there() -> None:
    wanted = {*range(1, 7), *range(9, 17), *range(21, 34)}
    assert {code.table for code in all_codes()} == wanted


def test_a_whole_gene_starts_with_m_and_loses_its_stop() -> None:
    code = genetic_code(11)
    assert PROTEIN.decode(code.translate(DNA.encode("GTGAAATAA"), cds=True)) == "MK"
    assert PROTEIN.decode(code.translate(DNA.encode("GTGAAATAA"))) == "VK*"
    assert PROTEIN.decode(code.translate(DNA.encode("NTGAAATAA"), cds=True))[1] == "K"
    assert len(code.translate(DNA.encode(""), cds=True)) == 0


def test_a_codon_that_is_sense_and_stop_ends_a_gene_only_at_its_end() -> None:
    code = genetic_code(27)
    assert [CODONS[i] for i in code.dual] == ["TGA"]
    assert PROTEIN.decode(code.translate(DNA.encode("ATGTGAAAATGA"), cds=True)) == "MWK"


def test_deviant_codons() -> None:
    assert genetic_code(12).amino[codon_index("CUG")] == "S"
    assert genetic_code(4).amino[codon_index("TGA")] == "W"
    assert genetic_code(1).class_key == genetic_code(11).class_key
    assert genetic_code(1).fingerprint != genetic_code(11).fingerprint
    assert [CODONS[i] for i in genetic_code(1).synonyms(codon_index("AAA"))] == ["AAG"]


def test_an_unknown_table_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="genetic code 7 is not known; choose one of 1, 2, 3"):
        genetic_code(7)
    assert len(CodonTable.unambiguous_dna_by_id) == len(all_codes())
    with pytest.raises(ValueError, match="no codon"):
        codon_index("AAN")
