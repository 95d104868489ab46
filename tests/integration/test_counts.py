"""What came in is what went out and what was left out: each command counts both, and checks it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from genomecli.accounts import balance
from genomecli.cli import main
from genomecli.corpus.tally import Tally
from genomecli.errors import RunError
from genomecli.inference.engine import Engine
from tests.faults.injected import undrawn_here
from tests.faults.runs import Run

Small = tuple[Path, dict[str, Run]]
LONG = "GCTAAATTCGATCGTCTG" * 8
GENES = f">a\nATG{LONG}TAA\n>short\nA\n>b\nATGGAT{LONG}TAA\n>odd\nATG1{LONG}TAA\n>empty\n"
CPU = [word for pair in ("device=cpu", "precision=fp32", "threads=1") for word in ("--set", pair)]


@pytest.fixture
def genes(tmp_path: Path) -> Path:
    path = tmp_path / "genes.fa"
    path.write_text(GENES)
    return path


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def without(run: Run, ending: str) -> list[str]:
    """Its arguments, without the input of that ending."""
    return [word for word in run.arguments if not word.endswith(ending)]


def test_counts_that_do_not_add_up_are_an_error() -> None:
    balance("records", 3, {"kept": 2, "dropped": 1})
    with pytest.raises(RunError, match="do not add up: 3 records in, 2 kept, 0 dropped; please report"):
        balance("records", 3, {"kept": 2, "dropped": 0})


def test_tokenize(genes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = json.dumps([{"name": "s", "code": 11, "sources": [{"kind": "cds", "path": str(genes)}]}])
    words = ["tokenize", "-q", "--set", f"tokenize.species={source}", "--set", "tokenize.figures=false"]
    words += ["--set", "tokenize.policies.foreign=skip"]
    assert main([*words, "-o", str(tmp_path / "corpus")]) == 0
    counts = read(tmp_path / "corpus" / "manifest.json")["counts"]["s.cds"]
    dropped = sum(entry["records"] for entry in counts["dropped"].values())
    assert counts["read"]["records"] == GENES.count(">") == counts["kept"]["records"] + dropped
    assert pq.read_metadata(tmp_path / "corpus" / "records.parquet").num_rows == counts["pieces"]
    monkeypatch.setattr(Tally, "note", lambda *_: None)
    assert main([*words, "-o", str(tmp_path / "again")]) == 1


@pytest.mark.parametrize("relation", ["none", "disjoint", "comparable", "paired"])
def test_pretrain(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relation: str) -> None:
    folder, runs = small
    undrawn_here(monkeypatch)
    out = tmp_path / "run"
    asked = [
        "--set",
        f"pretrain.reading.relation={relation}",
        "--set",
        f"pretrain.reading.min_tokens={10 if relation == 'paired' else 40}",
    ]
    assert main([*runs["pretrain"].argv(out), *asked, "--set", "pretrain.steps=1"]) == 0
    went = read(out / "summary.json")["reading"]["records"]
    table = pq.read_table(folder / "in" / "corpus" / "records.parquet").to_pydict()
    assert sum(went.values()) == len(table["id"])
    groups = read(out / "summary.json")["reading"]["groups"]
    if relation == "none":
        sides = Counter(table["split"])
        short = went["too short, or of pairs that disagree"]
        assert went["for training"] + went["for validation"] + short == sides["train"] + sides["valid"]
        assert went["for training"] == sum(group["records"] for group in groups)
        assert short > 0
    assert ("left out by the relation" in went) == (relation == "disjoint")


def test_finetune(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, runs = small
    undrawn_here(monkeypatch)
    rows = (folder / "in" / "table.tsv").read_text() + "bad\tAC1GT\ta\nempty\t\tb\nbare\tACGTACGT\t\n"
    (tmp_path / "table.tsv").write_text(rows)
    out = tmp_path / "run"
    words = [f"finetune.data.path=[{tmp_path / 'table.tsv'}]", "finetune.data.invalid=drop"]
    argv = [*runs["finetune"].argv(out), *(word for one in words for word in ("--set", one))]
    assert main(argv) == 0
    summary = read(out / "summary.json")
    dropped = sum(summary["dropped"].values())
    sides = summary["split"]["rows"]
    assert summary["rows_read"] == rows.count("\n") - 1 == sum(sides.values()) + dropped
    assert dropped == 3
    predicted = (out / "predictions.tsv").read_text().splitlines()[1:]
    assert len(predicted) == 2 * (sides["valid"] + sides["test"])  # of the network and of its baseline


def test_embed(small: Small, genes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = without(small[1]["embed"], ".fa")
    for level in ("token", "record"):
        out = tmp_path / f"{level}.tsv"
        argv = ["embed", *words, str(genes), "-q", "--set", f"embed.level={level}"]
        argv += ["--set", "embed.molecule=cds"]
        assert main([*argv, "-o", str(out)]) == 0
        counts = read(Path(f"{out}.manifest.json"))["counts"]
        dropped = Path(f"{out}.dropped.tsv").read_text().splitlines()[1:]
        rows = out.read_text().splitlines()[1:]
        ids = {row.split("\t")[0] for row in rows}
        assert counts["records"] == GENES.count(">") == len(ids) + len(dropped)
        assert (counts["rows"], counts["dropped"]) == (len(rows), len(dropped))
    monkeypatch.setattr(Engine, "counts_of", lambda *_: {})
    assert main([*argv, "-o", str(tmp_path / "again.tsv")]) == 1


def test_predict(small: Small, genes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genomecli.commands.predict import Feed

    out = tmp_path / "out.tsv"
    argv = ["predict", *without(small[1]["predict"], ".fa"), str(genes), "-q"]
    assert main([*argv, "-o", str(out)]) == 0
    counts = read(Path(f"{out}.manifest.json"))["counts"]
    dropped = Path(f"{out}.dropped.tsv").read_text().splitlines()[1:]
    assert counts["records"] == GENES.count(">") == len(out.read_text().splitlines()) - 1 + len(dropped)
    monkeypatch.setattr(Feed, "_unread", lambda *_: iter(()))
    assert main([*argv, "-o", str(tmp_path / "again.tsv")]) == 1


def test_score(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from genomecli.commands import score_mutations

    (tmp_path / "wt.fa").write_text(">p\nMAKFDRLTG\n")
    (tmp_path / "m.txt").write_text("A2K\nA2*\nK3D:F4L\n")
    model = small[1]["embed"].arguments[1]
    words = ["--mutations", str(tmp_path / "m.txt"), "--wildtype", str(tmp_path / "wt.fa")]
    argv = ["score", "--model", model, *words, *CPU]
    out = tmp_path / "s.tsv"
    assert main([*argv, "-o", str(out)]) == 0, capsys.readouterr().err
    counts = read(Path(f"{out}.manifest.json"))["counts"]
    reasons = sum(count for name, count in counts.items() if name.startswith("reason"))
    assert counts["in"] == 3 == counts["scored"] + reasons, counts
    assert "3 " in capsys.readouterr().err
    counted = score_mutations.counted
    monkeypatch.setattr(score_mutations, "counted", lambda scores: counted(scores) + Counter({"in": 1}))
    assert main([*argv, "-o", str(tmp_path / "again.tsv")]) == 1


def test_mrr_compare(small: Small, tmp_path: Path) -> None:
    folder, runs = small
    corpus, out = folder / "in" / "corpus", tmp_path / "comparison"
    words = ["figures=false", "splits=[valid]", "baselines.ppmi=false", "baselines.word2vec=false"]
    settings = [word for one in words for word in ("--set", f"mrr-compare.{one}")]
    model = runs["embed"].arguments[1]
    assert main(["mrr-compare", model, "--corpus", str(corpus), "-o", str(out), "-q", *CPU, *settings]) == 0
    table = pq.read_table(corpus / "records.parquet").to_pydict()
    for group, went in next(iter(read(out / "summary.json")["records"].values())).items():
        molecule = group.partition(".")[2]
        sides = Counter(s for s, m in zip(table["split"], table["molecule"], strict=True) if m == molecule)
        assert sum(went.values()) == sum(sides.values())
        assert went["read"] in (sides["valid"], sum(sides.values()))
