"""Extraction of coding sequences: every feature in one counted bucket, every policy as stated."""

from __future__ import annotations

import numpy as np
import pytest
from Bio.Seq import Seq

from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.annotation import AnnotatedContig, CodingFeature, TranslationException
from genomecli.sequences.coding import CdsExtractor, ContigRecords
from genomecli.sequences.settings import CodingPolicy

#           0  M  K  W  L  *           18: reverse of M F *        30
GENOME = "CC" + "ATGAAATGGCTGTAA" + "G" + "TTAGAACAT" + "CCCGTGTGATAAGG"
FORWARD = (2, 17, 1)


def extract(
    *features: CodingFeature, genome: str = GENOME, table: int = 11, circular: bool = False, **policy: str
) -> tuple[ContigRecords, CdsExtractor]:
    contig = AnnotatedContig("c", DNA.encode(genome), circular, features=list(features))
    extractor = CdsExtractor(CodingPolicy(**policy), table, "x.gb")  # type: ignore[arg-type]
    return extractor.extract(contig), extractor


def cds(*parts: tuple[int, int, int], **said: object) -> CodingFeature:
    return CodingFeature(parts, **said)  # type: ignore[arg-type]


def test_a_gene_and_its_protein_are_paired() -> None:
    found, extractor = extract(
        cds(FORWARD, gene="abc", locus_tag="L1", protein_id="P.1", product="thing", translation="MKWL")
    )
    (gene,), (protein,), (check,) = found.cds, found.proteins, found.checks
    assert (gene.text, protein.text) == ("ATGAAATGGCTGTAA", "MKWL")
    assert gene.id == protein.id == gene.meta["gene_key"] == protein.meta["gene_key"] == "P.1"
    expected = {"contig": "c", "start": 2, "end": 17, "strand": 1, "gene": "abc", "table": 11, "trailing": 0}
    assert expected.items() <= gene.meta.items()
    assert (gene.meta["has_start"], gene.meta["has_stop"]) == (True, True)
    assert (check.status, check.equal_by_code, check.clean) == ("ok", True, True)
    assert dict(extractor.counts) == {"cds kept": 1, "protein kept": 1}
    assert found.genome.text == GENOME


def test_complement_join_and_trans_splicing() -> None:
    found, _ = extract(
        cds((18, 27, -1)),
        cds((8, 17, 1), (2, 8, 1)),
        cds((18, 27, -1), (2, 8, 1)),
        cds((24, 27, -1), (18, 24, -1)),
    )
    assert [record.text for record in found.cds] == [
        "ATGTTCTAA",
        GENOME[8:17] + GENOME[2:8],
        "ATGTTCTAA" + GENOME[2:8],
        "ATGTTCTAA",
    ]
    assert found.cds[0].text == str(Seq(GENOME[18:27]).reverse_complement())
    assert [check.status for check in found.checks] == ["no translation"] * 4


def test_trans_spliced_strands_have_no_single_strand() -> None:
    found, _ = extract(cds((18, 27, -1), (2, 8, 1), exception="trans-splicing"))
    assert (found.cds[0].meta["strand"], found.checks[0].reason) == (0, "trans-splicing")


def test_a_gene_over_the_origin() -> None:
    genome = GENOME[8:] + GENOME[:8]
    two, one = cds((35, 41, 1), (0, 9, 1)), cds((35, 50, 1))
    for feature in (two, one):
        found, _ = extract(feature, genome=genome, circular=True)
        assert found.cds[0].text == "ATGAAATGGCTGTAA"
    found, extractor = extract(one, genome=genome)
    assert found.checks[0].status == "not extracted"
    assert dict(extractor.counts) == {"cds skipped: beyond the contig's end": 1}


def test_codon_start_cuts_leading_bases_and_trailing_bases_stay() -> None:
    found, extractor = extract(
        cds((1, 16, 1), codon_start=2, partial5=True, partial3=True, translation="MKWL")
    )
    record = found.cds[0]
    assert (record.text, record.meta["trailing"], record.meta["partial5"]) == ("ATGAAATGGCTGTA", 2, True)
    assert extractor.counts["cds changed: bases before the first whole codon cut"] == 1
    assert found.checks[0].status == "ok"


def test_alternative_start_reads_m_only_at_a_whole_end() -> None:
    found, _ = extract(
        cds((30, 39, 1)), cds((30, 39, 1), partial5=True), genome=GENOME.replace("GTGTGA", "GTGTGG")
    )
    assert [record.text for record in found.proteins] == ["MW", "VW"]


def test_the_stated_code_wins_and_a_contradiction_is_told() -> None:
    found, extractor = extract(cds((30, 39, 1), table=4, translation="MW"), cds(FORWARD, table=1))
    assert [check.table for check in found.checks] == [4, 1]
    assert found.checks[0].stated
    assert found.proteins[0].text == "MW"
    assert found.cds[0].meta["table"] == 4
    notes = extractor.notes()
    assert "genetic code 1, the settings 11, which reads the same codons" in notes[0]
    assert "genetic code 4, the settings 11, which is read otherwise" in notes[1]


def test_selenocysteine_and_the_count_without_exceptions() -> None:
    exception = (TranslationException(((33, 36),), "U"),)
    found, _ = extract(cds((30, 39, 1), exceptions=exception, translation="MU"))
    check = found.checks[0]
    assert (check.status, check.equal_by_code, check.excepted) == ("ok", False, 1)
    assert found.cds[0].meta["exceptions"] == ((1, "U"),)
    assert found.proteins[0].text == "MU"


def test_selenocysteine_on_the_other_strand() -> None:
    genome = str(Seq(GENOME).reverse_complement())
    exception = (TranslationException(((5, 8),), "U"),)
    found, _ = extract(cds((2, 11, -1), exceptions=exception, translation="MU"), genome=genome)
    assert (found.checks[0].status, found.cds[0].text) == ("ok", "GTGTGATAA")


def test_an_incomplete_stop_is_completed() -> None:
    exception = (TranslationException(((14, 15),), "*"),)
    found, _ = extract(cds((2, 15, 1), exceptions=exception, translation="MKWL"), table=2)
    record, check = found.cds[0], found.checks[0]
    assert record.text == "ATGAAATGGCTGT"
    assert (record.meta["stop_completed"], record.meta["has_stop"], check.clean) == (True, False, True)
    assert check.status == "ok"


def test_disagreements_are_kept_skipped_or_refused() -> None:
    wrong = cds(FORWARD, locus_tag="L1", translation="MKWS")
    found, _ = extract(wrong)
    check = found.checks[0]
    assert (check.status, check.first, check.expected, check.got) == ("differs", 4, "S", "L")
    assert found.proteins[0].text == "MKWS"
    assert extract(wrong, proteins="translated")[0].proteins[0].text == "MKWL"
    skipped, extractor = extract(wrong, disagreements="skip")
    assert (skipped.cds, len(skipped.checks)) == ([], 1)
    assert dict(extractor.counts) == {"cds skipped: translation differs": 1}
    with pytest.raises(InputError, match=r"x.gb, c, L1; reads 'L' at residue 4.*'S'"):
        extract(wrong, disagreements="error")


def test_pseudogenes_are_skipped_and_counted_or_kept() -> None:
    pseudo = cds((2, 16, 1), pseudo=True)
    found, extractor = extract(pseudo)
    assert (found.cds, found.checks[0].status) == ([], "pseudogene")
    assert dict(extractor.counts) == {"cds skipped: pseudogene": 1}
    kept, extractor = extract(pseudo, pseudogenes="keep")
    assert (kept.cds[0].meta["pseudo"], kept.cds[0].meta["trailing"]) == (True, 2)
    assert extractor.counts["protein made by translation"] == 1


def test_isoforms() -> None:
    short, long = (
        cds((8, 17, 1), locus_tag="L1", protein_id="a"),
        cds(FORWARD, locus_tag="L1", protein_id="b"),
    )
    other = cds((18, 27, -1), locus_tag="L2", protein_id="c")
    found, extractor = extract(short, long, other, isoforms="longest")
    assert [record.id for record in found.cds] == ["b", "c"]
    assert extractor.counts["cds skipped: shorter isoform"] == 1
    assert len(extract(short, long, other)[0].cds) == 3


def test_every_feature_ends_in_one_bucket() -> None:
    features = [
        cds(FORWARD),
        cds((2, 4, 1)),
        cds((30, 90, 1)),
        cds(),
        cds(FORWARD, pseudo=True),
        cds((2, 17, 1), problem="on another sequence"),
        cds((14, 17, 1)),
        cds(FORWARD, table=99),
    ]
    found, extractor = extract(*features)
    buckets = {name: n for name, n in extractor.counts.items() if name.startswith("cds ")}
    assert sum(buckets.values()) == len(features) == len(found.checks)
    assert buckets == {
        "cds kept": 2,
        "cds skipped: shorter than a codon": 1,
        "cds skipped: beyond the contig's end": 1,
        "cds skipped: no location": 1,
        "cds skipped: pseudogene": 1,
        "cds skipped: on another sequence": 1,
        "cds skipped: states genetic code 99, which is not known": 1,
    }
    assert extractor.counts["protein skipped: no residue"] == 1  # a lone stop codon
    assert len(found.proteins) == 1


def test_keys_are_unique_over_contigs() -> None:
    contig = AnnotatedContig("c", DNA.encode(GENOME), features=[cds(FORWARD, protein_id="WP_1")] * 2)
    extractor = CdsExtractor(CodingPolicy(), 11)
    keys = [record.id for _ in range(2) for record in extractor.extract(contig).cds]
    assert keys == ["WP_1", "WP_1#2", "WP_1#3", "WP_1#4"]
    nameless, _ = extract(cds(FORWARD))
    assert nameless.cds[0].id == "c:3-17"


def test_soft_mask_and_unknown_letters_follow_the_gene() -> None:
    soft = np.zeros(len(GENOME), np.uint8)
    soft[18:20] = 1
    genome = GENOME[:26] + "-" + GENOME[27:]
    contig = AnnotatedContig("c", DNA.encode(genome), features=[cds((18, 27, -1))], soft=soft)
    (record,) = CdsExtractor(CodingPolicy(), 11).extract(contig).cds
    assert record.text == "NTGTTCTaa"


def test_odd_letters_in_a_given_protein_read_x() -> None:
    found, extractor = extract(cds(FORWARD, translation="MK-L"))
    assert found.proteins[0].text == "MKXL"
    assert extractor.counts["protein changed: letters of no meaning read X"] == 1


def test_a_contig_without_sequence_is_said_to_be_so() -> None:
    _, extractor = extract(cds(FORWARD), genome="")
    assert dict(extractor.counts) == {"cds skipped: contig without sequence": 1}
