"""``score --scan`` as users run it, on models that have learned a planted grammar."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genomecli.commands import score_scan
from genomecli.exchange.text_spool import TextSpool
from genomecli.inference import surprise, workload
from genomecli.training.checkpoint import load_checkpoint, save_checkpoint
from tests.integration.planted import (
    planted_gene,
    planted_protein,
)
from tests.integration.scored import GENOME, rows_of, score

pytestmark = pytest.mark.usefixtures("own_cache")


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
    fasta.write_text(f">a\n{GENOME[:250]}\n>b\n\n>x\nAC!T\n>c\n{GENOME[3:333]}\n")
    straight, out = tmp_path / "a.bedgraph.gz", tmp_path / "b.bedgraph.gz"
    assert score("-m", bases, "--scan", fasta, "-o", straight) == 0
    assert "record 'b' holds no letters" in capsys.readouterr().err
    append, seen = TextSpool.append, []

    def counting(self: TextSpool, text: bytes, left_out: bytes = b"") -> None:
        append(self, text, left_out)
        seen.append(text)
        if len(seen) == 5:  # the header, three stretches and an empty record
            os.kill(os.getpid(), signal.SIGUSR1)

    with monkeypatch.context() as patched:
        patched.setattr(TextSpool, "append", counting)
        assert score("-m", bases, "--scan", fasta, "-o", out) == 75
    assert score("-m", bases, "--scan", fasta, "-o", out, "--resume") == 0
    said = capsys.readouterr().err
    assert "going on after 5 pieces of work" in said  # that of the foreign letter needs no model
    assert (
        "4 records: 584 symbols in, 580 scored, 4 without a score (4 in a record with foreign letters)"
        in said
    )
    assert "1 records without letters" in said
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


def test_the_star_at_a_proteins_end_is_counted(
    residues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    protein = planted_protein(40)
    fasta = tmp_path / "p.fa"
    fasta.write_text(f">a\n{protein}*\n>b\n{protein}\n")
    assert score("-m", residues, "--scan", fasta) == 0
    said = capsys.readouterr()
    assert "80 symbols in, 80 scored" in said.err
    assert "1 proteins end with *, which is not read" in said.err


def test_input_that_is_refused_leaves_nothing_on_standard_output(
    residues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fasta = tmp_path / "p.fa"
    fasta.write_text("MKLV\n")
    assert score("-m", residues, "--scan", fasta) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "p.fa" in said.err


def test_records_with_foreign_letters_are_named_and_counted(
    residues: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are scored as if those were not there."""
    monkeypatch.setattr(score_scan, "SHOWN", 2)
    protein = planted_protein(40)
    whole, mixed = tmp_path / "whole.fa", tmp_path / "mixed.fa"
    whole.write_text(f">p\n{protein}\n>q\n{protein[:30]}\n")
    odd = "".join(f">{name}\nMK?L1V\n" for name in "bcd")
    mixed.write_text(f">a\nMK?L\n>p\n{protein}\n{odd}>q\n{protein[:30]}\n")
    tables = [tmp_path / "whole.tsv", tmp_path / "mixed.tsv"]
    for fasta, table in zip((whole, mixed), tables, strict=True):
        assert score("-m", residues, "--scan", fasta, "-o", table) == 0
    assert tables[0].read_text() == tables[1].read_text()
    said = capsys.readouterr().err
    assert "mixed.fa, record 'a' has a letter that is not protein, at 3: it is not scored" in said
    assert "record 'b' has 2 letters that are not protein, first at 3" in said
    assert said.count("more records have foreign letters") == 1
    assert "record 'c'" not in said
    assert "6 records: 92 symbols in, 70 scored, 22 without a score" in said
    assert "22 in a record with foreign letters" in said
    assert "\n4 records with foreign letters\n" in said
    listed = rows_of((tmp_path / "mixed.tsv.unscored.tsv").read_text())
    assert [row["sequence"] for row in listed] == list("abcd")
    assert listed[0] == {"sequence": "a", "symbols": "4", "reason": "has a letter that is not protein, at 3"}
    assert not (tmp_path / "whole.tsv.unscored.tsv").exists()


def test_a_scan_of_which_no_record_can_be_read_is_refused(
    residues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fasta, table = tmp_path / "p.fa", tmp_path / "p.tsv"
    fasta.write_text(">a\nMK?L\n>b\n1\n")
    assert score("-m", residues, "--scan", fasta, "-o", table) == 3
    assert "none of 2 records could be read" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.fa"]
