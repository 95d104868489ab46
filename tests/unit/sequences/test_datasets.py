"""NCBI datasets packages, as a folder and as a zip."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from genomecli.errors import InputError
from genomecli.sequences.datasets import find_inputs

ACCESSIONS = ("GCF_000002.1", "GCF_000001.2")


def catalog(names: list[str]) -> str:
    return json.dumps({"assemblies": [{"files": [{"filePath": name} for name in names]}]})


def package(folder: Path, *kinds: str, listed: tuple[str, ...] = ()) -> Path:
    data = folder / "ncbi_dataset" / "data"
    names = []
    for accession in ACCESSIONS:
        (data / accession).mkdir(parents=True)
        for kind in kinds:
            name = f"{accession}/{kind.replace('ACC', accession)}"
            (data / name).write_text(">c\nACGT\n")
            names.append(name)
    (data / "dataset_catalog.json").write_text(catalog([*names, *listed]))
    rows = [
        {"accession": a, "organism": {"organismName": "Made up", "taxId": i}}
        for i, a in enumerate(ACCESSIONS)
    ]
    (data / "assembly_data_report.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (folder / "README.md").write_text("x")
    return folder


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return target


ALL = ("ACC_ASM1_genomic.fna", "genomic.gff", "genomic.gtf", "cds_from_genomic.fna", "protein.faa", "rna.fna")


@pytest.mark.parametrize("as_zip", [False, True])
@pytest.mark.parametrize(
    ("kind", "name"),
    [("genome", "ASM1_genomic.fna"), ("cds", "cds_from_genomic.fna"), ("protein", "protein.faa")],
)
def test_files_are_chosen_by_kind(kind: str, name: str, as_zip: bool, tmp_path: Path) -> None:
    path = package(tmp_path / "in", *ALL)
    if as_zip:
        path = zipped(path, tmp_path / "x.zip")
    found = find_inputs([path], kind)  # type: ignore[arg-type]
    assert len(found) == 2
    assert all(str(inputs.sequences).endswith(name) for inputs in found)
    assert "GCF_000001" in str(found[0].sequences)
    assert all((inputs.sequences.member is not None) == as_zip for inputs in found)


def test_annotated_prefers_genbank_then_gff3_then_gtf(tmp_path: Path) -> None:
    (one, _) = find_inputs([package(tmp_path / "a", *ALL, "genomic.gbff")], "annotated")
    assert (str(one.sequences)[-12:], one.annotation) == ("genomic.gbff", None)
    (one, _) = find_inputs([package(tmp_path / "b", *ALL)], "annotated")
    assert str(one.annotation).endswith("GCF_000001.2/genomic.gff")
    assert str(one.sequences).endswith("GCF_000001.2/GCF_000001.2_ASM1_genomic.fna")
    (one, _) = find_inputs([package(tmp_path / "c", ALL[0], "genomic.gtf")], "annotated")
    assert str(one.annotation).endswith("genomic.gtf")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    path = package(tmp_path / "a", "protein.faa")
    with pytest.raises(InputError, match=r"nothing of kind cds \(cds_from_genomic.fna\)"):
        find_inputs([path], "cds")
    with pytest.raises(InputError, match="no such file or folder"):
        find_inputs([tmp_path / "absent"], "cds")


def test_a_dehydrated_package_is_recognised(tmp_path: Path) -> None:
    path = package(tmp_path / "a", listed=("GCF_000001.2/cds_from_genomic.fna",))
    with pytest.raises(InputError, match=r"lists GCF_000001.2/cds_from_genomic.fna.*datasets rehydrate"):
        find_inputs([path], "cds")


def test_a_broken_catalog_is_named(tmp_path: Path) -> None:
    path = package(tmp_path / "a", *ALL)
    (path / "ncbi_dataset" / "data" / "dataset_catalog.json").write_text("{")
    with pytest.raises(InputError, match="broken dataset_catalog.json"):
        find_inputs([path], "cds")


def test_plain_files_zips_and_stdin_pass_through(tmp_path: Path) -> None:
    fasta = tmp_path / "a.fa"
    fasta.write_text(">c\nACGT\n")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(fasta, "a.fa")
    found = find_inputs([fasta, tmp_path / "a.zip", Path("-")], "genome")
    assert [str(inputs.sequences.path) for inputs in found] == [str(fasta), str(tmp_path / "a.zip"), "-"]


def test_a_fasta_and_a_gff_in_any_order_are_a_pair(tmp_path: Path) -> None:
    fasta, gff = tmp_path / "a", tmp_path / "b"
    fasta.write_text(">c\nACGT\n")
    gff.write_text("c\tx\tCDS\t1\t3\t.\t+\t0\tID=a\n")
    for paths in ([fasta, gff], [gff, fasta]):
        (pair,) = find_inputs(paths, "annotated")
        assert (pair.sequences.path, pair.annotation and pair.annotation.path) == (fasta, gff)
    (named,) = find_inputs([fasta], "annotated", gff)
    assert named == pair
    with pytest.raises(InputError, match="belongs to one FASTA"):
        find_inputs([fasta, fasta], "annotated", gff)


def test_packages_of_viruses_and_genes_have_other_catalogs(tmp_path: Path) -> None:
    data = tmp_path / "ncbi_dataset" / "data"
    data.mkdir(parents=True)
    (data / "dataset_catalog.json").write_text('{"apiVersion": "V2", "genes": [{"files": []}]}')
    (data / "genomic.fna").write_text(">c\nACGT\n")
    (found,) = find_inputs([tmp_path], "genome")
    assert found.sequences.path == data / "genomic.fna"
