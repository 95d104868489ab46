"""Readings under INSDC's rules, and their comparison with given proteins."""

from __future__ import annotations

import pytest
from Bio.Seq import Seq

from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.codes import genetic_code
from genomecli.sequences.translation import Reading, compare, incomplete_residue, read_coding


def read(text: str, table: int = 11, **options: object) -> tuple[str, Reading]:
    reading = read_coding(DNA.encode(text), genetic_code(table), **options)  # type: ignore[arg-type]
    return PROTEIN.decode(reading.residues), reading


@pytest.mark.parametrize(
    ("text", "table", "protein"),
    [
        ("ATGAAATAA", 11, "MK"),
        ("GTGAAATAA", 11, "MK"),
        ("TTGAAATAG", 11, "MK"),
        ("GTGAAATAA", 1, "VK"),
        ("ATAAAATAA", 2, "MK"),
        ("ATTAAAAGA", 2, "MK"),
        ("ATGTGATAA", 4, "MW"),
        ("ATGCTGTAA", 12, "MS"),
        ("ATGTGATAA", 31, "MW"),  # TAA is both, TGA sense
        ("ATGTGATGA", 27, "MW"),  # TGA is both
    ],
)
def test_starts_stops_and_codes(text: str, table: int, protein: str) -> None:
    found, reading = read(text, table)
    assert found == protein
    assert reading.clean
    assert reading.has_start == (protein[0] == "M")


def test_a_codon_that_is_both_is_sense_inside_and_stop_at_a_whole_end() -> None:
    code = genetic_code(31)
    dual = next(iter(code.dual))
    a, b, c = ("ACGT"[dual // 16], "ACGT"[dual // 4 % 4], "ACGT"[dual % 4])
    codon = a + b + c
    found, reading = read(f"ATG{codon}{codon}", 31)
    assert (found, reading.has_stop) == ("M" + code.amino[dual], True)
    found, reading = read(f"ATG{codon}{codon}", 31, partial3=True)
    assert (found, reading.has_stop) == ("M" + 2 * code.amino[dual], False)


def test_an_open_5_end_reads_its_first_codon_plainly() -> None:
    found, reading = read("GTGAAATAA", partial5=True)
    assert (found, reading.has_start) == ("VK", False)


def test_exceptions_overrule_the_code() -> None:
    assert read("ATGTGAAAATAA", exceptions=[(1, "U")])[0] == "MUK"
    found, reading = read("ATGAAAT", 2, exceptions=[(2, "*")])
    assert (found, reading.stop_completed, reading.clean, reading.has_stop) == ("MK", True, True, False)
    assert not read("ATGAAAT", 2)[1].clean
    assert read("ATGAAATAA", exceptions=[(9, "U")])[1].excepted == ()


def test_internal_stops_are_counted() -> None:
    found, reading = read("ATGTAAAAATAATAA")
    assert (found, reading.internal_stops, reading.clean) == ("M*K*", 2, False)


def test_short_ones() -> None:
    assert read("AT")[1].codons == 0
    assert read("TAA")[0] == ""


@pytest.mark.parametrize("table", [1, 2, 3, 4, 5, 6, *range(9, 17), *range(21, 34)])
def test_inner_codons_read_as_biopython_reads_them(table: int) -> None:
    codons = "".join(a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT")
    reading = read_coding(DNA.encode(codons + "ACC"), genetic_code(table), partial5=True)
    assert PROTEIN.decode(reading.residues) == str(Seq(codons + "ACC").translate(table=table))


def verdict(ours: str, given: str, next_residue: str | None = None) -> tuple[str, int | None, str, str]:
    code = None if next_residue is None else PROTEIN.symbols.index(next_residue)
    found = compare(PROTEIN.encode(ours), PROTEIN.encode(given), next_residue=code)
    return found.status, found.first, found.expected, found.got


def test_comparisons() -> None:
    assert verdict("MKL", "MKL") == ("ok", None, "", "")
    assert verdict("MKL", "MAL") == ("differs", 2, "AL", "KL")
    assert verdict("MK", "MKL") == ("differs", 3, "L", "")
    assert verdict("MXL", "MKL") == ("ambiguous", 2, "KL", "XL")
    assert verdict("MKL", "MXL") == ("ambiguous", 2, "XL", "KL")
    assert verdict("MXA", "MKL") == ("differs", 2, "KL", "XA")
    assert verdict("MK", "MKG", "G") == ("ok", None, "", "")
    assert verdict("MK", "MKG", "A")[0] == "differs"


def test_two_bases_may_say_a_residue() -> None:
    assert incomplete_residue(DNA.encode("ATGGG"), genetic_code(11)) == PROTEIN.symbols.index("G")
    assert incomplete_residue(DNA.encode("ATGAA"), genetic_code(11)) is None
    assert incomplete_residue(DNA.encode("ATGG"), genetic_code(11)) is None
