from __future__ import annotations

import pytest

from genomecli.errors import InputError
from genomecli.tasks.rows import FastaRows, TableRows, header_value, locate

PROMOTER = "ECK120016719 AHPFP FORWARD 639002 SIGMA24 STRONG"
NCBI = "lcl|NC_1_cds_1 [gene=thrL] [protein=thr operon leader peptide] [location=190..255]"


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        (PROMOTER, "header:1", "ECK120016719"),
        (PROMOTER, "header:5", "SIGMA24"),
        (PROMOTER, "header:7", ""),
        ("Seq1 TARGET=Cell_membrane SET=train", "TARGET", "Cell_membrane"),
        ("Seq1 TARGET=Cell_membrane SET=train", "SET", "train"),
        ("Seq1 XTARGET=a", "TARGET", ""),
        ("Seq1 TARGET=", "TARGET", ""),
        ("YAL001C GeneID:851262 Chromosome:NC_001133.9", "Chromosome", "NC_001133.9"),
        ("TARGET=first", "TARGET", "first"),
        (NCBI, "protein", "thr operon leader peptide"),
        (NCBI, "gene", "thrL"),
        ("a|TARGET=x|b", "TARGET", "x"),
    ],
)
def test_what_a_header_says(header: str, name: str, value: str) -> None:
    assert header_value(header, name) == value


def test_a_member_of_a_zip_is_behind_two_colons() -> None:
    place = locate("/data/flip.zip::splits/mask.fasta")
    assert str(place.path) == "/data/flip.zip"
    assert place.member == "splits/mask.fasta"
    assert locate("plain.tsv").member is None
    assert locate("-").is_stdin


def test_a_missing_column_is_named_with_the_nearest() -> None:
    rows = TableRows("genes.tsv", {"Sequence": ["A"], "label": ["1"]}, ["line 2"])
    with pytest.raises(InputError, match="genes.tsv; has no column 'sequence'; did you mean 'Sequence'"):
        rows.column("sequence")
    with pytest.raises(InputError, match="has no column 'expression'; it has Sequence, label"):
        rows.column("expression")


def test_a_column_that_stands_twice_is_refused_only_if_it_is_wanted() -> None:
    rows = TableRows("genes.tsv", {"a": ["1"], "b": ["2"]}, ["line 2"], frozenset("a"))
    assert rows.column("b") == ["2"]
    with pytest.raises(InputError, match="has two columns 'a'"):
        rows.column("a")


def test_columns_of_fasta_may_be_absent() -> None:
    rows = FastaRows(["a", "b"], ["a x=1", "b"], ["A", "C"], ["1", "2"])
    assert list(rows.column("x")) == ["1", ""]
    assert rows.has("x")
    assert not rows.has("y")
    assert list(rows.column("header")) == ["a x=1", "b"]
