from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from genomecli.commands.inputs import guess_kind, species_name, species_settings
from genomecli.config import load_config
from genomecli.errors import InputError, UsageError


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ecoli_k12.gbk.gz", "ecoli_k12"),
        ("GCF_000005845.2_ASM584v2_genomic.fna.gz", "GCF_000005845.2_ASM584v2_genomic"),
        ("my genome (new).fa", "my_genome_new"),
        ("..fa", "species"),
        ("x.cds.fasta", "x"),
        ("$(rm).gb", "rm"),
    ],
)
def test_names_are_safe_for_files(file: str, name: str) -> None:
    assert species_name(Path(file)) == name


def test_kinds_are_told_by_content_not_by_name(tmp_path: Path) -> None:
    def kind(text: bytes) -> str:
        (tmp_path / "x.bin").write_bytes(text)
        return guess_kind(tmp_path / "x.bin")

    gene = b"ATG" + b"GCTAAAGAT" * 10 + b"TAA\n"
    assert kind(b"".join(b">g%d\n%s" % (i, gene) for i in range(9))) == "cds"
    assert kind(b">chr1\n" + b"ACGTTGCAAN" * 900) == "genome"
    assert kind(b">p\nMKLVWDERTYIPASDFGHKLCNM" + b"MKLVWDERTYIPASDFGHKL" * 9) == "protein"
    assert kind(b"LOCUS       X 10 bp DNA\n") == "annotated"
    assert kind(gzip.compress(b"ID   X; SV 1; circular;\n")) == "annotated"
    with pytest.raises(InputError, match="no FASTA, GenBank or EMBL"):
        kind(b"hello\n")


def test_files_become_species(tmp_path: Path) -> None:
    for name in ("a.gb", "b.gb"):
        (tmp_path / name).write_text("LOCUS       X 10 bp DNA\n")
    (override,) = species_settings([str(tmp_path / "a.gb"), str(tmp_path / "b.gb")])
    key, value = override.split("=", 1)
    assert key == "tokenize.species"
    assert [one["name"] for one in json.loads(value)] == ["a", "b"]
    with pytest.raises(UsageError, match="two files are named 'a'"):
        species_settings([str(tmp_path / "a.gb")] * 2)
    (tmp_path / "x.gff3").write_text("##gff-version 3\n")
    with pytest.raises(InputError, match="GFF.*set kind: annotated"):
        species_settings([str(tmp_path / "x.gff3")])


def test_standard_input_is_told_a_command_line_that_works() -> None:
    with pytest.raises(UsageError, match="standard input has no name") as caught:
        species_settings(["-"])
    given = str(caught.value).split("--set '")[1].split("'")[0]
    (species,) = load_config(None, [given]).tokenize.species
    assert species.sources[0].path == ["-"]
