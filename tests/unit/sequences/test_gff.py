"""Rows and attributes of GFF3 and GTF."""

from __future__ import annotations

import io

import pytest

from genomecli.errors import InputError
from genomecli.sequences.gff import GffReader, GffRow, parse_attributes


def reader(text: str) -> GffReader:
    return GffReader(io.BufferedReader(io.BytesIO(text.encode())), "x.gff")  # type: ignore[arg-type]


def rows(text: str) -> list[GffRow]:
    return list(reader(text).rows())


def test_a_row_is_0_based_half_open_and_decoded() -> None:
    (row,) = rows("##gff-version 3\n# note\n\nchr%201\tx\tCDS\t1\t9\t.\t-\t2\tID=a%3Bb;Note=1%2C2\r\n")
    assert (row.seqid, row.type, row.start, row.end, row.strand, row.phase) == ("chr 1", "CDS", 0, 9, -1, 2)
    assert row.attributes == {"ID": "a;b", "Note": "1,2"}


def test_gtf_attributes() -> None:
    text = 'gene_id "G;1"; transcript_id "T1"; exon_number 1; tag "basic"; tag "cds_start_NF";'
    assert parse_attributes(text) == {
        "gene_id": "G;1",
        "transcript_id": "T1",
        "exon_number": "1",
        "tag": "basic,cds_start_NF",
    }
    assert parse_attributes("") == {}
    assert parse_attributes("ID=x y;Name=a") == {"ID": "x y", "Name": "a"}


@pytest.mark.parametrize("mark", ["##FASTA\n", ""])
def test_a_fasta_section_ends_the_rows(mark: str) -> None:
    source = reader(f"c\tx\tCDS\t1\t9\t.\t+\t0\tID=a\n{mark}>c\nACGT\n")
    assert len(list(source.rows())) == 1
    assert source.fasta is not None
    assert source.fasta.read(100) + source.fasta.read(100) == b">c\nACGT\n"


def test_without_fasta_there_is_none() -> None:
    source = reader("c\tx\tCDS\t1\t9\t.\t+\t0\n")
    assert next(source.rows()).attributes == {}
    assert source.fasta is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("c x CDS 1 9 . + 0 ID=a", "line 2.*1 columns.*tabs"),
        ("c\tx\tCDS\tone\t9\t.\t+\t0\tID=a", "positions 'one'"),
        ("c\tx\tCDS\t9\t1\t.\t+\t0\tID=a", "ends before it starts"),
    ],
)
def test_a_broken_row_is_named_by_line(line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rows(f"##gff-version 3\n{line}\n")
