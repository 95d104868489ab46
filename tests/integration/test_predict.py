"""``predict`` as a user runs it: equal to what finetune judged, in any order, from any input, resumed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import genomecli.inference.engine as engine_module
from genomecli.analysis import task_report
from genomecli.cli import main
from genomecli.commands import predict as command
from genomecli.commands.finetune import run_finetune
from genomecli.config import load_config
from genomecli.errors import CheckpointedError
from genomecli.inference.ensemble import Ensemble
from genomecli.runtime import rng
from genomecli.training import finetuning
from tests.unit.training.task_toys import plant, sequences

COMMON = ["--set", "device=cpu", "--set", "threads=1"]
SMALL = [
    "device=cpu",
    "precision=fp32",
    "threads=1",
    "finetune.network={preset: null, layers: 1, width: 32, heads: 2, context: 32, local_window: 0}",
    "finetune.epochs=1",
    "finetune.split.by=random",
    "finetune.split.test=0.4",
    "finetune.metrics.bootstrap=0",
    "finetune.baselines.run=[]",
]
MOTIF = "GATTACAGATTACA"


def other_strand(text: str) -> str:
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))


def tune(out: Path, *overrides: str) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task_report, "_write_figures", lambda *_: [])
        for name in ("draw_curves", "draw_speed"):
            patch.setattr(finetuning, name, lambda *_: None)
        run_finetune(load_config(None, [*SMALL, *overrides], needs=["finetune"]), out)
    return out


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 sequences, some longer than the window, with a class, a value, a set and a covariate."""
    path = tmp_path_factory.mktemp("data") / "table.tsv"
    random = rng("predict table")
    lines = ["name\tseq\tmotif\tvalue\tset\tage"]
    for number, text in enumerate(sequences(100, 20, 70, key="predict")):
        has = number % 2
        text = plant(text, MOTIF, int(random.integers(0, len(text) - 14))) if has else text
        value = "" if number % 11 == 0 else f"{20 + 5 * text.count('G') / len(text):.4f}"
        members = ["", "a", "b", "a;b"][number % 4] or ";"
        age = "NA" if number == 7 else f"{random.normal(50, 9):.2f}"
        lines.append(f"g {number}\t{text}\t{'yes' if has else 'no'}\t{value}\t{members}\t{age}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def tuned(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of a model of a class, a value and a set."""
    data = f"finetune.data={{path: {table}, sequence: seq, id: name, covariates: [age]}}"
    targets = (
        "finetune.targets={y: {columns: motif}, v: {columns: value}, s: {columns: set, kind: multilabel}}"
    )
    return tune(tmp_path_factory.mktemp("tuned") / "run", data, targets, "finetune.seeds=2")


def predict(*arguments: object) -> int:
    return main(["predict", *map(str, arguments), *COMMON])


def rows_of(path: Path | bytes) -> list[dict[str, str]]:
    text = path.decode() if isinstance(path, bytes) else path.read_text()
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t"))


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_predictions_are_those_that_finetune_judged(tuned: Path, table: Path, tmp_path: Path) -> None:
    """Bit for bit, every target, from the table alone; Parquet holds the same."""
    for name in ("out.tsv", "out.parquet"):
        assert predict("-m", tuned / "seed-0", table, "-o", tmp_path / name) == 0
    found = {row["id"]: row for row in rows_of(tmp_path / "out.tsv")}
    assert len(found) == 100
    judged = [
        row
        for row in pq.read_table(tuned / "predictions.parquet").to_pylist()
        if (row["trial"], row["part"]) == ("seed 0", "test")
    ]
    assert len(judged) == 40
    numbers = ("y.p.no", "y.p.yes", "v.predicted", "s.p.a", "s.p.b")
    for row in judged:
        mine = found[row["id"]]
        assert [float(mine[name]) for name in numbers] == [row[name] for name in numbers]
        assert mine["y.predicted"] == row["y.predicted"]
    whole = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["id"] for row in whole] == [f"g {number}" for number in range(100)]
    assert all(row[name] == float(found[row["id"]][name]) for row in whole for name in numbers)


def test_a_folder_of_seeds_gives_the_mean_of_its_members(tuned: Path, table: Path, tmp_path: Path) -> None:
    for name, more in (
        ("mean", []),
        ("seed-0", ["--set", "predict.member=seed-0"]),
        ("seed-1", ["--set", "predict.member=seed-1"]),
        ("best", ["--set", "predict.ensemble=best"]),
    ):
        assert predict("-m", tuned, table, "-o", tmp_path / f"{name}.tsv", *more) == 0
    one, two, mean, best = (rows_of(tmp_path / f"{n}.tsv") for n in ("seed-0", "seed-1", "mean", "best"))
    for a, b, both in zip(one, two, mean, strict=True):
        for name in ("y.p.yes", "v.predicted", "s.p.b"):
            assert float(both[name]) == (float(a[name]) + float(b[name])) / 2
    assert best in (one, two)
    assert predict("-m", tuned, table, "--set", "predict.ensemble=error") == 3


def test_neither_batch_nor_order_nor_input_changes_a_prediction(
    tuned: Path,
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = tuned / "seed-0"
    assert predict("-m", model, table, "-o", tmp_path / "a.tsv") == 0
    header, *lines = table.read_text().splitlines()
    order = rng("shuffled").permutation(len(lines))
    shuffled = "\n".join([header, *(lines[i] for i in order)]) + "\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(shuffled.encode()))))
    out = io.BytesIO()
    given = ["device=cpu", "threads=1", f"predict.model={model}", "predict.tokens_per_batch=64"]
    counts = command.run_predict(load_config(None, given), Path("-"), inputs=["-"], stream=out)
    assert counts == {"records": 100, "predicted": 100, "dropped": 0}
    shown = said(capsys)
    assert "100 records in, 100 predicted, 0 dropped" in shown
    assert "1 cell of covariates is not known and counts as the mean" in shown
    whole = (tmp_path / "a.tsv").read_text().splitlines()
    assert out.getvalue().decode().splitlines() == [whole[0], *(whole[1 + i] for i in order)]


def test_resumed_equals_uninterrupted(
    tuned: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a signal all that was computed is written first."""
    monkeypatch.setattr(engine_module, "BUFFER_SECONDS", 0.0)
    monkeypatch.setattr(engine_module, "FIRST_BATCHES", 1)
    given = [f"predict.model={tuned}", "predict.tokens_per_batch=512"]
    config = load_config(None, ["device=cpu", "threads=1", *given])
    whole, part = tmp_path / "whole.tsv", tmp_path / "part.tsv"
    command.run_predict(config, whole, inputs=[str(table)])
    done, inner = command.Feed.done, Ensemble.predict
    seen: list[int] = []
    read: list[str] = []

    def watched(self: Ensemble, given: Any) -> Any:
        return inner(self, (read.append(one.id) or one for one in given))

    monkeypatch.setattr(Ensemble, "predict", watched)

    def stopped(self: command.Feed) -> Any:
        for number, one in enumerate(done(self)):
            seen.append(one.record)
            yield one
            if number == 36:
                os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(command.Feed, "done", stopped)
        with pytest.raises(CheckpointedError, match="resume"):
            command.run_predict(config, part, inputs=[str(table)])
    assert not part.exists()
    assert 37 < len(seen) < 100
    assert len(read) <= len(seen) + 1  # of one maybe a window, not all
    read.clear()
    counts = command.run_predict(config, part, inputs=[str(table)], resume=True)
    assert counts == {"records": 100, "predicted": 100, "dropped": 0}
    assert len(read) == 100 - len(seen)
    assert part.read_bytes() == whole.read_bytes()
    ends = [json.loads(Path(f"{path}.manifest.json").read_text()) for path in (whole, part)]
    assert ends[0]["request"] == ends[1]["request"]
    assert command.run_predict(config, part, inputs=[str(table)], resume=True) == {}
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith("part")} == {
        "part.tsv",
        "part.tsv.manifest.json",
        "part.tsv.run.json",
    }


def test_a_signal_at_a_dropped_record_waits_for_the_next_one(
    tuned: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is computed already."""
    monkeypatch.setattr(engine_module, "BUFFER_SECONDS", 0.0)
    monkeypatch.setattr(engine_module, "FIRST_BATCHES", 1)
    head, first, *others = table.read_text().splitlines()
    cells = first.split("\t")
    path = tmp_path / "in.tsv"
    path.write_text("\n".join([head, "\t".join([cells[0], "", *cells[2:]]), *others]) + "\n")
    given = [f"predict.model={tuned}/seed-0", "predict.tokens_per_batch=16"]
    config = load_config(None, ["device=cpu", "threads=1", *given])
    out, done = tmp_path / "out.tsv", command.Feed.done

    def stopped(self: command.Feed) -> Any:
        for number, one in enumerate(done(self)):
            if number == 0:
                assert one.dropped is not None
                os.kill(os.getpid(), signal.SIGTERM)
            yield one

    with monkeypatch.context() as patch:
        patch.setattr(command.Feed, "done", stopped)
        with pytest.raises(CheckpointedError, match="2 records are done"):
            command.run_predict(config, out, inputs=[str(path)])
    assert command.run_predict(config, out, inputs=[str(path)], resume=True) == {
        "records": 100,
        "predicted": 99,
        "dropped": 1,
    }


def test_what_is_dropped_is_named_and_counted(
    tuned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.tsv"
    good = "ACGTTGCATTGACCATGAACCTTGGA"
    lines = [f"a\t{good}\t1", "b\t\t1", f"c\t{good}7\t1", "d\tNNNNNN\t1", f"e\t{good}\told", f"a\t{good}\t"]
    path.write_text("name\tseq\tage\n" + "\n".join(lines) + "\n")
    assert predict("-m", tuned / "seed-0", path, "-o", tmp_path / "out.tsv") == 0
    assert "6 records in, 2 predicted, 4 dropped" in said(capsys)
    assert [row["id"] for row in rows_of(tmp_path / "out.tsv")] == ["a", "a"]
    dropped = rows_of(tmp_path / "out.tsv.dropped.tsv")
    assert [row["id"] for row in dropped] == ["b", "c", "d", "e"]
    assert "empty" in dropped[0]["reason"]
    assert "'7' at 27" in dropped[1]["reason"]
    assert predict("-m", tuned / "seed-0", path, "--set", "predict.invalid=error") == 3
    message = said(capsys)
    assert "odd.tsv, line 3; has an empty sequence" in message
    assert "set predict.invalid to drop" in message
    path.write_text("name\tseq\tage\nb\t\t1\n")
    assert predict("-m", tuned / "seed-0", path, "-o", tmp_path / "none.tsv") == 3
    assert not (tmp_path / "none.tsv").exists()


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("name\tsequence\tage\na\tACGT\t1\n", 3, "no column 'seq'"),
        ("name\tseq\na\tACGTACGT\n", 3, "no column 'age'"),
        (">a\nACGTACGATAGACAAT\n", 3, "no covariate 'age', which the model wants"),
        ("name\tseq\tage\na\tMKVLWAALLVTFLAGCQAKVEQAVETEPEPELRQQ\t1\n", 3, "protein"),
    ],
)
def test_wrong_inputs_are_one_clear_line(
    tuned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: int, message: str
) -> None:
    path = tmp_path / "in.txt"
    path.write_text(text)
    assert predict("-m", tuned / "seed-0", path, "-q") == code
    shown = said(capsys)
    assert message in shown
    assert shown.count("\n") == 1


def test_wrong_uses(tuned: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tuned / "seed-0"
    untuned = tmp_path / "untuned"
    shutil.copytree(next((model / "checkpoints").glob("step-*")), untuned)
    (untuned / "tasks.json").unlink()
    assert predict("-m", untuned, table, "-q") == 3
    assert "tasks.json; is missing" in said(capsys)
    manifest = json.loads((untuned / "manifest.json").read_bytes())
    del manifest["files"]["tasks.json"]
    (untuned / "manifest.json").write_text(json.dumps(manifest))
    for arguments, code, message in (
        (["-m", untuned, table], 3, "is a pretrained checkpoint, which predicts nothing yet; run finetune"),
        ([table], 2, "no model is given"),
        (["-m", model], 2, "no input"),
        (["-m", model, table, "-o", tmp_path / "x.bed"], 2, "predicts whole sequences"),
        (["-m", model, table, "-o", tmp_path / "x.csv"], 2, "ending of no known format"),
        (["-m", model, table, "--set", "predict.targets=z"], 2, "does not predict 'z'"),
        (["-m", tmp_path, table], 3, "holds no checkpoint"),
    ):
        assert predict(*arguments, "-q") == code
        assert message in said(capsys)


def test_labels_in_the_table_are_measured(tuned: Path, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tsv"
    more = ["--set", "predict.measure=true", "--set", "predict.metrics.bootstrap=20"]
    assert predict("-m", tuned / "seed-0", table, "-o", out, *more) == 0
    rows = rows_of(out)
    figures = {
        (row["target"], row["metric"]): float(row["value"])
        for row in rows_of(tmp_path / "out.tsv.metrics.tsv")
        if row["rows"] == "all" and not row["of"] and row["value"]
    }
    right = np.mean([row["y.predicted"] == row["y.label"] for row in rows])
    assert figures["y", "accuracy"] == pytest.approx(right, rel=1e-5)
    known = [row for row in rows if row["v.label"]]
    errors = [float(row["v.label"]) - float(row["v.predicted"]) for row in known]
    assert figures["v", "rmse"] == pytest.approx(float(np.sqrt(np.mean(np.square(errors)))), rel=1e-5)
    assert len(known) == 90
    assert ("s", "macro_f1") in figures
