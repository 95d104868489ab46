"""``score`` of mutants and of codons, on models that have learned a planted grammar."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.integration.planted import (
    planted_gene,
    planted_protein,
)
from tests.integration.scored import HEADER, line, rows_of, score

pytestmark = pytest.mark.usefixtures("own_cache")


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
    assert {row["sequence"] for row in rows} == {"wt"}
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
