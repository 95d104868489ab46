"""``score`` as users run it, on models that have learned a planted grammar."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import os
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from Bio import bgzf
from pyarrow import parquet

from genomecli.exchange.text_spool import TextSpool
from genomecli.files import check_file
from genomecli.inference import workload
from tests.integration.planted import (
    make_run,
    planted_genome,
)
from tests.integration.scored import GENOME, HEADER, line, others, rows_of, score

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "ref.fa"
    body = "\n".join(GENOME[i : i + 60] for i in range(0, 600, 60))
    path.write_text(f">c1 planted\n{body}\n>c2\nACGTACGTACGT\n")
    return path


@pytest.fixture
def vcf(tmp_path: Path) -> Path:
    path = tmp_path / "x.vcf"
    lines = [line(place, GENOME[place], others(place)) for place in range(60, 540, 16)]
    lines[3] = line(150, GENOME[150], GENOME[150] + "C", ".\t.\t.\tGT\t./.")
    lines[4] = line(160, GENOME[160:163], f"{GENOME[160]},<DEL>", "1e2\tq10;s5\tDP=7;FLAG\tGT\t1|0")
    lines[5] = line(170, GENOME[170].lower(), ".")
    path.write_text(HEADER + "".join(lines))
    return path


def stripped(annotated: bytes) -> bytes:
    """An annotated VCF without what was added to it."""
    kept = [row for row in annotated.split(b"\n") if not row.startswith(b"##INFO=<ID=GENOMECLI_LLR,")]
    text = re.sub(rb";GENOMECLI_LLR=[^\t]*", b"", b"\n".join(kept))
    return re.sub(rb"\tGENOMECLI_LLR=[^\t]*", b"\t.", text)


def test_variants_that_break_the_grammar_score_low(
    bases: Path, vcf: Path, reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score("-m", bases, "--vcf", vcf, "-r", reference) == 0
    said = capsys.readouterr()
    rows = rows_of(said.out)
    assert len(rows) == 27 * 3 + 3
    assert list(rows[0])[:8] == [
        "record",
        "sequence",
        "position",
        "id",
        "ref",
        "alt",
        "score",
        "score_forward",
    ]
    scores = np.array([float(row["score"]) for row in rows if row["score"]])
    assert np.median(scores) < -2
    assert (scores < 0).mean() > 0.95
    methods = {(row["position"], row["alt"]): row["method"] for row in rows}
    assert methods["151", GENOME[150] + "C"] == methods["161", GENOME[160]] == "pseudo_perplexity"
    assert rows[0]["method"] == "masked"
    (missing,) = [row for row in rows if not row["score"]]
    assert (missing["alt"], missing["reason"]) == ("<DEL>", "symbolic allele")
    assert "30 records: 84 alleles in, 83 scored, 1 without a score (1 symbolic allele)" in said.err


def test_a_change_back_to_the_grammar_scores_high(
    bases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = "A" if GENOME[300] != "A" else "C"
    path = tmp_path / "wrong.fa"
    path.write_text(f">c1\n{GENOME[:300]}{wrong}{GENOME[301:]}\n")
    file = tmp_path / "one.vcf"
    file.write_text(HEADER + line(300, wrong, GENOME[300]))
    assert score("-m", bases, "--vcf", file, "-r", path) == 0
    (row,) = rows_of(capsys.readouterr().out)
    assert float(row["score"]) > 2
    assert float(row["score"]) == pytest.approx(
        (float(row["score_forward"]) + float(row["score_reverse"])) / 2, rel=1e-6
    )


def test_an_annotated_vcf_keeps_every_other_byte(
    bases: Path, vcf: Path, reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, packed, again = (tmp_path / name for name in ("y.vcf", "y.vcf.gz", "z.vcf"))
    for out in (plain, packed):
        assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out) == 0
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert stripped(plain.read_bytes()) == vcf.read_bytes()
    capsys.readouterr()
    assert score("-m", bases, "--vcf", vcf, "-r", reference) == 0
    expected: dict[str, list[str]] = {}
    for row in rows_of(capsys.readouterr().out):
        value = f"{float(row['score']):.6g}" if row["score"] else "."
        expected.setdefault(row["id"], []).append(value)
    for record in plain.read_text().splitlines()[5:]:
        cells = record.split("\t")
        found = re.search(r"GENOMECLI_LLR=([^;\t]*)", cells[7])
        assert (found.group(1).split(",") if found else None) == expected.get(cells[2])
    table = Path(f"{plain}.unscored.tsv").read_text().splitlines()
    assert table[1:] == ["5\tc1\t161\t<DEL>\tsymbolic allele"]
    manifest = json.loads(Path(f"{plain}.manifest.json").read_bytes())
    assert manifest["kind"] == "scores"
    for name, about in manifest["files"].items():
        check_file(tmp_path, name, about)
    assert score("-m", bases, "--vcf", plain, "-r", reference, "-o", again) == 3
    assert "declares GENOMECLI_LLR already; set score.info to another name" in capsys.readouterr().err
    assert not again.exists()


def test_packed_input_and_reference_give_the_same(
    bases: Path, vcf: Path, reference: Path, tmp_path: Path
) -> None:
    straight = tmp_path / "a.tsv"
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", straight) == 0
    packed, blocked, gzipped = (tmp_path / name for name in ("x.vcf.gz", "ref.bgz", "ref.gz"))
    packed.write_bytes(gzip.compress(vcf.read_bytes()))
    gzipped.write_bytes(gzip.compress(reference.read_bytes()))
    with bgzf.BgzfWriter(str(blocked), "wb") as out:
        out.write(reference.read_bytes())
    for number, genome in enumerate((blocked, gzipped)):
        other = tmp_path / f"b{number}.tsv"
        assert score("-m", bases, "--vcf", packed, "-r", genome, "-o", other) == 0
        assert other.read_bytes() == straight.read_bytes()


def test_scores_depend_neither_on_the_batch_nor_on_other_records(
    bases: Path, vcf: Path, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "a.tsv", tmp_path / "b.tsv"
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", whole) == 0
    monkeypatch.setattr(workload, "TOKENS", 100)
    small = ["-s", "score.tokens_per_batch=70"]
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", parts, *small) == 0
    assert parts.read_bytes() == whole.read_bytes()


def test_a_mismatch_names_the_record_or_is_counted(
    bases: Path, vcf: Path, reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = "A" if GENOME[90] != "A" else "C"
    cases = {
        line(90, wrong, "G"): f"REF is {wrong}, the reference has {GENOME[90]}",
        line(90, GENOME[90], "G").replace("c1", "chrc1", 1): "no sequence 'chrc1'; rename it to 'c1', which",
        line(599, GENOME[599] + "A", "G"): "c1 ends at 600",
    }
    for text, said in cases.items():
        file = tmp_path / "bad.vcf"
        file.write_text(vcf.read_text() + text)
        out = tmp_path / "bad.tsv"
        assert score("-m", bases, "--vcf", file, "-r", reference, "-o", out) == 3
        error = capsys.readouterr().err
        assert "record 31 (" in error
        assert said in error
        assert not out.exists()
        skipping = ["-s", "score.mismatch=skip", "--force"]
        assert score("-m", bases, "--vcf", file, "-r", reference, "-o", out, *skipping) == 0
        assert "85 alleles in, 83 scored, 2 without a score (1 reference mismatch, 1 symbolic" in (
            capsys.readouterr().err
        )
        assert rows_of(out.read_text())[-1]["reason"] == "reference mismatch"
        out.unlink()


def test_alleles_that_are_no_sequence_may_lie_at_a_telomere(
    bases: Path, reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "telomeres.vcf", tmp_path / "telomeres.tsv"
    alleles = ["<DEL>", "*", "N[c2:1[,<INV>", ".[c2:1["]
    lines = [line(place, "N", alts) for alts, place in zip(alleles, (-1, -1, 600, -1), strict=True)]
    file.write_text(HEADER + "".join(lines) + line(90, GENOME[90], f"<DUP>,{others(90)}"))
    assert score("-m", bases, "--vcf", file, "-r", reference, "-o", out) == 0
    rows = rows_of(out.read_text())
    assert [row["position"] for row in rows] == ["0", "0", "601", "601", "0", *["91"] * 4]
    upstream = "allele missing due to a deletion upstream"
    said = ["symbolic allele", upstream, "breakend", "symbolic allele", "breakend", "symbolic allele"]
    assert [row["reason"] for row in rows] == [*said, "", "", ""]
    assert all(row["score"] for row in rows[6:])
    capsys.readouterr()
    annotated = tmp_path / "telomeres.scored.vcf"
    assert score("-m", bases, "--vcf", file, "-r", reference, "-o", annotated) == 0
    assert stripped(annotated.read_bytes()) == file.read_bytes()
    file.write_text(HEADER + line(-1, "N", "<DEL>,A"))
    capsys.readouterr()
    assert score("-m", bases, "--vcf", file, "-r", reference) == 3
    assert "place 0 is the telomere, before the first base" in capsys.readouterr().err
    assert score("-m", bases, "--vcf", file, "-r", reference, "-s", "score.mismatch=skip") == 0
    rows = rows_of(capsys.readouterr().out)
    assert [row["reason"] for row in rows] == ["symbolic allele", "reference mismatch"]


def test_a_vcf_from_a_pipe_and_parquet(
    bases: Path, vcf: Path, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight, piped = tmp_path / "a.parquet", tmp_path / "b.parquet"
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", straight) == 0
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(vcf.read_bytes()))))
    assert score("-m", bases, "--vcf", "-", "-r", reference, "-o", piped) == 0
    one, other = (parquet.read_table(path).to_pylist() for path in (straight, piped))
    assert one == other
    assert one[0]["position"] == 61
    assert [row["score"] is None for row in one].count(True) == 1


def test_a_vcf_without_records(bases: Path, reference: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "none.vcf", tmp_path / "none.tsv"
    file.write_text(HEADER)
    assert score("-m", bases, "--vcf", file, "-r", reference, "-o", out) == 0
    assert len(out.read_text().splitlines()) == 1


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 75)])
def test_resume_goes_on_where_a_signal_stopped(
    bases: Path,
    vcf: Path,
    reference: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    code: int,
) -> None:
    straight, out = tmp_path / "a.vcf.gz", tmp_path / "b.vcf.gz"
    monkeypatch.setattr(workload, "TOKENS", 3000)
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", straight) == 0
    append, seen = TextSpool.append, []

    def counting(self: TextSpool, text: bytes, left_out: bytes = b"") -> None:
        append(self, text, left_out)
        seen.append(text)
        if len(seen) == 12:
            os.kill(os.getpid(), getattr(signal, name))

    with monkeypatch.context() as patched:
        patched.setattr(TextSpool, "append", counting)
        assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out) == code
    assert not out.exists()
    assert "run again with --resume" in capsys.readouterr().err
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out, "--resume") == 0
    said = capsys.readouterr().err
    assert 12 < len(seen) < 30, "what was computed with the eleventh is written, and nothing else"
    assert f"going on after {len(seen) - 1} pieces of work" in said
    assert "30 records: 84 alleles in, 83 scored" in said
    assert out.read_bytes() == straight.read_bytes()
    assert Path(f"{out}.unscored.tsv").read_bytes() == Path(f"{straight}.unscored.tsv").read_bytes()
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out, "--resume") == 0
    assert "finished already" in capsys.readouterr().err
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out) == 2
    vcf.write_text(HEADER)
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out, "--resume") == 2
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out, "--force") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to score"),
        (["--vcf", "x.vcf"], "no reference"),
        (["--mutations", "m.txt"], "no wild type"),
        (["--vcf", "x.vcf", "-r", "r.fa", "--scan", "g.fa"], "give one of vcf, mutations and scan"),
        (["--vcf", "x.vcf", "-r", "r.fa", "-o", "y.npy"], "no format for vcf"),
        (["--scan", "g.fa", "-o", "y.vcf"], "no format for scan"),
        (["--scan", "g.fa", "--measured", "x"], "belong to a table of mutations"),
        (["--scan", "g.fa", "--resume"], "standard output cannot be resumed"),
        (["--scan", "-", "--resume", "-o", "y.tsv"], "standard input cannot be read again"),
    ],
)
def test_wrong_usage_is_told(
    bases: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score("-m", bases, *arguments) == 2
    assert said in capsys.readouterr().err


def test_bcf_without_pysam_is_told_before_anything_is_scored(
    bases: Path,
    vcf: Path,
    reference: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "pysam", None)
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", tmp_path / "y.bcf") == 2
    said = capsys.readouterr().err
    assert "y.bcf; BCF needs pysam, which is not installed; pip install 'genomecli[variants]'" in said
    assert "model at step" not in said
    vcf.write_bytes(b"BCF\x02\x02rest")
    assert score("-m", bases, "--vcf", vcf, "-r", reference) == 2
    assert "x.vcf; BCF needs pysam" in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("pysam") is None, reason="pysam is not installed")
def test_bcf_in_and_out(
    bases: Path, vcf: Path, reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = [row for row in vcf.read_text().splitlines(keepends=True) if "q10" not in row]
    formats = '##FORMAT=<ID=GT,Number=1,Type=String,Description="G">\n'
    vcf.write_text(kept[0] + formats + "".join(kept[1:]))
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", tmp_path / "y.bcf") == 0
    capsys.readouterr()
    assert score("-m", bases, "--vcf", tmp_path / "y.bcf", "-r", reference) == 0
    binary = capsys.readouterr().out
    assert score("-m", bases, "--vcf", vcf, "-r", reference) == 0
    assert capsys.readouterr().out == binary


def test_a_model_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert score("--scan", "g.fa") == 2
    assert "no model is given" in capsys.readouterr().err


def test_overlapping_tokens_refuse_what_shows_the_base(
    tmp_path: Path, reference: Path, vcf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path / "run", lambda n: planted_genome(42, n % 9), dna="kmer", k=3, stride=1, steps=1)
    assert score("-m", run, "--vcf", vcf, "-r", reference, "-s", "score.method=wildtype") == 2
    assert "stands in its neighbours" in capsys.readouterr().err
    assert score("-m", run, "--scan", reference, "-s", "score.passes=0") == 2
    capsys.readouterr()
    assert score("-m", run, "--vcf", vcf, "-r", reference) == 0
    assert len(rows_of(capsys.readouterr().out)) == 84


def test_real_mutants_and_a_real_genome(residues: Path, bases: Path, real_data: Path, tmp_path: Path) -> None:
    table = real_data / "variants" / "b2l11_dutta2010.csv"
    out = tmp_path / "b2.tsv"
    given = ["-w", "infer", "--measured", "DMS_score", "-s", "score.draws=20"]
    assert score("-m", residues, "--mutations", table, *given, "-o", out) == 0
    rows = rows_of(out.read_text())
    assert len(rows) == 170
    assert all(row["score"] for row in rows)
    genome = real_data / "genomes" / "phix174.fna"
    track = tmp_path / "phix.bedgraph"
    assert score("-m", bases, "--scan", genome, "-o", track, "-s", "score.passes=2") == 0
    assert len(track.read_text().splitlines()) == 5386 + 1
