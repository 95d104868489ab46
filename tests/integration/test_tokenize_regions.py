"""``tokenize`` of regions: only these stretches, at their places on the contig, whatever the packing."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from genomecli.cli import main
from genomecli.corpus.store import CorpusReader
from genomecli.corpus.units import make_units
from genomecli.files import read_manifest
from genomecli.sequences.alphabets import DNA
from tests.unit.corpus.made import config_of, write_fasta
from tests.unit.sequences.made_files import write_bgzip

RANDOM = np.random.default_rng(3)
CHROMOSOME = (
    "".join(RANDOM.choice(list("ACGT"), 3000)) + "N" * 60 + "".join(RANDOM.choice(list("ACGT"), 2000))
)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOMECLI_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    return write_fasta(tmp_path / "g.fa", {"chr1": CHROMOSOME, "chr2": "ACGT" * 300})


def tokenize(out: Path, path: Path, regions: str, *more: str) -> int:
    source = (
        f"tokenize.species=[{{name: bug, sources: [{{kind: genome, path: {path}, regions: {regions}}}]}}]"
    )
    sets = [source, "tokenize.figures=false", "tokenize.split.valid=0", "tokenize.split.test=0", *more]
    return main(["tokenize", "-o", str(out), "-q", *(part for text in sets for part in ("--set", text))])


def test_regions_are_records_at_their_places(genome: Path, tmp_path: Path) -> None:
    assert tokenize(tmp_path / "c", genome, "['chr1:2901-3200', 'chr2:1-400', 'chr1:101-200']") == 0
    corpus = CorpusReader.open(tmp_path / "c")
    table = corpus.records("bug", "genome")
    places = list(
        zip(table.column("contig"), table.column("cds_start"), table.column("cds_end"), strict=True)
    )
    # The second region holds a gap, at which it is cut.
    assert table.column("id").tolist() == ["chr1:101-200", "chr1:2901-3000", "chr1:3061-3200", "chr2:1-400"]
    assert places == [("chr1", 100, 200), ("chr1", 2900, 3000), ("chr1", 3060, 3200), ("chr2", 0, 400)]
    for row, (contig, start, end) in zip(table.row.tolist(), places, strict=True):
        whole = CHROMOSOME if contig == "chr1" else "ACGT" * 300
        assert DNA.decode(corpus.symbols(row)) == whole[start:end]
    counts = read_manifest(tmp_path / "c")["sources"][0]["counts"]
    assert counts["genome regions read"] == 3


def test_packing_and_the_way_of_asking_change_nothing(genome: Path, tmp_path: Path) -> None:
    text = genome.read_bytes()
    bed = tmp_path / "wanted.bed"
    bed.write_text("chr1\t100\t200\nchr2\t0\t400\n")
    write_bgzip(tmp_path / "g.bgz", text)
    (tmp_path / "g.gz").write_bytes(gzip.compress(text))
    shards = []
    for number, (path, regions) in enumerate(
        [(genome, "['chr1:101-200', 'chr2:1-400']"), (tmp_path / "g.bgz", bed), (tmp_path / "g.gz", bed)]
    ):
        out = tmp_path / f"c{number}"
        assert tokenize(out, path, str(regions)) == 0
        shards.append((out / "bug.genome.00000.safetensors").read_bytes())
        assert str(tmp_path) not in (out / "manifest.json").read_text()
    assert shards[0] == shards[1] == shards[2]
    settings = read_manifest(tmp_path / "c1")["sources"][0]["settings"]
    assert settings["regions"] == "wanted.bed"


def test_a_part_belongs_to_the_bed_file_it_was_read_with(genome: Path, tmp_path: Path) -> None:
    bed = tmp_path / "wanted.bed"
    bed.write_text("chr1\t100\t200\n")
    source = {"kind": "genome", "path": str(genome), "regions": str(bed)}
    section = {"species": [{"name": "a", "sources": [source]}]}
    (unit,) = make_units(config_of(section).tokenize)
    key = unit.key()
    bed.write_text("chr1\t100\t2001\n")
    assert unit.key() != key
    bed.unlink()
    assert tokenize(tmp_path / "c", genome, str(bed)) == 2


@pytest.mark.parametrize(
    ("regions", "code", "message"),
    [
        ("['chr7:1-50']", 3, "has no contig 'chr7'; it holds chr1, chr2"),
        ("['chr2:1100-1300']", 3, "region chr2:1100-1300; reaches beyond its contig, which has 1,200 bases"),
        ("[]", 2, "regions names none"),
    ],
)
def test_what_is_wrong_is_said(
    regions: str, code: int, message: str, genome: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tokenize(tmp_path / "c", genome, regions) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "c").exists()
