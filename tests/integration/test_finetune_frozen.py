"""A linear probe as a user runs it: the body is asked once, and a stopped run ends with the same files."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.analysis import task_report
from genomecli.commands.finetune import run_finetune
from genomecli.config import load_config
from genomecli.corpus.lexicon import build_lexicon
from genomecli.errors import CheckpointedError
from genomecli.inference import remembered
from genomecli.inference.engine import Engine
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.training import finetuning, tuning_states
from genomecli.training.checkpoint import Checkpoint, Identity, save_checkpoint
from genomecli.training.finetuning import Finetuning
from genomecli.training.metrics import read_metrics
from genomecli.training.plan import Progress
from tests.unit.training.task_toys import plant, sequences

N = 80


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of a probe on a small body, and a table of a motif."""
    monkeypatch.setattr(task_report, "_write_figures", lambda *_: [])
    for name in ("draw_curves", "draw_speed"):
        monkeypatch.setattr(finetuning, name, lambda *_: None)
    texts = sequences(N, 20, 60, "frozen")
    rows = [f"{plant(text, 'GATTACA', 5) if i % 2 else text}\t{i % 2}" for i, text in enumerate(texts)]
    (tmp_path / "table.tsv").write_text("\n".join(["sequence\ty", *rows]) + "\n")
    shape = {"preset": None, "layers": 1, "width": 16, "heads": 1, "context": 64, "local_window": 0}
    sizes, lexicon = ModelSettings.model_validate(shape), build_lexicon(["bug"], dna="base")
    model = build_model(sizes, lexicon.vocabulary.size, len(lexicon.languages), seed=5)
    identity = Identity(sizes.model_dump(mode="json"), "corpus", 0, 1, 1, "fp32", "cpu")
    checkpoint = Checkpoint(Progress(1), identity, lexicon, model=model.state_dict())
    save_checkpoint(tmp_path / "body", checkpoint, best=True)
    return [
        *("device=cpu", "precision=fp32", "threads=1", "finetune.tune=frozen", "finetune.epochs=5"),
        *(f"finetune.model={tmp_path / 'body'}", f"finetune.data.path={tmp_path / 'table.tsv'}"),
        *("finetune.targets={y: {}}", "finetune.split.by=random", "finetune.split.valid=0.2"),
        *("finetune.baselines.run=[]", "finetune.metrics.bootstrap=0", "finetune.optimiser.lr=1e-2"),
    ]


def _run(settings: list[str], out: Path, *, resume: bool = False) -> None:
    run_finetune(load_config(None, settings, needs=["finetune"]), out, resume=resume)


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path) as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def test_a_probe_is_the_same_with_and_without_kept_states(
    settings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    pool = Engine.pool

    def counted(self: Engine, items: Any, *more: Any) -> Any:
        asked.append(1)
        return pool(self, items, *more)

    monkeypatch.setattr(Engine, "pool", counted)
    _run(settings, tmp_path / "once")
    assert len(asked) == 1 + 2  # validation while it is tuned; its and the test's predictions at the end
    with monkeypatch.context() as patch:
        patch.setattr(tuning_states, "KEPT_BYTES", 0)
        patch.setattr(remembered.Remembered.__init__, "__defaults__", (0,))
        _run(settings, tmp_path / "each")
    lines = read_metrics(tmp_path / "each" / "metrics.jsonl")
    validations = sum(line["kind"] == "validation" for line in lines)
    assert validations > 2
    assert len(asked) == 3 + validations + 2
    once, each = (_rows(tmp_path / name / "predictions.tsv") for name in ("once", "each"))
    assert [row["id"] for row in once] == [row["id"] for row in each]
    found = [[float(row["y.p.1"]) for row in rows] for rows in (once, each)]
    np.testing.assert_allclose(*found, rtol=1e-4)
    assert np.ptp(found[0]) > 0.01


def test_a_stopped_probe_ends_with_the_same_files(
    settings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(settings, tmp_path / "whole")
    plan = Finetuning._plan
    with monkeypatch.context() as patch:
        patch.setattr(Finetuning, "_plan", lambda self: replace(plan(self), deadline=-1.0))
        with pytest.raises(CheckpointedError):
            _run(settings, tmp_path / "part")
    _run(settings, tmp_path / "part", resume=True)
    one, other = (
        json.loads((tmp_path / name / "manifest.json").read_text())["files"] for name in ("whole", "part")
    )
    assert one == other
