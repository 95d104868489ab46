"""The door: every kind of source, the report, and the refusals."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from genomecli.errors import InputError, UsageError
from genomecli.sequences.coding import ContigRecords
from genomecli.sequences.settings import SourceSettings
from genomecli.sequences.sources import SourceBlock, SourceReader, SourceSpec, open_source
from tests.unit.sequences.made_files import genbank, write_gzip

GENE = "ATGAAATGGCTGTAA"
GENOME = "CC" + GENE + "GG" + "TTATTCCAT" + "CC"
GFF = "##gff-version 3\nc\tx\tCDS\t3\t17\t.\t+\t0\tID=a\nc\tx\tCDS\t20\t28\t.\t-\t0\tID=b;transl_table=4\n"
GTF = (
    'c\tx\tCDS\t3\t14\t.\t+\t0\tgene_id "G"; transcript_id "a";\n'
    'c\tx\tstop_codon\t15\t17\t.\t+\t0\ttranscript_id "a";\n'
)


def reader(path: Path | list[Path], kind: str, table: int = 11, **options: Any) -> SourceReader:
    paths = path if isinstance(path, list) else [path]
    settings = SourceSettings(kind=kind, path=[str(p) for p in paths], **options)  # type: ignore[arg-type]
    return open_source(SourceSpec.from_settings(settings, table))


def blocks(source: SourceReader) -> list[SourceBlock]:
    with source:
        return list(source.blocks())


def contigs(source: SourceReader) -> list[ContigRecords]:
    with source:
        return list(source.annotated())


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_blocks_carry_headers_codes_and_rings(tmp_path: Path) -> None:
    path = write(tmp_path, "x", f">a transl_table=4\n{GENE}\n>b :Mito: x\n{GENE}\n>c circular=true\n{GENE}\n")
    source = reader(path, "cds", table_rules=[{"pattern": ":Mito:", "table": 3}])
    found = blocks(source)
    assert [table for block in found for table in block.tables] == [4, 3, 11]
    assert [ring for block in found for ring in block.circular] == [False, False, True]
    assert [header.key for block in found for header in block.headers] == ["a", "b", "c"]
    assert source.report.counts == {"cds read": 3, "cds: header states genetic code 4, settings 11": 1}


def test_settings_overrule_the_code_of_the_species_and_topology(tmp_path: Path) -> None:
    path = write(tmp_path, "x", f">c\n{GENE}\n")
    (block,) = blocks(reader(path, "genome", circular=True))
    assert block.circular.tolist() == [True]
    settings = SourceSettings(kind="genome", path=str(path), table=4)  # type: ignore[arg-type]
    assert SourceSpec.from_settings(settings, 11).table == 4


def test_several_files_and_their_checksums(tmp_path: Path) -> None:
    one, two = write(tmp_path, "1", f">a\n{GENE}\n"), write_gzip(tmp_path / "2", f">b\n{GENE}\n".encode())
    source = reader([one, two], "cds")
    assert [block.location.path for block in blocks(source)] == [one, two]
    assert [row["sha256"] for row in source.report.files] == [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, two)
    ]
    assert source.report.as_dict()["counts"] == {"cds read": 2}


def test_records_with_what_the_header_says(tmp_path: Path) -> None:
    path = write(tmp_path, "x", f">T1 cds chromosome:A:c:1:15:-1 gene:G1\n{GENE[:5].lower()}\n>\n>e x\nAC-\n")
    with reader(path, "cds") as source:
        gene, nameless, odd = source.records()
    assert (gene.id, gene.text) == ("T1", "atgaa")
    expected = {"gene_key": "T1", "locus_tag": "G1", "contig": "c", "start": 0, "end": 15, "strand": -1}
    assert expected.items() <= gene.meta.items()
    assert (nameless.id, len(nameless)) == ("record_2", 0)
    assert odd.symbols.tolist() == [0, 1, 255]
    assert source.report.counts["cds changed: header without an id, named by its place"] == 1


def test_standard_input() -> None:
    spec = SourceSpec((Path("-"),), "protein")
    with open_source(spec, stdin=io.BytesIO(b">p\nMKL*\n")) as source:
        (record,) = source.records()
    assert record.text == "MKL*"
    assert source.report.files[0]["path"] == "-"


def test_genbank_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.gbk", genbank(GENOME, '3..17\n/translation="MKWL"\ncomplement(20..28)\n/pseudo'))
    source = reader(tmp_path / "x.zip", "annotated")
    (found,) = contigs(source)
    assert [record.text for record in found.proteins] == ["MKWL"]
    assert source.report.counts == {
        "genome read": 1,
        "cds kept": 1,
        "protein kept": 1,
        "cds skipped: pseudogene": 1,
    }


@pytest.mark.parametrize("way", ["pair", "annotation", "inside", "mark"])
def test_gff_and_fasta(way: str, tmp_path: Path) -> None:
    fasta = write(tmp_path, "x.fa", f">c a ring\n{GENOME}\n>d\nACGT\n")
    gff = write(tmp_path, "x.gff", GFF)
    if way == "pair":
        source = reader([gff, fasta], "annotated")
    elif way == "annotation":
        source = reader(fasta, "annotated", annotation=str(gff))
    else:
        mark = "##FASTA\n" if way == "mark" else ""
        source = reader(write(tmp_path, "both", GFF + mark + fasta.read_text()), "annotated")
    first, second = contigs(source)
    assert [record.text for record in first.cds] == [GENE, "ATGGAATAA"]
    assert [record.meta["table"] for record in first.cds] == [11, 4]
    assert (first.genome.text, first.genome.meta["description"]) == (GENOME, "a ring")
    assert (second.genome.text, second.cds) == ("ACGT", [])
    assert len(source.report.files) == (2 if way in ("pair", "annotation") else 1)
    assert "genetic code 4" in source.report.notes[0]


def test_gtf_with_its_stop_codon(tmp_path: Path) -> None:
    fasta, gtf = write(tmp_path, "x.fa", f">c\n{GENOME}\n"), write(tmp_path, "x.gtf", GTF)
    (found,) = contigs(reader(fasta, "annotated", annotation=str(gtf)))
    assert [record.text for record in found.cds] == [GENE]


def test_gff_of_a_ring(tmp_path: Path) -> None:
    turned = GENOME[8:] + GENOME[:8]
    rows = "c\tx\tregion\t1\t30\t.\t+\t.\tID=c;Is_circular=true\nc\tx\tCDS\t25\t39\t.\t+\t0\tID=a\n"
    both = write(tmp_path, "both", f"##gff-version 3\n{rows}##FASTA\n>c\n{turned}\n")
    (found,) = contigs(reader(both, "annotated"))
    assert [record.text for record in found.cds] == [GENE]
    assert found.genome.meta["circular"] is True


def test_annotation_of_another_assembly(tmp_path: Path) -> None:
    fasta, gff = write(tmp_path, "x.fa", ">chr1\nACGT\n"), write(tmp_path, "x.gff", GFF)
    with pytest.raises(InputError, match=r"x.gff; its contigs \(c\) are none of the FASTA's \(chr1\)"):
        contigs(reader(fasta, "annotated", annotation=str(gff)))
    more = write(tmp_path, "y.gff", GFF + "z\tx\tCDS\t1\t9\t.\t+\t0\tID=z\n")
    source = reader(write(tmp_path, "y.fa", f">c\n{GENOME}\n"), "annotated", annotation=str(more))
    contigs(source)
    assert source.report.counts["cds skipped: contig not in the FASTA"] == 1
    assert "1 contigs are not in the FASTA, such as z" in source.report.notes[0]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (">p\n" + "MKLVWEEFRQ" * 10, "genome", "kind is genome, but the letters look like protein"),
        (">p\n" + "ACGTTGCAAC" * 10, "protein", "kind is protein, but the letters look like dna"),
        (">c\nACGT\n", "annotated", "is fasta, which carries no annotation"),
        ("hello", "annotated", "no known format"),
        (GFF, "annotated", "holds no sequences"),
        ("@r\nACGT\n+\nIIII\n", "genome", "FASTQ"),
        ("@r\nACGT\n+\nIIII\n", "annotated", "is fastq"),
        (genbank(GENOME, ""), "genome", "is GenBank, not FASTA; set kind: annotated$"),
        ("##gff-version 3\n", "cds", "is GFF .*; set kind: annotated, path to the FASTA"),
    ],
)
def test_a_file_of_another_kind_is_refused(text: str, kind: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, "x", text)
    with pytest.raises(InputError, match=message) as caught, reader(path, kind) as source:
        list(source.annotated() if kind == "annotated" else source.blocks())
    assert str(path) in str(caught.value)


def test_the_kind_check_can_be_turned_off(tmp_path: Path) -> None:
    path = write(tmp_path, "x", ">p\n" + "ACGTTGCAAC" * 10)
    (block,) = blocks(reader(path, "protein", check_kind=False))
    assert block.block.invalid.tolist() == [0]


def test_wrong_use_and_absent_files(tmp_path: Path) -> None:
    path = write(tmp_path, "x", ">p\nAC\n")
    with pytest.raises(UsageError), reader(path, "annotated") as source:
        next(source.blocks())
    with pytest.raises(UsageError), reader(path, "cds") as source:
        next(source.annotated())
    with pytest.raises(InputError, match="no such file"):
        reader(tmp_path / "absent", "cds")


def test_leaving_early_closes_the_file(tmp_path: Path) -> None:
    path = write_gzip(tmp_path / "x", b">a\n" + b"ACGT" * (4 << 20))
    with reader(path, "genome") as source:
        first = next(source.blocks())
    assert not first.block.whole
    assert source.report.files == []


def test_duplicate_ids_one_base_records_and_many_contigs() -> None:
    text = b">a\nA\n>a\nC\n" + b"".join(b">contig_%d\nACGTTGCAAC\n" % i for i in range(100_000))
    with open_source(SourceSpec((Path("-"),), "genome"), stdin=io.BytesIO(text)) as source:
        found = list(source.blocks())
    ids = [header.id for block in found[:1] for header in block.headers]
    assert ids[:3] == ["a", "a", "contig_0"]
    assert found[0].block.lengths[:3].tolist() == [1, 1, 10]
    assert source.report.counts == {"genome read": 100_002}
    assert sum(len(block.block) for block in found) == 100_002


def test_a_contig_that_comes_again_has_no_features_twice(tmp_path: Path) -> None:
    both = write(tmp_path, "both", f"{GFF}##FASTA\n>c\n{GENOME}\n>c\n{GENOME}\n")
    source = reader(both, "annotated")
    assert [len(found.cds) for found in contigs(source)] == [2, 0]
    assert "contig c comes again" in " ".join(source.report.notes)


def test_an_old_ncbi_header_matches_its_accession(tmp_path: Path) -> None:
    both = write(tmp_path, "both", f"{GFF}##FASTA\n>gi|1|ref|c|\n{GENOME}\n")
    assert [len(found.cds) for found in contigs(reader(both, "annotated"))] == [2]


def test_a_header_with_an_unknown_code_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "x", f">a transl_table=99\n{GENE}\n")
    with pytest.raises(InputError, match="x, record 'a'; genetic code 99 is not known"):
        blocks(reader(path, "cds"))
