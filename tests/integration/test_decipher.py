"""``mrr-compare --decipher`` as a user runs it: planted code, controls, what is refused, real genes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from Bio.Seq import Seq

from genomecli.analysis.decipherment.sources import read_sources
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.settings import DecipherSettings
from genomecli.cli import main
from genomecli.corpus.store import CorpusReader
from genomecli.files import read_manifest, verify_manifest
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.codes import CODONS
from tests.unit.analysis.decipherment.made import write_fasta, write_sources

QUICK = ["chains=6", "sweeps=20", "bootstrap=10"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Genes in code 12 (CUG is serine) that end in UAA, and proteins of other genes."""
    folder = tmp_path_factory.mktemp("decipher")
    config = write_sources(folder, 300)
    assert main(["tokenize", "-c", str(config), "-o", str(folder / "corpus")]) == 0
    return folder / "corpus"


def decipher(corpus: Path, out: Path, *arguments: str, sets: tuple[str, ...] = ()) -> int:
    chosen = [part for text in (*QUICK, *sets) for part in ("--set", f"mrr-compare.decipher.{text}")]
    return main(["mrr-compare", "--decipher", "--corpus", str(corpus), "-o", str(out), *chosen, *arguments])


@pytest.fixture(scope="module")
def done(corpus: Path) -> Path:
    out = corpus.parent / "out"
    assert decipher(corpus, out, "--set", "mrr-compare.dpi=60", sets=("relation=none",)) == 0
    return out


def test_the_planted_code_is_found_with_its_stop_and_its_deviant_codon(done: Path) -> None:
    summary = json.loads((done / "summary.json").read_text(encoding="utf-8"))
    assert summary["mrr"] == 1.0
    assert summary["wrong"] == []
    assert summary["stops"] == ["TAA"]
    assert 12 in summary["best_codes"]
    assert not any(1 in tables for tables in summary["possible_codes"])
    assert summary["margin"] > 10
    with (done / "codons.tsv").open(encoding="utf-8", newline="") as stream:
        lines = {line["codon"]: line for line in csv.DictReader(stream, delimiter="\t")}
    assert len(lines) == 64
    assert lines["CTG"]["answer"] == "S"
    assert lines["TAG"]["answer"] == "-"
    assert float(lines["CTG"]["support"]) >= 0.9
    assert sum(int(line["count"]) for line in lines.values()) == summary["codons_read"] == 300 * 200


def test_a_shift_of_composition_changes_no_answer_where_all_genes_are_of_one_kind(
    corpus: Path, tmp_path: Path
) -> None:
    sets = ("relation=none", "controls=false", "resample=composition")
    assert decipher(corpus, tmp_path / "out", "--set", "mrr-compare.figures=false", sets=sets) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["resampled"] == "composition"
    assert summary["wrong"] == []
    assert summary["decided_tokens"] > 0.9
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "what another composition would change is not decided" in page


def test_the_folder_is_whole(done: Path) -> None:
    verify_manifest(done, deep=True)
    assert read_manifest(done)["kind"] == "decipherment"
    page = (done / "index.html").read_text(encoding="utf-8")
    assert page.count("<img") == 4
    assert "CUG" not in page.split("<body")[0]
    names = {path.name for path in (done / "figures").iterdir()}
    assert names == {"code-table.png", "codes.png", "controls.png", "support.png"}


def test_same_bytes_again_and_resume_leaves_it(corpus: Path, done: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    dpi = ("--set", "mrr-compare.dpi=60")
    assert decipher(corpus, again, *dpi, sets=("relation=none",)) == 0
    for name in ("codons.tsv", "codes.tsv", "controls.tsv", "summary.json", "index.html"):
        assert (again / name).read_bytes() == (done / name).read_bytes()
    assert decipher(corpus, again, "--resume", *dpi, sets=("relation=none",)) == 0
    assert decipher(corpus, again, "--resume", *dpi, sets=("relation=none", "frame=1")) == 2
    assert decipher(corpus, again, *dpi, sets=("relation=none",)) == 2


def test_another_frame_of_the_same_genes_is_nothing_that_is_decided(corpus: Path, tmp_path: Path) -> None:
    sets = ("relation=none", "frame=1", "controls=false")
    assert decipher(corpus, tmp_path / "out", "--set", "mrr-compare.figures=false", sets=sets) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["decided_tokens"] < 0.1
    assert summary["mrr"] < 0.35


def test_proteins_translated_on_purpose_are_biopython_s_of_the_other_genes(corpus: Path) -> None:
    reader = CorpusReader.open(corpus)
    sources = read_sources(reader, DecipherSettings(translate_with=1), seed=1)
    assert "translated with code 1" in sources.notes[0]
    genes = {
        line for line in (corpus.parent / "genes.fa").read_text(encoding="utf-8").split() if line[0] != ">"
    }
    inside = {str(Seq(gene).translate(table=1))[1:-1]: gene[3:-3] for gene in genes}
    letters = np.array(list(AMINO_LETTERS))
    found = ["".join(letters[piece]) for piece in _pieces(sources.residues.tokens, sources.residues.lengths)]
    assert len(found) == len(sources.genes.lengths) == 150
    assert set(found) <= set(inside)
    read = {DNA.decode(piece) for piece in _pieces(sources.genes.bases, sources.genes.lengths)}
    assert read.isdisjoint({inside[protein] for protein in found})


def test_proteins_of_others_are_named_where_its_own_are_taken(corpus: Path, tmp_path: Path) -> None:
    assert not [note for note in _notes(corpus) if "corpus as well" in note]
    config = write_sources(tmp_path, 40)
    config.write_text(
        "tokenize:\n  policies: {stop_codon: keep, internal_stop: keep}\n  species:\n"
        "    - {name: own, sources: [{kind: cds, path: genes.fa}, {kind: protein, path: proteins.fa}]}\n"
        "    - {name: other, sources: [{kind: protein, path: proteins.fa}]}\n",
        encoding="utf-8",
    )
    assert main(["tokenize", "-q", "-c", str(config), "-o", str(tmp_path / "corpus")]) == 0
    (note,) = (note for note in _notes(tmp_path / "corpus") if "corpus as well" in note)
    assert "those of other are" in note
    assert "mrr-compare.decipher.proteins=other" in note


def _notes(corpus: Path) -> tuple[str, ...]:
    return read_sources(CorpusReader.open(corpus), DecipherSettings(), seed=1).notes


def _pieces(symbols: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    return np.split(symbols, np.cumsum(lengths)[:-1])


def test_what_is_missing_is_named(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], done: Path
) -> None:
    asked = (
        (["mrr-compare", "--decipher", "-o", str(tmp_path / "a")], 2, "no corpus is named"),
        (["mrr-compare", "--decipher", "run", "--corpus", str(corpus)], 2, "reads a corpus, and no run"),
        (["mrr-compare", "--decipher", "--corpus", str(done), "-o", str(tmp_path / "b")], 3, "decipherment"),
    )
    for arguments, code, text in asked:
        assert main(arguments) == code
        assert text in capsys.readouterr().err
    assert decipher(corpus, tmp_path / "c", sets=("codons=nobody",)) == 3
    assert "planted.cds" in capsys.readouterr().err
    assert decipher(corpus, tmp_path / "d", sets=("nearest=9",)) == 2
    assert "farthest 8 is below nearest 9" in capsys.readouterr().err
    assert decipher(corpus, tmp_path / "e", sets=("farthest=24",)) == 2
    assert "background 24 is not beyond farthest 24" in capsys.readouterr().err
    assert decipher(corpus, tmp_path / "f", sets=("relation=none", "background=250")) == 3
    assert "no gene is long enough for pairs 250 to" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_corpus_without_proteins_is_not_asked_for_a_setting(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = (corpus.parent / "config.yaml").read_text(encoding="utf-8")
    (corpus.parent / "genes.yaml").write_text(
        config.replace(", {kind: protein, path: proteins.fa}", ""), encoding="utf-8"
    )
    assert main(["tokenize", "-c", str(corpus.parent / "genes.yaml"), "-o", str(tmp_path / "corpus")]) == 0
    capsys.readouterr()
    assert decipher(tmp_path / "corpus", tmp_path / "out") == 3
    said = capsys.readouterr().err
    assert "holds no records of protein; tokenize genes and proteins" in said
    assert "set mrr-compare" not in said


def test_a_corpus_that_a_code_helped_to_make_is_said_to_be_one(corpus: Path, tmp_path: Path) -> None:
    """The default policies trim stops of the stated code, and drop genes that hold one inside."""
    config = (corpus.parent / "config.yaml").read_text(encoding="utf-8")
    (corpus.parent / "trimmed.yaml").write_text(
        "\n".join(line for line in config.splitlines() if "policies" not in line), encoding="utf-8"
    )
    made = tmp_path / "corpus"
    assert main(["tokenize", "-c", str(corpus.parent / "trimmed.yaml"), "-o", str(made)]) == 0
    out, sets = tmp_path / "out", ("relation=none", "controls=false")
    assert decipher(made, out, "--set", "mrr-compare.figures=false", sets=sets) == 0
    notes = json.loads((out / "summary.json").read_text(encoding="utf-8"))["notes"]
    assert [name for note in notes for name in ("stop_codon", "internal_stop") if name in note] == [
        *("stop_codon", "internal_stop")
    ]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "one was used to make the" in page
    assert "used: not to read the texts" not in page


def test_the_code_of_a_genome_that_nobody_annotated(corpus: Path, tmp_path: Path) -> None:
    """The planted genes on both strands, random bases between them: what is found is code 12 with UAA."""
    rng = np.random.default_rng(9)
    lines = (corpus.parent / "genes.fa").read_text(encoding="utf-8").split()[1::2]
    pieces = []
    for number, gene in enumerate(lines):
        pieces.append(DNA.decode(rng.integers(0, 4, int(rng.integers(60, 160))).astype(np.uint8)))
        pieces.append(str(Seq(gene).reverse_complement()) if number % 2 else gene)
    write_fasta(tmp_path / "genome.fa", ["".join(pieces)])
    (tmp_path / "config.yaml").write_text(
        "tokenize:\n  species:\n"
        "    - {name: bare, code: 12, sources: [{kind: genome, path: genome.fa}]}\n"
        f"    - {{name: other, sources: [{{kind: protein, path: {corpus.parent}/proteins.fa}}]}}\n"
        "  figures: false\n",
        encoding="utf-8",
    )
    made, out = tmp_path / "corpus", tmp_path / "out"
    assert main(["tokenize", "-c", str(tmp_path / "config.yaml"), "-o", str(made)]) == 0
    sets = ("molecule=genome", "controls=false", "chains=8")
    assert decipher(made, out, "--set", "mrr-compare.figures=false", sets=sets) == 0
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["mrr"] > 0.95
    assert summary["stops"] == ["TAA"]
    assert 12 in summary["best_codes"]
    assert summary["answers"][CODONS.index("CTG")] == "S"
    assert summary["genome"]["reading"] == "frame 0"
    coding = summary["genome"]["coding_bases"] / sum(map(len, lines))
    assert 0.9 < coding < 1.05
    with (out / "windows.tsv").open(encoding="utf-8", newline="") as stream:
        windows = list(csv.DictReader(stream, delimiter="\t"))
    assert len(windows) == summary["genome"]["windows"]
    whole, right = "".join(pieces), 0
    for window in windows:
        piece = whole[int(window["start"]) - 1 : int(window["end"])]
        piece = piece if window["strand"] == "+" else str(Seq(piece).reverse_complement())
        assert len(piece) == 3 * int(window["codons"])
        # Where a gene begins is not modelled: a window may reach some codons too far.
        right += any(gene.find(piece[60:]) % 3 == 0 for gene in lines if piece[60:] in gene)
    assert right > 0.9 * len(windows)


def test_genes_are_not_asked_for_where_a_genome_is_read(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert decipher(corpus, tmp_path / "a", sets=("molecule=genome", "frame=1", "relation=disjoint")) == 2
    assert "relation, frame asks for annotated genes" in capsys.readouterr().err
    assert decipher(corpus, tmp_path / "b", sets=("molecule=genome",)) == 3
    assert "holds no records of genome" in capsys.readouterr().err


def test_peptides_take_no_background_off_by_themselves(corpus: Path, done: Path, tmp_path: Path) -> None:
    assert json.loads((done / "summary.json").read_text(encoding="utf-8"))["background"] == 24
    proteins = (corpus.parent / "proteins.fa").read_text(encoding="utf-8").split()[1::2]
    peptides = [text[at : at + 16] for text in proteins for at in range(0, len(text) - 16, 16)]
    write_fasta(tmp_path / "peptides.fa", peptides)
    (tmp_path / "config.yaml").write_text(
        "tokenize:\n  species:\n"
        f"    - {{name: planted, code: 12, sources: [{{kind: cds, path: {corpus.parent}/genes.fa}}]}}\n"
        "    - {name: peptides, sources: [{kind: protein, path: peptides.fa}]}\n"
        "  policies: {stop_codon: keep, internal_stop: keep}\n  figures: false\n",
        encoding="utf-8",
    )
    assert main(["tokenize", "-c", str(tmp_path / "config.yaml"), "-o", str(tmp_path / "corpus")]) == 0
    off = ("--set", "mrr-compare.figures=false")
    assert decipher(tmp_path / "corpus", tmp_path / "out", *off, sets=("controls=false",)) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["background"] is None
    assert "are peptides" in summary["notes"][0]
    assert summary["mrr"] > 0.95


def test_real_genes_against_a_relative_s_proteins(real_data: Path, tmp_path: Path) -> None:
    """S. pyogenes and B. subtilis: another species' proteins were not translated with the genes' code."""
    config = tmp_path / "config.yaml"
    sources = (
        f"{{kind: annotated, path: {real_data}/genomes/spyogenes_m1.gb.gz}}",
        f"{{kind: protein, path: {real_data}/proteins/bsubtilis_168.faa.gz}}",
    )
    config.write_text(
        "tokenize:\n  species:\n"
        f"    - {{name: spyogenes, code: 11, molecules: [cds], sources: [{sources[0]}]}}\n"
        f"    - {{name: bsubtilis, code: 11, sources: [{sources[1]}]}}\n"
        "  policies: {stop_codon: keep, internal_stop: keep}\n  figures: false\n",
        encoding="utf-8",
    )
    assert main(["tokenize", "-c", str(config), "-o", str(tmp_path / "corpus")]) == 0
    sets = ("chains=24", "sweeps=80", "bootstrap=10", "controls=false")
    assert (
        decipher(tmp_path / "corpus", tmp_path / "out", "--set", "mrr-compare.figures=false", sets=sets) == 0
    )
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["mrr"] >= 0.98
    assert summary["wrong_tokens"] <= 0.02
    assert summary["best_codes"] == [1, 11]
    assert sorted(summary["stops"]) == ["TAA", "TAG", "TGA"]
