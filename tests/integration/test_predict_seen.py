"""``predict.measure`` on rows that the model was tuned on: it says so, and judges the others alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.integration.test_predict import MOTIF, other_strand, predict, rows_of, said, tune
from tests.unit.training.task_toys import plant, sequences

MEASURE = ["--set", "predict.measure=true", "--set", "predict.metrics.bootstrap=10"]
Rows = list[tuple[str, str]]


def write(path: Path, rows: Rows) -> Path:
    lines = [f"{text}\t{label}" for text, label in rows]
    path.write_text("\n".join(["sequence\ty", *lines]) + "\n")
    return path


def labelled(count: int, key: str) -> Rows:
    texts = sequences(count, 20, 40, key=key)
    return [(plant(t, MOTIF, 3), "yes") if n % 2 else (t, "no") for n, t in enumerate(texts)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A single run and three folds of the same 60 rows."""
    folder = tmp_path_factory.mktemp("runs")
    data = f"finetune.data.path={write(folder / 'table.tsv', labelled(60, 'seen'))}"
    target = "finetune.targets={y: {kind: binary}}"
    tune(folder / "one", data, target)
    tune(folder / "folds", data, target, "finetune.split={by: random, folds: 3}")
    return folder


def parts(run: Path, fold: str = "") -> dict[int, str]:
    """Row of the table to its part."""
    rows = [row for row in rows_of(run / "split.tsv") if row["fold"] == fold]
    return {number: row["part"] for number, row in enumerate(rows)}


def test_rows_of_the_training_are_counted_and_new_ones_judged_alone(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole table again, one row from its other strand, and 10 rows of which nobody heard."""
    old, part = labelled(60, "seen"), parts(runs / "one")
    turned = next(n for n, side in part.items() if side == "train")
    old[turned] = (other_strand(old[turned][0]), old[turned][1])
    given = write(tmp_path / "t.tsv", [*old, *labelled(10, "new")])
    out = tmp_path / "out.tsv"
    assert predict("-m", runs / "one", given, "-o", out, *MEASURE) == 0
    rows = rows_of(out)
    kept = {"train": "train", "valid": "valid", "test": ""}
    assert [row["seen"] for row in rows] == [*(kept[part[n]] for n in range(60)), *[""] * 10]
    counts = {side: list(part.values()).count(side) for side in kept}
    told = said(capsys)
    assert f"of 70 rows the model was trained on {counts['train']}, and {counts['valid']} chose" in told
    new = [row for row in rows if not row["seen"]]
    assert len(new) == counts["test"] + 10
    figures = {(r["rows"], r["metric"]): r for r in rows_of(tmp_path / "out.tsv.metrics.tsv") if not r["of"]}
    for which, chosen in (("all", rows), ("unseen", new)):
        right = np.mean([row["y.predicted"] == row["y.label"] for row in chosen])
        assert float(figures[which, "accuracy"]["value"]) == pytest.approx(right, rel=1e-5)
        assert int(figures[which, "accuracy"]["n"]) == len(chosen)
    met = json.loads((tmp_path / "out.tsv.manifest.json").read_text())["met_before"]
    assert met == {"rows": 70, "train": counts["train"], "valid": counts["valid"], "unseen": len(new)}


def test_of_an_ensemble_any_member_counts(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each row trained or chose some member; one member alone has not seen its own test rows."""
    given = runs / "table.tsv"
    assert predict("-m", runs / "folds", given, "-o", tmp_path / "all.tsv", *MEASURE) == 0
    assert "" not in {row["seen"] for row in rows_of(tmp_path / "all.tsv")}
    assert "no row with a label is new to the model" in said(capsys)
    figures = rows_of(tmp_path / "all.tsv.metrics.tsv")
    assert {row["rows"] for row in figures} == {"all"}
    assert predict("-m", runs / "folds" / "fold-2", given, "-o", tmp_path / "two.tsv", *MEASURE) == 0
    part = parts(runs / "folds", "2")
    seen = [row["seen"] for row in rows_of(tmp_path / "two.tsv")]
    assert [side or "test" for side in seen] == [part[n] for n in range(60)]


def test_of_a_run_without_keys_it_is_not_known(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = tmp_path / "older"
    shutil.copytree(runs / "one", older)
    (older / "seen.safetensors").unlink()
    out = tmp_path / "out.tsv"
    assert predict("-m", older, runs / "table.tsv", "-o", out, *MEASURE) == 0
    assert "is not known: its run kept no keys" in said(capsys)
    assert "seen" not in rows_of(out)[0]
    assert {row["rows"] for row in rows_of(tmp_path / "out.tsv.metrics.tsv")} == {"all"}
    assert json.loads((tmp_path / "out.tsv.manifest.json").read_text())["met_before"] is None


def test_new_rows_alone_have_one_set_of_figures(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.tsv"
    assert (
        predict("-m", runs / "one", write(tmp_path / "t.tsv", labelled(20, "new")), "-o", out, *MEASURE) == 0
    )
    assert "met none of these 20 rows" in said(capsys)
    figures = rows_of(tmp_path / "out.tsv.metrics.tsv")
    every, unseen = (
        [{**r, "rows": ""} for r in figures if r["rows"] == which] for which in ("all", "unseen")
    )
    assert every == unseen


@pytest.mark.parametrize("strand", ["+", "-"])
def test_records_whose_windows_were_trained_on_are_known(runs: Path, tmp_path: Path, strand: str) -> None:
    """Tuned on windows of 25 bases: a whole record counts as met if one of its windows was."""
    data = f"finetune.data={{path: {runs / 'table.tsv'}, window: 25, min_length: 10}}"
    model = tune(tmp_path / "run", data, "finetune.targets={y: {kind: binary}}")
    part: dict[str, set[str]] = {}
    for row in rows_of(model / "split.tsv"):
        part.setdefault(row["id"].rpartition(":")[0], set()).add(row["part"])
    given = write(tmp_path / "t.tsv", [*labelled(60, "seen"), *labelled(10, "new")])
    more = [*MEASURE, "--set", f"predict.strand={strand}"]
    assert predict("-m", model, given, "-o", tmp_path / "out.tsv", *more) == 0
    seen = {row["id"]: row["seen"] for row in rows_of(tmp_path / "out.tsv")}
    expected = {
        name: "train" if "train" in sides else "valid" if "valid" in sides else ""
        for name, sides in part.items()
    }
    assert {name: seen[name] for name in part} == expected
    assert not any(seen[name] for name in list(seen)[60:])


def test_targets_without_labels_are_named_and_the_others_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def table(name: str, classes: bool, sets: bool) -> Path:
        lines = [
            f"{text}\t{label if classes else ''}\t{('a;b', 'b', ';')[n % 3] if sets else ('', 'NA')[n % 2]}"
            for n, (text, label) in enumerate(labelled(30, "two"))
        ]
        (tmp_path / name).write_text("\n".join(["sequence\ty\ts", *lines]) + "\n")
        return tmp_path / name

    data = f"finetune.data.path={table('t.tsv', True, True)}"
    run = tune(tmp_path / "run", data, "finetune.targets={y: {}, s: {kind: multilabel}}", "finetune.epochs=1")
    out = tmp_path / "out.tsv"
    assert predict("-m", run, table("some.tsv", True, False), "-o", out, *MEASURE) == 0
    assert "no label in the inputs, so not measured: 's'" in said(capsys)
    assert {row["target"] for row in rows_of(tmp_path / "out.tsv.metrics.tsv")} == {"y"}
    assert {row["s.a.label"] for row in rows_of(out)} == {""}
    assert (tmp_path / "out.tsv.manifest.json").is_file()
    assert predict("-m", run, table("none.tsv", False, False), "-o", tmp_path / "no.tsv", *MEASURE) == 3
    told = (
        "targets 'y', 's' have no label in the inputs; give labels, name other targets with predict.targets"
    )
    assert told in said(capsys)
