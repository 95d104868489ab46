"""``score`` as users run it, on models that have learned a planted grammar."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import os
import re
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from Bio import bgzf
from pyarrow import parquet

from genomecli.cli import main
from genomecli.exchange.text_spool import TextSpool
from genomecli.files import check_file
from genomecli.inference import surprise, workload
from genomecli.training.checkpoint import load_checkpoint, save_checkpoint
from tests.integration.planted import (
    make_run,
    other_strand,
    planted_gene,
    planted_genome,
    planted_protein,
)

COMMON = ["--set", "device=cpu", "--set", "threads=1"]
GENOME = planted_genome(600)
HEADER = (
    "##fileformat=VCFv4.3\n##contig=<ID=c1,length=600>\n"
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n"
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOMECLI_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def text(number: int) -> str:
        forward = planted_genome(40, number % 9)
        return forward if number % 2 else other_strand(forward)

    return make_run(tmp_path_factory.mktemp("runs") / "bases", text, steps=110)


@pytest.fixture(scope="module")
def codons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "codons"
    options = {"molecule": "cds", "dna": "codon", "k": 3, "stride": 3}
    return make_run(folder, lambda number: planted_gene(40, number % 10), steps=90, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def residues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "residues"
    return make_run(folder, lambda number: planted_protein(40, number % 9), molecule="protein", steps=90)


def line(place: int, ref: str, alts: str, rest: str = "50\tPASS\tDP=7\tGT\t0/1") -> str:
    return f"c1\t{place + 1}\trs{place}\t{ref}\t{alts}\t{rest}\n"


def others(place: int) -> str:
    return ",".join(base for base in "ACGT" if base != GENOME[place])


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


def score(*arguments: object) -> int:
    return main(["score", *map(str, arguments), *COMMON])


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


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
        line(90, GENOME[90], "G").replace("c1", "chrc1", 1): "no sequence 'chrc1'; it has 'c1': rename",
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
    assert "going on after 11 pieces of work" in said
    assert "30 records: 84 alleles in, 83 scored" in said
    assert out.read_bytes() == straight.read_bytes()
    assert Path(f"{out}.unscored.tsv").read_bytes() == Path(f"{straight}.unscored.tsv").read_bytes()
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out, "--resume") == 0
    assert "finished already" in capsys.readouterr().err
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out) == 2
    vcf.write_text(HEADER)
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out, "--resume") == 2
    assert score("-m", bases, "--vcf", vcf, "-r", reference, "-o", out, "--force") == 0


@pytest.fixture
def mutations(tmp_path: Path) -> Path:
    """A table of single and double mutants; those on the grammar's places are measured as bad."""
    protein = planted_protein(90)
    path = tmp_path / "m.csv"
    with open(path, "w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["mutant", "mutated_sequence", "fitness"])
        for i, place in enumerate(range(10, 80, 3)):
            new = "ACDEFGHIKLMNPQRSTVWY"[i % 20]
            made = protein[:place] + new + protein[place + 1 :]
            value = 1.0 if new == protein[place] else -1.0 - i / 10
            table.writerow([f"{protein[place]}{place + 1}{new}", made, value])
        table.writerow(["WT", protein, 2.0])
        table.writerow([f"{protein[0]}1W:{protein[50]}51C", f"W{protein[1:50]}C{protein[51:]}", ""])
    return path


def test_mutations_of_a_protein(
    residues: Path, mutations: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = tmp_path / "wt.fa"
    wild.write_text(f">wt about\n{planted_protein(90)}*\n")
    assert score("-m", residues, "--mutations", mutations, "-w", wild) == 0
    rows = rows_of(capsys.readouterr().out)
    values = {row["mutant"]: float(row["score"]) for row in rows}
    same = [name for name in values if name[0] == name[-1] or name == "WT"]
    assert same
    assert all(values[name] == 0 for name in same)
    assert max(value for name, value in values.items() if name not in same) < -1
    double = rows[-1]
    assert (double["position"], double["alt"]) == ("1:51", "W:C")
    assert double["ref"] == f"M:{planted_protein(90)[50]}"
    wrong = tmp_path / "wrong.fa"
    wrong.write_text(f">wt\n{planted_protein(90, 1)}\n")
    assert score("-m", residues, "--mutations", mutations, "-w", wrong) == 3
    assert "row 1 (" in capsys.readouterr().err


def test_several_wild_types_are_named_by_a_column(
    residues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = planted_protein(60), planted_protein(60, 4)
    wild, table, alone = tmp_path / "wt.fa", tmp_path / "m.tsv", tmp_path / "alone.fa"
    wild.write_text(f">one\n{one}\n>other\n{other}\n")
    table.write_text(f"mutant\tprotein\n{one[30]}31W\tone\n{other[30]}31W\tother\nA1C\tthird\n")
    given = ["--mutations", table, "-w", wild]
    assert score("-m", residues, *given) == 3
    assert "holds 2 records; give one, or name the column" in capsys.readouterr().err
    named = [*given, "-s", "score.wildtype_column=protein"]
    assert score("-m", residues, *named) == 3
    assert "row 3 (A1C); names wild type 'third', which is not there" in capsys.readouterr().err
    assert score("-m", residues, *named, "-s", "score.mismatch=skip") == 0
    rows = rows_of(capsys.readouterr().out)
    assert [row["sequence"] for row in rows] == ["one", "other", "third"]
    assert [row["reason"] for row in rows] == ["", "", "wild type mismatch"]
    alone.write_text(f">x\n{other}\n")
    (tmp_path / "list").write_text(f"{other[30]}31W\n")
    assert score("-m", residues, "--mutations", tmp_path / "list", "-w", alone) == 0
    assert rows_of(capsys.readouterr().out)[0]["score"] == rows[1]["score"]


def test_amino_acids_need_codons_and_proteins_have_no_bases(
    bases: Path, residues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gene, file, protein = (tmp_path / name for name in ("gene.fa", "m.txt", "p.fa"))
    gene.write_text(f">g\n{planted_gene(40)}\n")
    protein.write_text(f">p\n{planted_protein(60)}\n")
    file.write_text("F3W\n")
    cds = ["-s", "score.molecule=cds"]
    assert score("-m", bases, "--mutations", file, "-w", gene, *cds) == 2
    assert "amino acids of a cds need a model of codons" in capsys.readouterr().err
    assert score("-m", residues, "--mutations", file, "-w", protein, "-s", "score.level=base") == 2
    assert "a protein has no bases" in capsys.readouterr().err
    assert score("-m", bases, "--mutations", file, "-w", gene, "-s", "score.synonyms=sum") == 2
    assert "no codons" in capsys.readouterr().err
    assert score("-m", bases, "--scan", gene, "-s", "score.frame=1", "-s", "score.species=cat") == 2
    assert "does not know species 'cat'" in capsys.readouterr().err
    assert score("-m", bases, "--scan", gene, "-s", "score.frame=1") == 2
    assert "frame 1 is no frame of tokens every 1 bases" in capsys.readouterr().err


def test_stop_codons_count_wherever_they_are_put_into_a_gene(
    codons: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gene, path, file = planted_gene(30), tmp_path / "gene.fa", tmp_path / "stops.vcf"
    path.write_text(f">c1\n{gene}\n")
    places = (30, 60, 81, 87, 90)
    file.write_text(HEADER + "".join(line(p - 1, gene[p - 1], f"{gene[p - 1]}TAATAA") for p in places))
    assert score("-m", codons, "--vcf", file, "-r", path, "-s", "score.molecule=cds") == 0
    scores = [float(row["score"]) for row in rows_of(capsys.readouterr().out)]
    assert max(scores) < -5


def test_measured_values_are_compared(
    residues: Path, mutations: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m.tsv"
    given = ["--mutations", mutations, "-w", "infer", "--measured", "fitness", "-s", "score.draws=50"]
    assert score("-m", residues, *given, "-o", out) == 0
    said = capsys.readouterr().err
    assert "Spearman of score with the measured values" in said
    assert "1 rows without a score or a measured value are left out" in said
    summary = json.loads(Path(f"{out}.summary.json").read_bytes())
    assert set(summary["spearman"]) == {"score", "blosum62", "unigram"}
    assert summary["rows"] == 25
    assert Path(f"{out}.png").read_bytes().startswith(b"\x89PNG")
    columns = list(rows_of(out.read_text())[0])
    assert columns[-3:] == ["measured", "blosum62", "unigram"]
    assert score("-m", residues, *given) == 0
    streamed = capsys.readouterr()
    assert streamed.out == out.read_text()
    assert "Spearman of score" in streamed.err


def test_amino_acids_of_a_coding_sequence(
    codons: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gene, file = tmp_path / "gene.fa", tmp_path / "m.txt"
    gene.write_text(f">g\n{planted_gene(40)}\n")
    file.write_text("F3W\nF3L:D4E\nK2*\n")
    assert score("-m", codons, "--mutations", file, "-w", gene, "-s", "score.molecule=cds") == 0
    rows = rows_of(capsys.readouterr().out)
    assert all(float(row["score"]) < -3 for row in rows)
    file.write_text("F4W\n")
    assert score("-m", codons, "--mutations", file, "-w", gene, "-s", "score.molecule=cds") == 3
    assert "F4W wants F at 4, and the wild type has D" in capsys.readouterr().err
    file.write_text("F3W\n")
    assert score("-m", codons, "--mutations", file, "-w", gene) == 3
    assert "the wild type is a gene: set score.molecule=cds" in capsys.readouterr().err
    file.write_text("W3F\n")
    assert score("-m", codons, "--mutations", file, "-w", gene) == 3
    assert "correct it, or set score.mismatch=skip" in capsys.readouterr().err
    file.write_text("T7A\n")
    level = ["-s", "score.molecule=cds", "-s", "score.level=base"]
    assert score("-m", codons, "--mutations", file, "-w", gene, *level) == 0
    assert float(rows_of(capsys.readouterr().out)[0]["score"]) < -3


def test_silent_and_missense_variants_of_a_coding_sequence(
    codons: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A silent change is one of codons, whether or not codons that mean the same are summed."""
    gene, file = tmp_path / "gene.fa", tmp_path / "g.vcf"
    gene.write_text(f">g\n{planted_gene(40)}\n")
    place = 3 * 20 + 2  # the last base of GCT: any change is silent
    text = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    file.write_text(text + f"g\t{place + 1}\t.\tT\tC\t.\t.\t.\n")
    found = []
    for synonyms in ("auto", "separate"):
        given = ["-s", "score.molecule=cds", "-s", f"score.synonyms={synonyms}"]
        assert score("-m", codons, "--vcf", file, "-r", gene, *given) == 0
        (row,) = rows_of(capsys.readouterr().out)
        assert row["score_reverse"] == ""
        found.append(float(row["score"]))
    assert found[0] == found[1] < -3


def test_a_scan_finds_a_frameshift(codons: Path, tmp_path: Path) -> None:
    gene = planted_gene(120)
    shifted = tmp_path / "genes.fa"
    shifted.write_text(f">broken\n{gene[:180]}A{gene[180:]}\n>whole\n{gene}\n")
    out = tmp_path / "scan.bedgraph"
    assert score("-m", codons, "--scan", shifted, "-s", "score.molecule=cds", "-o", out) == 0
    text = out.read_text().splitlines()
    assert text[0].startswith("#")
    assert "nats" in text[0]
    values: dict[str, dict[int, float]] = {"broken": {}, "whole": {}}
    for row in text[1:]:
        name, start, end, value = row.split("\t")
        assert int(end) == int(start) + 1
        values[name][int(start)] = float(value)
    broken = np.array([values["broken"][i] for i in range(360)])
    assert broken[:171].mean() < 0.3
    assert broken[190:].mean() > 1.5
    jump = (
        int(np.argmax([broken[i : i + 20].mean() - broken[i - 20 : i].mean() for i in range(20, 340)])) + 20
    )
    assert abs(jump - 180) <= 9
    assert np.mean(list(values["whole"].values())) < 0.3
    assert Path(f"{out}.png").read_bytes().startswith(b"\x89PNG")


def test_a_terminal_stop_that_the_model_never_saw_is_not_scored(
    codons: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does it change what is said of the codons before it. What was trained is read from the settings."""
    held = load_checkpoint(codons, optimiser=False)
    reading = {"molecules": ["cds"], "frame": 0, "strip": True}
    stripped = tmp_path / "stripped"
    save_checkpoint(stripped, replace(held, config={"pretrain": {"reading": reading}}), best=True)
    gene, fasta, out = planted_gene(30), tmp_path / "genes.fa", tmp_path / "t.tsv"
    inside = gene[:30] + "TAA" + gene[33:]
    fasta.write_text(f">a\n{gene}TAA\n>b\n{gene}\n>c\n{inside}TGAAC\n>d\nTAA\n")
    given = ["--scan", fasta, "-s", "score.molecule=cds", "-o", out]

    def scanned(run: Path, *more: str) -> dict[str, list[str]]:
        assert score("-m", run, *given, *more, "--force") == 0
        found: dict[str, list[str]] = {}
        for row in rows_of(out.read_text()):
            found.setdefault(row["sequence"], []).append(row["surprise"])
        return found

    found = scanned(stripped)
    said = capsys.readouterr().err
    assert "2 terminal stop codons not scored: the model was trained without them" in said
    assert "281 symbols in, 273 scored, 8 without a score" in said
    assert "6 in a terminal stop codon" in said
    assert (len(found["a"]), found["a"][90:]) == (93, ["", "", ""])
    assert found["a"][:90] == found["b"]
    assert "" not in found["c"][:90]
    assert found["c"][90:] == [""] * 5
    assert "" not in found["d"]  # nothing would be left of it

    asked = scanned(stripped, "-s", "score.stop_codon=score")
    assert "terminal stop" not in capsys.readouterr().err
    assert "" not in asked["a"]
    assert max(map(float, asked["a"][90:])) > 3 * max(map(float, found["a"][:90]))
    assert scanned(codons) == asked
    capsys.readouterr()
    assert scanned(codons, "-s", "score.stop_codon=leave_out") == found
    assert "2 terminal stop codons not scored\n" in capsys.readouterr().err


def test_a_stopped_scan_goes_on(
    bases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(surprise, "SEGMENT", 100)
    monkeypatch.setattr(workload, "TOKENS", 1000)
    fasta = tmp_path / "g.fa"
    fasta.write_text(f">a\n{GENOME[:250]}\n>b\n\n>c\n{GENOME[3:333]}\n")
    straight, out = tmp_path / "a.bedgraph.gz", tmp_path / "b.bedgraph.gz"
    assert score("-m", bases, "--scan", fasta, "-o", straight) == 0
    assert "record 'b' holds no letters" in capsys.readouterr().err
    append, seen = TextSpool.append, []

    def counting(self: TextSpool, text: bytes, left_out: bytes = b"") -> None:
        append(self, text, left_out)
        seen.append(text)
        if len(seen) == 5:  # the header and four stretches, the last of them of the third record
            os.kill(os.getpid(), signal.SIGUSR1)

    with monkeypatch.context() as patched:
        patched.setattr(TextSpool, "append", counting)
        assert score("-m", bases, "--scan", fasta, "-o", out) == 75
    assert score("-m", bases, "--scan", fasta, "-o", out, "--resume") == 0
    said = capsys.readouterr().err
    assert "going on after 4 pieces of work" in said
    assert "2 records: 580 symbols in, 580 scored" in said
    assert out.read_bytes() == straight.read_bytes()
    assert Path(f"{out}.png").read_bytes() == Path(f"{straight}.png").read_bytes()


def test_a_scan_as_a_table_and_in_bits(
    bases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fasta = tmp_path / "g.fa"
    wrong = GENOME[:99] + ("A" if GENOME[99] != "A" else "C") + GENOME[100:200]
    fasta.write_text(f">c1\n{wrong}N\n")
    assert score("-m", bases, "--scan", fasta) == 0
    nats = [float(row.split("\t")[3]) for row in capsys.readouterr().out.splitlines()[1:]]
    table = tmp_path / "g.tsv"
    assert score("-m", bases, "--scan", fasta, "-o", table, "-s", "score.unit=bits") == 0
    assert "201 symbols in, 200 scored, 1 without a score" in capsys.readouterr().err
    rows = rows_of(table.read_text())
    assert int(np.argmax(nats)) == 99
    assert rows[99]["symbol"] == wrong[99]
    assert rows[200] == dict.fromkeys(rows[200], "") | {"sequence": "c1", "position": "201", "symbol": "N"}
    bits = [float(row["surprise"]) for row in rows[:200]]
    np.testing.assert_allclose(bits, np.array(nats) / np.log(2), rtol=1e-4)


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
