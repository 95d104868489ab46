"""Inputs that fuzzing found: numbers of thousands of digits, odd digits, zips whose insides lie."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from genomecli.errors import InputError
from genomecli.exchange.vcf import VcfFile
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.annotation import parse_translation_exceptions, whole_number
from genomecli.sequences.fasta import read_fasta
from genomecli.sequences.headers import parse_header
from genomecli.sequences.mutations import parse_mutations
from genomecli.sequences.openers import open_input
from genomecli.sequences.regions import parse_region

HUGE = "9" * 5000


@pytest.mark.parametrize("text", ["", "-1", "1.5", "²", "½", "9" * 19, HUGE, " 1", "1_0"])
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert whole_number(text) is None


def test_numbers_are_whole_and_fit() -> None:
    assert whole_number("0042") == 42
    assert whole_number("9" * 18) == 10**18 - 1


def test_numbers_without_end_in_a_header_say_nothing() -> None:
    assert parse_header(f"a transl_table={HUGE}".encode()).table is None
    assert parse_header(f"a [location={HUGE}..12]".encode()).end == 12
    assert parse_header(f"a cds chromosome:G:7:1:{HUGE}:1 gene:g".encode()).start is None
    assert parse_translation_exceptions([f"(pos:{HUGE},aa:Sec)"]) == ()


def test_numbers_without_end_in_regions_and_mutations() -> None:
    assert parse_region(f"c:1-{HUGE}").contig.startswith("c:1-9")
    assert parse_region("c:1-1,000").stop == 1000
    with pytest.raises(ValueError, match="is no mutation"):
        parse_mutations(f"A{HUGE}C")


@pytest.mark.parametrize("place", [HUGE, "²", "٣", "-1", "1e3"])
def test_places_of_a_vcf(place: str, tmp_path: Path) -> None:
    path = tmp_path / "x.vcf"
    path.write_text(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nc\t{place}\t.\tA\tC\t.\t.\t.\n")
    with open_input(path) as stream, pytest.raises(InputError, match="is no number"):
        list(VcfFile(stream).records())


@pytest.mark.parametrize("at", [-6, 26, 48, 60])
def test_a_zip_whose_insides_lie(at: int, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.fa", b">a\nACGT\n" * 50)
    raw = bytearray(out.getvalue())
    raw[at] ^= 0xFF
    path = tmp_path / "x.zip"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"x\.zip"):
        list(read_fasta(path, DNA))


def test_a_header_line_of_megabytes_is_read_and_one_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.fa"
    path.write_bytes(b">a " + b"x" * (3 << 20) + b"\nACGT\n")
    (record,) = read_fasta(path, DNA)
    assert len(record.symbols) == 4
    path.write_bytes(b">" + b"x" * (17 << 20))
    with pytest.raises(InputError, match="header line without an end"):
        list(read_fasta(path, DNA))
