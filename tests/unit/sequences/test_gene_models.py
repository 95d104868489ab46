"""Which rows are one CDS, in the dialects of those who write GFF3 and GTF."""

from __future__ import annotations

import io

from genomecli.sequences.annotation import CodingFeature
from genomecli.sequences.gene_models import GeneModels
from genomecli.sequences.gff import GffReader


def models(*lines: str) -> GeneModels:
    text = "\n".join("\t".join(line.split(None, 8)) for line in lines)
    return GeneModels.from_rows(GffReader(io.BufferedReader(io.BytesIO(text.encode())), "x").rows())  # type: ignore[arg-type]


def features(*lines: str, length: int = 1000, circular: bool = False) -> list[CodingFeature]:
    return models(*lines).features("c", length, circular=circular)


def test_ncbi_rows_that_share_an_id() -> None:
    (cds,) = features(
        "c R gene 1 90 . - . ID=gene-A;Name=abc;locus_tag=L1",
        "c R mRNA 1 90 . - . ID=rna-A;Parent=gene-A;product=thing",
        "c R CDS 61 90 . - 0 ID=cds-P;Parent=rna-A;protein_id=P.1;transl_table=4",
        "c R CDS 1 30 . - 2 ID=cds-P;Parent=rna-A;protein_id=P.1;transl_table=4",
    )
    assert cds.parts == ((60, 90, -1), (0, 30, -1))
    assert (cds.gene, cds.locus_tag, cds.protein_id, cds.product) == ("abc", "L1", "P.1", "thing")
    assert (cds.table, cds.codon_start, cds.pseudo) == (4, 1, False)


def test_ensembl_prefixes_and_isoforms() -> None:
    found = features(
        "c e gene 1 90 . + . ID=gene:G1;Name=abc",
        "c e mRNA 1 90 . + . ID=transcript:T1;Parent=gene:G1",
        "c e mRNA 1 60 . + . ID=transcript:T2;Parent=gene:G1",
        "c e CDS 1 30 . + 0 ID=CDS:P1;Parent=transcript:T1;protein_id=P1",
        "c e CDS 61 90 . + 0 ID=CDS:P1;Parent=transcript:T1;protein_id=P1",
        "c e CDS 1 60 . + 0 ID=CDS:P2;Parent=transcript:T2;protein_id=P2",
    )
    assert [cds.parts for cds in found] == [((0, 30, 1), (60, 90, 1)), ((0, 60, 1),)]
    assert {cds.locus_tag for cds in found} == {"G1"}
    assert [cds.protein_id for cds in found] == ["P1", "P2"]


def test_rows_with_an_id_each_are_joined_by_their_transcript() -> None:
    rows = [
        "c m mRNA 1 90 . + . ID=T1",
        "c m CDS 61 90 . + 0 ID=c2;Parent=T1",
        "c m CDS 1 30 . + 1 ID=c1;Parent=T1",
    ]
    (cds,) = features(*rows)
    assert cds.parts == ((0, 30, 1), (60, 90, 1))
    assert cds.codon_start == 2
    assert len(features("c m gene 1 90 . + . ID=T1", *rows[1:])) == 2  # two genes' worth under one gene


def test_rows_without_ids_and_shared_rows() -> None:
    found = features(
        "c m CDS 1 30 . + 0 Parent=T1,T2",
        "c m CDS 61 90 . + 0 Parent=T1",
        "c m CDS 71 90 . + 0 Parent=T2",
    )
    assert [cds.parts for cds in found] == [((0, 30, 1), (60, 90, 1)), ((0, 30, 1), (70, 90, 1))]
    alone = features("c m CDS 1 30 . + 0 .", "c m CDS 1 30 . + 0 .")
    assert len(alone) == 2


def test_gtf_joins_its_stop_codon() -> None:
    (cds,) = features(
        'c e gene 1 90 . - . gene_id "G1"; gene_name "abc";',
        'c e CDS 61 90 . - 0 gene_id "G1"; transcript_id "T1"; gene_name "abc"; protein_id "P1";',
        'c e CDS 10 30 . - 0 gene_id "G1"; transcript_id "T1"; gene_name "abc"; protein_id "P1";',
        'c e stop_codon 7 9 . - 0 gene_id "G1"; transcript_id "T1"; gene_name "abc";',
    )
    assert cds.parts == ((60, 90, -1), (9, 30, -1), (6, 9, -1))
    assert (cds.gene, cds.locus_tag, cds.protein_id) == ("abc", "G1", "P1")


def test_a_stop_codon_inside_its_cds_adds_nothing() -> None:
    (cds,) = features(
        'c a CDS 1 30 . + 0 gene_id "G1"; transcript_id "T1";',
        'c a stop_codon 28 30 . + 0 gene_id "G1"; transcript_id "T1";',
    )
    assert cds.parts == ((0, 30, 1),)


def test_gtf_tags_say_open_ends() -> None:
    (cds,) = features(
        'c e CDS 1 30 . - 1 transcript_id "T"; tag "basic"; tag "cds_start_NF"; tag "cds_end_NF";'
    )
    assert (cds.partial5, cds.partial3, cds.codon_start) == (True, True, 2)


def test_ranges_and_digits_say_open_ends() -> None:
    (plus,) = features("c R CDS 1 30 . + 0 ID=a;partial=true;start_range=.,1")
    (minus,) = features("c R CDS 1 30 . - 0 ID=a;partial=true;start_range=.,1")
    (prodigal,) = features("c P CDS 1 30 . - 0 ID=1_1;partial=10")
    assert (plus.partial5, plus.partial3) == (True, False)
    assert (minus.partial5, minus.partial3) == (False, True)
    assert (prodigal.partial5, prodigal.partial3) == (False, True)


def test_trans_splicing_keeps_the_order_of_parts() -> None:
    (cds,) = features(
        "c R CDS 500 529 . - 0 ID=cds-r;exception=trans-splicing;part=1",
        "c R CDS 100 129 . + 0 ID=cds-r;exception=trans-splicing;part=3",
        "c R CDS 10 39 . + 0 ID=cds-r;exception=trans-splicing;part=2",
    )
    assert cds.parts == ((499, 529, -1), (9, 39, 1), (99, 129, 1))
    assert cds.exception == "trans-splicing"


def test_mixed_strands_without_part_numbers_keep_file_order() -> None:
    (cds,) = features("c x CDS 500 529 . - 0 ID=a", "c x CDS 100 129 . + 0 ID=a")
    assert cds.parts == ((499, 529, -1), (99, 129, 1))


def test_pseudogenes_by_attribute_type_and_biotype() -> None:
    assert features("c R gene 1 30 . + . ID=g;pseudo=true", "c R CDS 1 30 . + 0 ID=a;Parent=g")[0].pseudo
    assert features("c R pseudogene 1 30 . + . ID=g", "c R CDS 1 30 . + 0 ID=a;Parent=g")[0].pseudo
    assert features('c e CDS 1 30 . + 0 gene_id "G"; transcript_biotype "polymorphic_pseudogene";')[0].pseudo
    assert not features("c R CDS 1 30 . + 0 ID=a")[0].pseudo


def test_slippage_exceptions_and_missing_strand() -> None:
    slipped, odd = features(
        "c R CDS 1 30 . + 0 ID=a;exception=ribosomal slippage;transl_except=(pos:4..6%2Caa:Sec)",
        "c R CDS 30 59 . + 0 ID=a;exception=ribosomal slippage",
        "c R CDS 70 99 . . 0 ID=b",
    )
    assert slipped.ribosomal_slippage
    assert slipped.parts == ((0, 30, 1), (29, 59, 1))
    assert slipped.exceptions[0].spans == ((3, 6),)
    assert odd.problem == "no strand"


def test_rings() -> None:
    lines = (
        "c R region 1 1000 . + . ID=c;Is_circular=true",
        "c R CDS 981 1000 . + 0 ID=a",
        "c R CDS 1 10 . + 0 ID=a",
    )
    assert models(*lines).circular == {"c": True}
    assert features(*lines, circular=True)[0].parts == ((980, 1000, 1), (0, 10, 1))
    assert features(*lines)[0].parts == ((0, 10, 1), (980, 1000, 1))
    backwards = [line.replace(" + 0 ", " - 0 ") for line in lines]
    assert features(*backwards, circular=True)[0].parts == ((0, 10, -1), (980, 1000, -1))
