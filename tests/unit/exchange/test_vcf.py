"""VCF lines: read, refused, and annotated with nothing else changed."""

from __future__ import annotations

import gzip
import importlib.util
import sys
from pathlib import Path

import pytest

from genomecli.errors import InputError, UsageError
from genomecli.exchange.vcf import (
    VcfFile,
    VcfRecord,
    bcf_to_text,
    bgzip,
    is_bcf,
    need_pysam,
    text_to_bcf,
    unscored,
)
from genomecli.sequences.openers import open_input

HEADER = (
    b"##fileformat=VCFv4.3\n##contig=<ID=chr1,length=1000>\n"
    b'##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">\n'
    b'##FORMAT=<ID=GT,Number=1,Type=String,Description="G">\n'
    b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n"
)
LINES = [
    b"chr1\t10\trs1\tA\tG\t50\tPASS\tDP=3\tGT\t0/1\n",
    b"chr1\t12\t.\tAC\tA,ACC\t.\t.\t.\tGT\t1/2\n",
    b"chr1\t20\tx;y\ta\t.\t0.10\tq10;s50\tDP=1;FLAG;\tGT\t./.\n",
    b"chr1\t21\t.\tN\t<DEL>,*\t1e3\tPASS\tEND=40\tGT\t0|0\n",
]


def read(text: bytes, path: Path) -> tuple[VcfFile, list[VcfRecord]]:
    path.write_bytes(text)
    with open_input(path) as stream:
        vcf = VcfFile(stream)
        return vcf, list(vcf.records())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.vcf"


def test_records_are_read(path: Path) -> None:
    vcf, records = read(HEADER + b"".join(LINES), path)
    assert vcf.header == HEADER
    assert vcf.samples == 1
    assert [r.start for r in records] == [9, 11, 19, 20]
    assert [r.alts for r in records] == [("G",), ("A", "ACC"), (), ("<DEL>", "*")]
    assert [r.line for r in records] == LINES
    assert str(records[1]) == "record 2 (chr1:12 AC>A,ACC)"


def test_annotation_adds_one_field_and_keeps_every_other_byte(path: Path) -> None:
    _, records = read(HEADER + b"".join(LINES), path)
    values: list[list[float | None]] = [[-1.25], [0.1, None], [], [None, None]]
    made = [r.annotated("LLR", v) for r, v in zip(records, values, strict=True)]
    expected = [
        LINES[0].replace(b"DP=3\t", b"DP=3;LLR=-1.25\t"),
        LINES[1].replace(b".\t.\t.\tGT", b".\t.\tLLR=0.1,.\tGT"),
        LINES[2],
        LINES[3].replace(b"END=40", b"END=40;LLR=.,."),
    ]
    assert made == expected
    odd = VcfRecord(1, LINES[2], "chr1", 19, "x;y", "a", ("G",))
    assert b"DP=1;FLAG;LLR=2\t" in odd.annotated("LLR", [2.0])


def test_line_ends_and_odd_bytes_stay(path: Path) -> None:
    line = b"chr1\t10\t\xff\xe9\tA\tG\t50\tPASS\tDP=3\r\n"
    text = b"##fileformat=VCFv4.2\r\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\r\n" + line + line.rstrip()
    vcf, records = read(text, path)
    assert records[0].annotated("L", [1.0]) == line.replace(b"DP=3", b"DP=3;L=1")
    assert records[1].annotated("L", [1.0]).endswith(b"DP=3;L=1")
    header = vcf.with_info("L", "about")
    assert header.count(b"\r\n") == header.count(b"\n") == 3


def test_the_header_gains_one_line(path: Path) -> None:
    vcf, _ = read(HEADER, path)
    added = b'##INFO=<ID=LLR,Number=A,Type=Float,Description="about">\n'
    assert vcf.with_info("LLR", "about") == HEADER.replace(b"#CHROM", added + b"#CHROM")
    with pytest.raises(InputError, match="declares DP already"):
        vcf.with_info("DP", "about")


def test_a_field_that_is_there_already_is_no_room_for_another(path: Path) -> None:
    _, records = read(HEADER + LINES[0], path)
    with pytest.raises(InputError, match="holds DP already"):
        records[0].annotated("DP", [1.0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"chr1\t1\t.\tA\tG\n", "is no VCF"),
        (b">chr1\nACGT\n", "is no VCF"),
        (b"##fileformat=VCFv4.3\n", "is no VCF"),
        (HEADER + b"chr1\t10\t.\tA\tG\n", "record 1; has 5 columns"),
        (HEADER + LINES[0] + LINES[0].replace(b"\t10\t", b"\tten\t"), "record 2; its place 'ten'"),
        (HEADER + LINES[0].replace(b"\tA\t", b"\t-\t"), "record 1; its REF '-'"),
    ],
)
def test_what_is_no_vcf_is_named(text: bytes, said: str, path: Path) -> None:
    with pytest.raises(InputError, match=said):
        read(text, path)


def test_alleles_that_are_no_sequence_say_what_they_are() -> None:
    assert [unscored(a) for a in ("G", "acgtn", "GATTACA")] == [None] * 3
    assert unscored("<INS:ME>") == "symbolic allele"
    assert unscored("*") == "allele missing due to a deletion upstream"
    assert [unscored(a) for a in ("G]17:198982]", "[chr1:5[A", ".A", "G.")] == ["breakend"] * 4
    assert unscored("-") == "allele is no sequence"


def test_bgzip_is_read_by_others_and_repeats(path: Path, tmp_path: Path) -> None:
    text = HEADER + b"".join(LINES) * 2000
    path.write_bytes(text)
    packed = [tmp_path / "a.vcf.gz", tmp_path / "b.vcf.gz"]
    for target in packed:
        bgzip(path, target)
    assert packed[0].read_bytes() == packed[1].read_bytes()
    assert gzip.decompress(packed[0].read_bytes()) == text
    with open_input(packed[0]) as stream:
        assert stream.compression == "bgzip"


def test_without_pysam_bcf_says_which_extra_is_missing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysam", None)
    with pytest.raises(UsageError, match=r"pip install 'genomecli\[variants\]'"):
        need_pysam(path)


@pytest.mark.skipif(importlib.util.find_spec("pysam") is None, reason="pysam is not installed")
def test_bcf_there_and_back(path: Path, tmp_path: Path) -> None:
    lines = [line for line in LINES if b"q10" not in line and b"END" not in line]
    path.write_bytes(HEADER + b"".join(lines))
    text_to_bcf(path, tmp_path / "x.bcf")
    with open_input(tmp_path / "x.bcf") as stream:
        assert is_bcf(stream)
        bcf_to_text(stream, tmp_path / "y.vcf")
    assert not (tmp_path / "y.bcf").exists()
    with open_input(tmp_path / "y.vcf") as stream:
        records = list(VcfFile(stream).records())
    assert [r.line for r in records] == lines
