"""The counts that are known of real genomes, reproduced by this room."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.sequences.alphabets import DNA, PROTEIN, STOP
from genomecli.sequences.codes import genetic_code
from genomecli.sequences.coding import ContigRecords
from genomecli.sequences.records import Record
from genomecli.sequences.settings import SourceSettings
from genomecli.sequences.sources import SourceReport, SourceSpec, open_source
from genomecli.sequences.translation import read_coding


def annotated(path: Path, table: int, **options: Any) -> tuple[list[ContigRecords], SourceReport]:
    settings = SourceSettings(kind="annotated", path=str(path), **options)  # type: ignore[arg-type]
    with open_source(SourceSpec.from_settings(settings, table)) as reader:
        return list(reader.annotated()), reader.report


def records(path: Path, kind: str, table: int = 1, **options: Any) -> list[Record]:
    settings = SourceSettings(kind=kind, path=str(path), **options)  # type: ignore[arg-type]
    with open_source(SourceSpec.from_settings(settings, table)) as reader:
        return list(reader.records())


def statuses(found: list[ContigRecords]) -> Counter[str]:
    return Counter(check.status for contig in found for check in contig.checks)


def test_e_coli(real_data: Path) -> None:
    found, report = annotated(real_data / "genomes" / "ecoli_k12.gbk.gz", 11)
    (contig,) = found
    assert (contig.genome.id, len(contig.genome), contig.genome.meta["circular"]) == (
        "NC_000913.3",
        4641652,
        True,
    )
    assert len(contig.checks) == 4319
    assert statuses(found) == {"ok": 4140, "pseudogene": 179}
    by_code = [check for check in contig.checks if check.equal_by_code]
    assert len(by_code) == 4137
    with_exceptions = [check for check in contig.checks if check.excepted]
    assert len(with_exceptions) == 3
    assert all(not check.equal_by_code and check.status == "ok" for check in with_exceptions)
    assert report.counts["cds kept"] == report.counts["protein kept"] == 4140
    fasta = {r.id: r.text for r in records(real_data / "proteins" / "ecoli_k12.faa.gz", "protein")}
    assert len(fasta) == 4140
    assert fasta == {protein.id: protein.text for protein in contig.proteins}


@pytest.mark.parametrize(
    ("name", "table", "length", "features", "expected"),
    [
        ("spyogenes_m1.gb.gz", 11, 1852441, 1853, {"ok": 1853}),
        ("jcvi_syn3a_code4.gb.gz", 4, 543379, 458, {"ok": 455, "pseudogene": 3}),
        ("scerevisiae_chr1.gb", 1, 230218, 94, {"ok": 94}),
        ("lambda.gbk", 11, 48502, 73, {"ok": 70, "ambiguous": 3}),
        ("mouse_mito_code2.gb", 2, 16299, 13, {"ok": 13}),
    ],
)
def test_annotated_genomes(
    name: str, table: int, length: int, features: int, expected: dict[str, int], real_data: Path
) -> None:
    found, report = annotated(real_data / "genomes" / name, table)
    assert len(found[0].genome) == length
    assert len(found[0].checks) == features
    assert statuses(found) == expected
    kept = features - expected.get("pseudogene", 0)
    assert (len(found[0].cds), len(found[0].proteins)) == (kept, kept)
    assert report.notes == []


def test_the_stated_code_wins_over_the_settings(real_data: Path) -> None:
    found, report = annotated(real_data / "genomes" / "jcvi_syn3a_code4.gb.gz", 11)
    assert statuses(found)["ok"] == 455
    assert "458 coding features state genetic code 4, the settings 11" in report.notes[0]


def test_incomplete_stops_of_the_mouse_mitochondrion(real_data: Path) -> None:
    ((contig,), _) = annotated(real_data / "genomes" / "mouse_mito_code2.gb", 2)
    completed = [record for record in contig.cds if record.meta["stop_completed"]]
    assert len(completed) == 6
    assert all(record.meta["trailing"] in (1, 2) and not record.meta["has_stop"] for record in completed)
    assert all(check.clean for check in contig.checks)


def test_plasmodium_reading_frames(real_data: Path) -> None:
    found, report = annotated(real_data / "genomes" / "pfalciparum_chr1.embl.gz", 1, pseudogenes="keep")
    checks = found[0].checks
    assert (len(checks), len(found[0].genome)) == (149, 643292)
    assert sum(check.clean and check.has_stop for check in checks) == 141
    assert statuses(found) == {"no translation": 137, "pseudogene": 12}
    assert report.counts["protein made by translation"] == 149


def test_gff_gives_what_genbank_gives(real_data: Path, tmp_path: Path) -> None:
    ((genbank,), _) = annotated(real_data / "genomes" / "scerevisiae_chr1.gb", 1)
    rows = ["##gff-version 3"]
    for record in genbank.cds:
        parts: Any = record.meta["parts"]
        for start, end, strand in parts[:: int(parts[0][2])]:
            sign = "+" if strand > 0 else "-"
            rows.append(
                f"chrI\tx\tCDS\t{start + 1}\t{end}\t.\t{sign}\t0\tID={record.id};locus_tag={record.id}"
            )
    (tmp_path / "x.gff").write_text("\n".join([*rows, "##FASTA", ">chrI", genbank.genome.text, ""]))
    ((gff,), _) = annotated(tmp_path / "x.gff", 1)
    assert [(r.id, r.text) for r in gff.cds] == [(r.id, r.text) for r in genbank.cds]
    assert [(r.id, r.text) for r in gff.proteins] == [(r.id, r.text) for r in genbank.proteins]


def read(record: Record, table: int | None = None) -> tuple[str, bool]:
    reading = read_coding(record.symbols, genetic_code(table or int(str(record.meta["table"]))))
    return PROTEIN.decode(reading.residues), reading.clean and reading.has_stop


def test_yeast_genes_and_their_mitochondrial_ones(real_data: Path) -> None:
    rules = [{"pattern": ":Mito:", "table": 3}]
    genes = records(real_data / "cds" / "scerevisiae.cds.fa.gz", "cds", table_rules=rules)
    assert Counter(record.meta["table"] for record in genes) == {1: 6572, 3: 28}
    mito = [record for record in genes if record.meta["table"] == 3]
    assert all(record.meta["contig"] == "Mito" for record in mito)
    assert all(read(record)[1] for record in mito)
    proteins = records(real_data / "proteins" / "scerevisiae.faa.gz", "protein")
    known = {record.text for record in proteins}
    assert len(proteins) == 6002
    found = Counter(record.meta["table"] for record in genes if read(record)[0] in known)
    assert found == {1: 5895, 3: 19}
    assert not any(read(record, 1)[0] in known for record in mito)


def test_human_mitochondrial_genes_lie_in_the_genome(real_data: Path) -> None:
    (genome,) = records(real_data / "genomes" / "human_mito_code2.fa", "genome", 2, circular=True)
    genes = records(real_data / "cds" / "human_mito_code2.cds.fasta", "cds")
    assert {record.meta["table"] for record in genes} == {2}  # the header's own, not the default
    both = genome.text.upper() + " " + DNA.decode(DNA.reverse_complement(genome.symbols))
    assert sum(record.text in both for record in genes) == 13
    inner = [genetic_code(2).translate(record.symbols, cds=True) for record in genes]
    assert all(STOP not in residues for residues in inner)
    assert all(PROTEIN.decode(residues).startswith("M") for residues in inner)
    assert genome.meta["circular"] is True


def test_phix(real_data: Path) -> None:
    (genome,) = records(real_data / "genomes" / "phix174.fna", "genome")
    assert (genome.id, len(genome)) == ("NC_001422.1", 5386)
    assert np.bincount(genome.symbols).tolist() == [genome.text.count(letter) for letter in "ACGT"]


def test_e_coli_genes_of_ensembl(real_data: Path) -> None:
    genes = records(real_data / "cds" / "ecoli_k12.cds.fa.gz", "cds", 11)
    assert len(genes) == 4239
    assert all(len(record) % 3 == 0 for record in genes)


def test_human_genes_that_are_not_whole(real_data: Path) -> None:
    genes = records(real_data / "cds" / "calm_hsapiens.fasta", "cds")
    assert sum(len(record) % 3 != 0 for record in genes) == 25
    assert sum("N" in record.text for record in genes) == 14
    readings = [read_coding(record.symbols, genetic_code(1)) for record in genes]
    assert sum(not reading.has_stop for reading in readings) == 40


def test_b_subtilis_proteins(real_data: Path) -> None:
    proteins = records(real_data / "proteins" / "bsubtilis_168.faa.gz", "protein")
    assert sum(not record.text.startswith("M") for record in proteins) == 51
