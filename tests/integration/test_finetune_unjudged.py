"""``finetune.metrics.test: false``: settings are tried without a look at the test rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from genomecli.analysis import task_report
from genomecli.commands.finetune import run_finetune
from genomecli.config import load_config
from genomecli.training import finetuning
from tests.unit.training.task_toys import plant, sequences

SMALL = [
    "device=cpu",
    "precision=fp32",
    "threads=1",
    "finetune.network={preset: null, layers: 1, width: 32, heads: 2, context: 48, local_window: 0}",
    "finetune.epochs=2",
    "finetune.metrics.bootstrap=20",
    "finetune.baselines.run=[majority, composition]",
    "finetune.targets={y: {kind: binary}, v: {kind: regression}}",
]


@pytest.fixture(autouse=True)
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves along training take most of the time of a small run."""
    for name in ("draw_curves", "draw_speed"):
        monkeypatch.setattr(finetuning, name, lambda *_: None)


def table(path: Path, *, shift: int = 0) -> Path:
    """Half for training, a quarter each for validation and test, whose labels ``shift`` makes others."""
    lines = ["sequence\ty\tv\tsplit"]
    for number, text in enumerate(sequences(96, 24, 40, key="unjudged")):
        has = number // 4 % 2
        side = ("train", "train", "valid", "test")[number % 4]
        text = plant(text, "GATTACAGATTACA", 3) if has else text
        off = shift if side == "test" else 0
        lines.append(f"{text}\t{'ny'[(has + off) % 2]}\t{text.count('G') + 7 * off}\t{side}")
    path.write_text("\n".join(lines) + "\n")
    return path


def run(folder: Path, data: Path, *overrides: str) -> dict[str, Any]:
    given = [f"finetune.data.path={json.dumps([str(data)])}", *overrides]
    return run_finetune(load_config(None, [*SMALL, *given], needs=["finetune"]), folder)


def rows(path: Path) -> list[dict[str, str]]:
    with open(path) as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def test_nothing_of_the_test_labels_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other test labels give the same bytes, and what is said of validation rows is what is always said."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    data, other = table(Path("table.tsv")), table(Path("other") / "table.tsv", shift=1)
    blind = run(tmp_path / "blind", data, "finetune.metrics.test=false")
    run(tmp_path / "again", other, "finetune.metrics.test=false")
    figures = sorted(path.relative_to(tmp_path / "blind") for path in (tmp_path / "blind").rglob("*.png"))
    assert any("roc" in path.name or "models" in path.name for path in figures)
    for name in ("metrics.tsv", "predictions.tsv", "report.json", "index.html", *figures):
        first, second = (tmp_path / run_ / name for run_ in ("blind", "again"))
        assert first.read_bytes() == second.read_bytes(), name
    assert {row["part"] for row in rows(tmp_path / "blind" / "predictions.tsv")} == {"valid"}
    assert {row["part"] for row in rows(tmp_path / "blind" / "metrics.tsv")} == {"valid"}

    monkeypatch.setattr(task_report, "_write_figures", lambda *_: [])
    seen = run(tmp_path / "seen", data)
    mine = rows(tmp_path / "blind" / "predictions.tsv")
    assert mine == [row for row in rows(tmp_path / "seen" / "predictions.tsv") if row["part"] == "valid"]
    assert {row["part"] for row in rows(tmp_path / "seen" / "metrics.tsv")} == {"valid", "test"}
    assert (blind["judged"], seen["judged"]) == ("valid", "test")
    for target in ("y", "v"):
        assert set(blind["targets"][target]["primary"]) == {"valid"}
        assert blind["targets"][target]["verdict"].startswith("On validation rows alone: ")
        assert "left unjudged" in blind["targets"][target]["further"][0]
        values = [one["targets"][target]["primary"]["valid"] for one in (blind, seen)]
        assert {k: v["value"] for k, v in values[0].items()} == {k: v["value"] for k, v in values[1].items()}
    page = (tmp_path / "blind" / "index.html").read_text()
    assert "test rows are not looked at" in page
    assert "on the test part" not in page
    assert "unjudged" not in (tmp_path / "seen" / "index.html").read_text()


@pytest.mark.parametrize("several", ["seeds=2", "split={by: random, folds: 2, valid: 0.2}"])
def test_several_trainings_are_compared_on_validation_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, several: str
) -> None:
    monkeypatch.setattr(task_report, "_write_figures", lambda *_: [])
    found = run(
        tmp_path / "run", table(tmp_path / "t.tsv"), "finetune.metrics.test=false", f"finetune.{several}"
    )
    assert {row["part"] for row in rows(tmp_path / "run" / "metrics.tsv")} == {"valid"}
    assert found["targets"]["v"]["difference"]["other"] in ("majority", "composition")
    what = "seeds" if several.startswith("seeds") else "folds"
    assert any(f"over 2 {what}: mean" in said for said in found["targets"]["v"]["further"])
