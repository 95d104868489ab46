"""``mrr-compare`` as a user runs it: a planted code is found, a blind run is not praised, bytes repeat."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from genomecli.cli import main
from genomecli.files import read_manifest, verify_manifest
from tests.unit.analysis.compare_toys import write_run, write_species_corpus

QUICK = [
    "device=cpu",
    "precision=fp32",
    "threads=1",
    "mrr-compare.permutations=39",
    "mrr-compare.draws=40",
    "mrr-compare.bootstrap=50",
    "mrr-compare.gene_bootstrap=4",
    "mrr-compare.gene_buckets=5",
    "mrr-compare.min_codons=100",
    "mrr-compare.min_count=1",
    "mrr-compare.max_tokens=3000",
    "mrr-compare.dpi=60",
    "mrr-compare.baselines.corpus_sizes=[1000]",
    "mrr-compare.baselines.iterations=5",
]


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of two species; a run that holds code 12, its twin of frame 1, and a blind one."""
    folder = tmp_path_factory.mktemp("compare")
    corpus = write_species_corpus(
        folder / "corpus", {"alpha": 12, "beta": 12}, genes=63, note="simulated <i>"
    )
    write_run(folder / "run", ["alpha", "beta"], corpus, code=12, steps=(5, 10), noise=0.1)
    write_run(folder / "twin", ["alpha", "beta"], corpus, code=None, seed=2, frame=1)
    return folder


def compare(toys: Path, out: Path, *arguments: str) -> int:
    sets = [part for text in QUICK for part in ("--set", text)]
    return main(["mrr-compare", *arguments, "-o", str(out), *sets])


@pytest.fixture(scope="module")
def done(toys: Path) -> Path:
    out = toys / "out"
    assert compare(toys, out, str(toys / "run"), str(toys / "twin"), "--set", "mrr-compare.figures=true") == 0
    return out


def test_the_folder_is_whole_and_of_its_kind(done: Path):
    assert read_manifest(done)["kind"] == "comparison"
    assert verify_manifest(done) > 10
    for name in ("measures.tsv", "codes.tsv", "surprises.tsv", "summary.json", "index.html", "run.json"):
        assert (done / name).stat().st_size > 0
    used = json.loads((done / "run.json").read_text())
    assert {"device", "precision", "threads"} <= set(used)
    drawn = {path.name.split(".")[0] for path in (done / "figures").glob("*.png")}
    assert drawn == {"layers", "founding", "training", "heat_map", "map", "codes", "species"}


def test_tsv_and_parquet_hold_the_same_rows(done: Path):
    with open(done / "measures.tsv", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    table = pq.read_table(done / "measures.parquet")
    assert table.num_rows == len(rows) > 500
    assert table.column_names == list(rows[0])
    keys = [name for name in rows[0] if name not in ("value", "low", "high", "chance", "null95", "p", "n")]
    seen = [tuple(row[key] for key in keys) for row in rows]
    assert len(set(seen)) == len(seen), "two rows about the same thing"


def test_a_planted_code_is_found_and_the_blind_twin_is_not_praised(done: Path):
    summary = json.loads((done / "summary.json").read_text())
    heads = {(head["run"], head["species"]): head for head in summary["headlines"]}
    assert heads["run", "alpha"]["aligned"] is True
    assert heads["run", "alpha"]["left_out_amino_acids"]["value"] > 0.8
    assert heads["run", "alpha"]["cosine"]["value"] < 0.4
    assert heads["run", "alpha"]["bound_to_frame"] is True
    assert heads["run", "alpha"]["trained_on_frame"]["1"]["value"] < 0.5
    assert "never on alpha itself" in heads["run", "alpha"]["layer_chosen"]
    assert heads["twin", "alpha"]["left_out_amino_acids"]["value"] < 0.5
    codes = [code for code in summary["genetic_codes"] if (code["run"], code["species"]) == ("run", "alpha")]
    assert codes[0]["best"] == [12]
    assert {"codon": "CTG", "reads": "S"}.items() <= codes[0]["readings"][0].items()


def test_every_kind_of_measure_is_there(done: Path):
    with open(done / "measures.tsv", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    kinds = {row["vectors"] for row in rows}
    assert kinds == {"static", "contextual", "untrained", "ppmi", "word2vec", "frequency", "spelling"}
    directions = {row["direction"] for row in rows}
    assert directions == {
        "codon_to_amino",
        "amino_to_codon",
        "codon_to_synonym",
        "codon_to_same_codon",
        "codon_to_codon_of_same_amino",
        "amino_to_amino",
        "gene_to_protein",
        "protein_to_gene",
    }
    assert {row["frame"] for row in rows} == {"0", "1", "2"}
    assert {row["tokens_seen"] for row in rows} >= {"0", "5000", "10000"}


def test_the_page_is_self_contained_and_escapes_what_it_shows(done: Path):
    html = (done / "index.html").read_text()
    assert "simulated &lt;i&gt;" in html
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", html)
    assert html.count("<script") == 1  # our own
    assert html.count("<img ") == len(list((done / "figures").glob("*.png")))
    assert "both strands" in html  # what is drawn anew where a genome was read
    assert "amino acid → same amino acid" in html
    summary = json.loads((done / "summary.json").read_text())
    for sentence in summary["answers"][0]["sentences"]:
        assert sentence.split(": ", 1)[1].split(";")[0][:40] in html


def test_equal_runs_are_equal_bytes(toys: Path):
    few = ["--set", "mrr-compare.species=[alpha]", "--set", "mrr-compare.frames=[0]"]
    few += ["--set", "mrr-compare.layers=[0, 1]", "--set", "mrr-compare.codes=[1, 4, 12]"]
    for name in ("first", "second"):
        assert compare(toys, toys / name, str(toys / "run"), *few) == 0
    files = read_manifest(toys / "first")["files"]
    assert files == read_manifest(toys / "second")["files"]
    assert (toys / "first" / "manifest.json").read_bytes() == (toys / "second" / "manifest.json").read_bytes()
    assert "run.json" not in files
    assert len([name for name in files if name.startswith("figures/")]) >= 5


def test_a_finished_output_is_kept_without_force(toys: Path, done: Path, capsys: pytest.CaptureFixture[str]):
    assert compare(toys, done, str(toys / "run")) == 2
    assert "--force" in capsys.readouterr().err


def test_table_on_standard_output_is_tsv(toys: Path, capsys: pytest.CaptureFixture[str]):
    few = ["--set", "mrr-compare.figures=false", "--set", "mrr-compare.species=[alpha]", "--table"]
    few += ["--set", "mrr-compare.frames=[0]", "--set", "mrr-compare.baselines.word2vec=false"]
    few += ["--set", "mrr-compare.vectors=[static]", "--set", "mrr-compare.checkpoints=false"]
    out = toys / "static"
    assert compare(toys, out, str(toys / "run"), *few) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("\t")[:3] == ["species", "run", "layer"]
    assert {line.count("\t") for line in lines} == {lines[0].count("\t")}
    assert lines[1].startswith("alpha\trun\tstatic\tleft-out amino acids\t")
    assert not (out / "figures").exists()


def test_what_is_wrong_is_said(toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert compare(toys, tmp_path / "a") == 2
    assert "no run is named" in capsys.readouterr().err
    assert compare(toys, tmp_path / "a", str(tmp_path / "nothing")) == 3
    assert "no such file or folder" in capsys.readouterr().err
    assert compare(toys, tmp_path / "a", str(toys / "run"), "--set", "mrr-compare.species=[gamma]") == 3
    assert "gamma" in capsys.readouterr().err
    broken = tmp_path / "broken"
    shutil.copytree(toys / "run", broken)
    weights = next((broken / "checkpoints").glob("step-*10/model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-4] + b"xxxx")
    assert compare(toys, tmp_path / "a", str(broken)) == 3
    assert "model.safetensors" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_gc3_is_taken_off_and_hidden_codons_are_told_where_it_is_asked_for(toys: Path):
    out = toys / "more"
    asked = ["--set", "mrr-compare.remove=[gc3,frequency]", "--set", "mrr-compare.codon_surprise=true"]
    fewer = ["--set", "mrr-compare.figures=false", "--set", "mrr-compare.checkpoints=false"]
    assert compare(toys, out, str(toys / "run"), *asked, *fewer) == 0
    with open(out / "measures.tsv", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    places = {
        (row["vectors"], row["layer"]) for row in rows if row["vectors"] in ("static", "contextual", "ppmi")
    }
    for scope in ("without_gc3", "without_frequency", "without_gc3_and_frequency"):
        found = [row for row in rows if row["scope"] == scope and row["statistic"] == "mrr"]
        assert {(row["vectors"], row["layer"]) for row in found} >= places
        assert {row["direction"] for row in found} == {"codon_to_synonym", "codon_to_amino"}
    best = [
        float(row["value"]) for row in rows if row["scope"] == "without_gc3" and row["vectors"] == "static"
    ]
    assert max(best) > 0.8
    with open(out / "codon_surprise.tsv", newline="") as handle:
        lines = list(csv.DictReader(handle, delimiter="\t"))
    assert {line["species"] for line in lines} == {"alpha", "beta"}
    # The toys' genes end before their stops.
    assert {line["region"] for line in lines} == {"all", "first", "inside"}
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "GC3 and usage taken off" in page
    assert "what the neighbourhood tells" in page
