"""Headers as NCBI, Ensembl, UniProt and others write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.sequences.headers import Header, TableRules, parse_header, split_header
from genomecli.sequences.many_headers import Headers
from genomecli.sequences.settings import TableRule


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a", ("a", "")),
        (b"a b  c", ("a", "b  c")),
        (b"a\tb", ("a", "b")),
        (b"", ("record_3", "")),
        (b" b", ("record_3", "b")),
        ("Ä1 é".encode(), ("Ä1", "é")),
        ("Ä1 é".encode("latin-1"), ("Ä1", "é")),
    ],
)
def test_an_id_is_the_header_up_to_the_first_white_space(raw: bytes, expected: tuple[str, str]) -> None:
    assert split_header(raw, 2) == expected


def test_uniprot() -> None:
    header = parse_header(b"sp|P0A6F5|CH60_ECOLI 60 kDa chaperonin OS=Escherichia coli GN=groEL PE=1")
    assert header.id == "sp|P0A6F5|CH60_ECOLI"
    assert (header.accession, header.gene, header.key) == ("P0A6F5", "groEL", "P0A6F5")


def test_places_of_exceptions_count_in_the_gene() -> None:
    selenium = parse_header(b"lcl|x_cds_y_1 [transl_except=(pos:418..420,aa:Sec)] [location=9..2156]")
    stop = parse_header(b"lcl|x_cds_y_1 [transl_except=(pos:955..956,aa:TERM)] [location=2746..3701]")
    assert (selenium.exceptions, stop.exceptions) == (((139, "U"),), ((318, "*"),))


def test_old_ncbi() -> None:
    header = parse_header(b"gi|84626162|gb|AAC71217.2| DNA polymerase III [Mycoplasma genitalium G37]")
    assert (header.accession, header.key, header.gene) == ("AAC71217.2", "AAC71217.2", "")


def test_ncbi_cds() -> None:
    header = parse_header(
        b"lcl|NC_1.3_cds_NP_4.1_1 [gene=thrL] [locus_tag=b1] [protein=a [2Fe-2S] b] [protein_id=NP_4.1]"
        b" [partial=5'] [frame=2] [transl_except=(pos:5..7,aa:Sec)]"
        b" [location=complement(join(<190..255,300..320))]"
    )
    assert (header.gene, header.locus_tag, header.protein_id, header.key) == (
        "thrL",
        "b1",
        "NP_4.1",
        "NP_4.1",
    )
    assert (header.contig, header.start, header.end, header.strand) == ("NC_1.3", 189, 320, -1)
    assert (header.partial5, header.partial3, header.codon_start) == (True, False, 2)
    assert header.exceptions == ((1, "U"),)
    assert not header.pseudo
    assert parse_header(b"lcl|x [pseudo=true]").pseudo


def test_ensembl_cds_and_peptide_share_a_key() -> None:
    cds = parse_header(b"ENST1.4 cds chromosome:GRCh38:13:237:240:-1 gene:ENSG1.1 gene_symbol:MIPEP")
    peptide = parse_header(b"ENSP1.2 pep chromosome:GRCh38:13:237:240:-1 gene:ENSG1.1 transcript:ENST1.4")
    assert cds.key == peptide.key == "ENST1.4"
    assert (cds.contig, cds.start, cds.end, cds.strand) == ("13", 236, 240, -1)
    assert (cds.gene, cds.locus_tag) == ("MIPEP", "ENSG1.1")


def test_stated_code_and_topology() -> None:
    assert parse_header(b"MT-ND3 x transl_table=2 length=3").table == 2
    assert parse_header(b"lcl|x [transl_table=4]").table == 4
    assert parse_header(b"1 length=5 depth=1.00x circular=true").circular is True
    assert parse_header(b"c [topology=linear]").circular is False
    assert parse_header(b"c").circular is None


def test_key_pattern_wins_where_it_matches() -> None:
    pattern = re.compile(r"gene:(\S+)")
    assert parse_header(b"T1 cds gene:G1", 0, pattern).key == "G1"
    assert parse_header(b"T1 other", 0, pattern).key == "T1"


def test_rules_give_the_first_match() -> None:
    rules = TableRules([TableRule(pattern=":Mito:", table=3), TableRule(pattern="Mito|plastid", table=11)])
    assert rules.table("Q0045 cds chromosome:R64-1-1:Mito:1:2:1") == 3
    assert rules.table("x plastid") == 11
    assert rules.table("x") is None


def test_a_broken_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        TableRule(pattern="(", table=3)


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b" ").rstrip()),
            st.text("a1 |=:[]\t\x1c\x85\xa0é", max_size=12).map(lambda text: text.encode().rstrip()),
            st.sampled_from([b"p1 [gene=x] [pseudo=true]", b"sp|P1|X y GN=z", b"a pep chromosome:X:1:2:3:1"]),
        ),
        max_size=6,
    ),
    st.sampled_from([None, re.compile("a(.)")]),
)
def test_headers_together_are_those_read_one_by_one(
    raws: list[bytes], pattern: re.Pattern[str] | None
) -> None:
    expected = [parse_header(raw, 5 + i, pattern) for i, raw in enumerate(raws)]
    headers = Headers(raws, 5, pattern)
    assert list(headers) == expected
    assert headers[1:3] == expected[1:3]
    assert [headers.ids, headers.descriptions] == [
        [header.id for header in expected],
        [header.description for header in expected],
    ]
    plain = [
        header._replace(id="", description="", key="")
        for i, header in enumerate(expected)
        if i not in headers.told
    ]
    assert all(header == Header("") for header in plain)
