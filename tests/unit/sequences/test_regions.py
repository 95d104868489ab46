"""Regions: the same records by index and from a stream, as a plain slice of the text gives them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from genomecli.errors import InputError
from genomecli.sequences import region_text
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.fasta import join_pieces
from genomecli.sequences.regions import Region, in_order, overlaps, parse_region
from genomecli.sequences.settings import SourceSettings
from genomecli.sequences.sources import SourceSpec, open_source
from tests.unit.sequences.made_files import write_bgzip

RANDOM = np.random.default_rng(5)
CONTIGS = {
    name: "".join(RANDOM.choice(list("ACGTacgtNU"), size=size, p=[0.2] * 4 + [0.04] * 4 + [0.03, 0.01]))
    for name, size in (("chr1", 5000), ("chr2", 333), ("empty", 0), ("chr10", 70), ("last", 1200))
}


def fasta(width: int = 60, end: str = "\n") -> bytes:
    text = ""
    for name, letters in CONTIGS.items():
        lines = [letters[i : i + width] for i in range(0, len(letters), width)]
        text += end.join([f">{name} made up, topology=circular", *lines, ""])
    return text.encode()


def write(folder: Path, packing: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "genome.fa"
    if packing == "bgzip":
        write_bgzip(path, fasta())
    else:
        path.write_bytes(
            {"plain": fasta(), "crlf": fasta(end="\r\n"), "gzip": gzip.compress(fasta())}[packing]
        )
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GENOMECLI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def read(path: Path, regions: object, **more: object):
    """(id, letters with their case, region) of each record; and the report."""
    options = SourceSettings.model_validate({"kind": "genome", "path": str(path), "regions": regions, **more})
    found = []
    with open_source(SourceSpec.from_settings(options, 1)) as reader:
        for source in reader.blocks():
            assert source.regions is not None
            assert len(source.regions) == len(source.block)
            found.append(source)
    blocks = list(join_pieces(source.block for source in found))
    regions = {region.id: region for source in found for region in source.regions}
    records = []
    for block in blocks:
        for i, header in enumerate(block.headers):
            letters = DNA.decode(block.record_symbols(i), block.record_soft(i))
            records.append((header.decode(), letters, block.record_aliased(i)))
    return records, regions, reader.report


def expected(region: Region) -> tuple[str, str, int]:
    letters = CONTIGS[region.contig][region.start : region.stop]
    return region.id, letters.replace("U", "T"), letters.count("U")


ASKED = [
    "last:1,000-1200",
    "chr10",
    "chr1:101-160",
    "chr1:61-61",
    "chr1:4000-5000",
    "chr1:150-170",
    "chr1:1-60",
]


@pytest.mark.parametrize("packing", ["plain", "crlf", "bgzip", "gzip"])
@pytest.mark.parametrize("chunk", [1 << 20, 64, 7])
def test_records_are_slices_of_the_contigs(
    packing: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_text, "CHUNK", chunk)
    path = write(tmp_path / "in", packing)
    records, regions, report = read(path, ASKED)
    order = ["chr1:1-60", "chr1:61-61", "chr1:101-160", "chr1:150-170", "chr1:4000-5000", "chr10"]
    assert [name for name, _, _ in records] == [*order, "last:1000-1200"]
    assert records == [expected(regions[name]) for name, _, _ in records]
    assert regions["chr1:61-61"] == Region("chr1", 60, 61)
    assert report.counts["genome regions read"] == len(ASKED)
    assert report.counts["genome read"] == len(ASKED)
    (row,) = report.files
    assert row["bytes"] == path.stat().st_size
    assert row["compression"] == {"crlf": "none", "plain": "none"}.get(packing, packing)
    notes = ["1 of 7 regions overlap others: their shared bases are read more than once"]
    if packing == "gzip":
        notes.append("genome.fa: regions are streamed, since it is gzip, which has no random access")
    assert report.notes == notes
    assert os.listdir(tmp_path / "in") == ["genome.fa"]


@pytest.mark.parametrize("packing", ["plain", "bgzip", "gzip"])
def test_random_regions_read_alike_however_they_are_read(packing: str, tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    asked = []
    for name in ("chr1", "last", "chr2"):
        for _ in range(60):
            first, last = sorted(random.integers(1, len(CONTIGS[name]) + 1, size=2).tolist())
            asked.append(f"{name}:{first}-{last}")
    records, regions, _ = read(write(tmp_path / "in", packing), asked)
    assert sorted(name for name, _, _ in records) == sorted(asked)
    assert records == [expected(regions[name]) for name, _, _ in records]
    assert [name for name, _, _ in records] == [
        r.id for r in in_order(map(parse_region, asked), list(CONTIGS))
    ]


def test_a_bed_file_counts_from_zero_and_is_hashed(tmp_path: Path) -> None:
    bed = tmp_path / "wanted.bed"
    bed.write_text("track name=x\nchr2\t0\t10\tfirst\nchr1\t100\t160\n")
    records, _, report = read(write(tmp_path / "in", "plain"), str(bed))
    assert [name for name, _, _ in records] == ["chr1:101-160", "chr2:1-10"]
    assert records[1][1] == CONTIGS["chr2"][:10].replace("U", "T")
    assert [Path(str(row["path"])).name for row in report.files] == ["wanted.bed", "genome.fa"]
    bed.write_text("chr2\t10\t10\n")
    with pytest.raises(InputError, match="holds no base"):
        read(tmp_path / "in" / "genome.fa", str(bed))
    bed.write_text("# nothing\n")
    with pytest.raises(InputError, match="names no region"):
        read(tmp_path / "in" / "genome.fa", str(bed))


def test_the_index_is_kept_in_the_cache_and_used_again(tmp_path: Path, cache: Path) -> None:
    path = write(tmp_path / "in", "bgzip")
    read(path, ["chr1:1-10"])
    kept = {file: file.stat().st_mtime_ns for file in cache.rglob("*.fai")}
    assert len(kept) == 1
    read(path, ["chr2:1-10"])
    assert {file: file.stat().st_mtime_ns for file in cache.rglob("*.fai")} == kept
    assert os.listdir(path.parent) == [path.name]


def test_what_cannot_be_indexed_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ragged.fa"
    path.write_text(">a\nACGT\nAC\nACGTA\n>b\nGG\n")
    records, _, report = read(path, ["a:4-8", "b"])
    assert records == [("a:4-8", "TACAC", 0), ("b", "GG", 0)]
    assert "regions are streamed, since it cannot be indexed" in report.notes[0]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENOMECLI_CACHE", str(tmp_path / "file"))
    records, _, report = read(write(tmp_path / "in", "plain"), ["chr2"])
    assert records == [expected(Region("chr2"))]
    assert report.notes == []


@pytest.mark.parametrize("packing", ["plain", "bgzip", "gzip"])
@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("chr3:1-5", "region chr3:1-5; has no contig 'chr3'; it holds chr1, chr2, empty, chr10 and 1 more"),
        ("chr2:300-334", "region chr2:300-334; reaches beyond its contig, which has 333 bases"),
        ("last:9000-9001", "reaches beyond its contig, which has 1,200 bases"),
        ("chr1:0-5", "starts before base 1"),
        ("chr1:7-5", "ends before it starts"),
    ],
)
def test_places_that_are_not_there_are_an_error(
    packing: str, region: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        read(write(tmp_path / "in", packing), ["chr1:1-10", region])


def test_other_formats_and_kinds_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.gbk"
    path.write_text("LOCUS       X  10 bp  DNA\nORIGIN\n        1 acgtacgtac\n//\n")
    with pytest.raises(InputError, match="is genbank, and regions are read from FASTA alone"):
        read(path, ["X:1-5"])
    for kind in ("annotated", "cds", "protein"):
        with pytest.raises(ValidationError, match=f"kind genome alone, not of {kind}"):
            read(path, ["X:1-5"], kind=kind)
    with pytest.raises(ValidationError, match="one FASTA"):
        SourceSettings(kind="genome", path=["a", "b"], regions=["x"])
    with pytest.raises(ValidationError, match="names none"):
        SourceSettings(kind="genome", path=["a"], regions=[])
    with pytest.raises(ValidationError, match="no ring"):
        SourceSettings(kind="genome", path=["a"], regions=["x"], circular=True)
    path.write_text(">a\n" + "MKLVEFWWPQ" * 30 + "\n")
    with pytest.raises(InputError, match="letters look like protein"):
        read(path, ["a:1-5"])
    path.write_text(">a\nACGT\n>a\nGGGG\n")
    with pytest.raises(InputError, match="this id comes twice"):
        read(path, ["a:1-2"])


def test_texts_of_regions() -> None:
    assert parse_region("chr1:1,001-2,000") == Region("chr1", 1000, 2000)
    assert parse_region("HLA-A:01:5-6") == Region("HLA-A:01", 4, 6)
    assert parse_region("chr1") == Region("chr1")
    assert Region("a", 4, 6).id == "a:5-6"
    assert overlaps(map(parse_region, ["a:1-10", "a:3-4", "a:9-12", "a:13-14", "b:1-2"])) == 2
    one = SourceSettings.model_validate({"kind": "genome", "path": "g", "regions": "chr1:5-6"})
    assert one.regions == ("chr1:5-6",)
    assert (
        SourceSettings.model_validate({"kind": "genome", "path": "g", "regions": "a.bed"}).regions == "a.bed"
    )
    assert SourceSettings.model_validate({"kind": "genome", "path": "g", "regions": [1]}).regions == ("1",)
