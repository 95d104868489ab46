"""What ``pretrain`` can be asked for: plans, sizes left open, probes, other objectives, loggers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from genomecli.commands import pretrain
from genomecli.corpus import step_sizes
from genomecli.errors import CheckpointedError, ConfigError, UsageError
from genomecli.training.checkpoint import load_checkpoint, load_model
from genomecli.training.metrics import read_metrics
from tests.integration.test_pretrain import stop_after, train
from tests.unit.training.disk_corpus import write_disk_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_disk_corpus(tmp_path_factory.mktemp("data") / "corpus")


def test_a_dry_run_and_a_suggestion_write_nothing(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert train(corpus, out, dry_run=True) == {}
    train(corpus, out, "pretrain.max_minutes=0.01", suggest=True)
    assert not out.exists()
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert rows[0][0] == "preset"
    assert rows[1][0] == "tiny"
    assert rows[1][5] == "no"


def test_few_steps_are_warned_of(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrain.log, "propagate", True)
    caplog.set_level("INFO", pretrain.log.name)
    for how in ({"dry_run": True}, {"suggest": True}):
        train(corpus, tmp_path / "run", "pretrain.max_minutes=0.01", **how)
        assert "12 steps are few" in caplog.text
        caplog.clear()
    open_sizes = ["pretrain.reading.tokens_per_batch=auto", "pretrain.reading.tokens_per_step=auto"]
    train(corpus, tmp_path / "run", *open_sizes, "pretrain.steps=200", dry_run=True)
    assert "are few" not in caplog.text
    assert "200 steps of 1 micro-batch of 8,192 tokens" in caplog.text


def test_sizes_left_open_are_written_and_kept(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    short = ["pretrain.reading.tokens_per_batch=auto", "pretrain.reading.tokens_per_step=auto"]
    short += ["pretrain.steps=null", "pretrain.tokens=8000"]
    with monkeypatch.context() as patch:
        stop_after(patch, 4)
        with pytest.raises(CheckpointedError):
            train(corpus, out, *short)
    written = json.loads((out / "config.json").read_text())["pretrain"]["reading"]
    assert (written["tokens_per_batch"], written["tokens_per_step"]) == (1024, 1024)
    monkeypatch.setattr(step_sizes, "ANCHOR", (1.0, 4096))  # as if a later version chose otherwise
    summary = train(corpus, out, *short, resume=True)
    assert summary["steps"] == summary["planned_steps"]
    assert load_checkpoint(out, prefer="last").identity.tokens_per_step == 1024


def test_probes_write_their_figures(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    seen = []

    def make(job: Any) -> dict[str, Any]:
        def probe(model: torch.nn.Module, step: int) -> dict[str, float]:
            seen.append((step, model.training))
            return {"mrr": step / 100}

        return {"toy": probe}

    train(corpus, out, "pretrain.probes.mrr_every=5", make_probes=make)
    rows = [row for row in read_metrics(out / "metrics.jsonl") if row["kind"] == "probe"]
    assert [(row["step"], row["toy/mrr"]) for row in rows] == [(5, 0.05), (10, 0.1), (12, 0.12)]
    assert seen == [(5, False), (10, False), (12, False)]


def test_the_mrr_can_be_measured_along_training(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(corpus, out, "pretrain.probes.mrr_every=6", "pretrain.probes.mrr_tokens=2000")
    rows = [row for row in read_metrics(out / "metrics.jsonl") if row["kind"] == "probe"]
    assert [row["step"] for row in rows] == [6, 12]
    assert 0 < rows[-1]["mrr/yeast/layer2/synonym_mrr"] <= 1


def test_pairs_and_classification_are_trained_together(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    paired = ["pretrain.reading.relation=paired", "pretrain.reading.pairs.share=0.5"]
    wanted = ["pretrain.objectives.tlm={}", "pretrain.objectives.cls.targets=[molecule]"]
    summary = train(corpus, out, *paired, *wanted)
    assert set(summary["validation"]["objectives"]) == {"mlm", "tlm", "cls-molecule"}
    assert load_model(out).info["heads"] == ["cls-molecule"]


def test_pairs_are_asked_for_where_tlm_needs_them(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="paired"):
        train(corpus, tmp_path / "run", "pretrain.objectives.tlm={}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_logger_that_is_not_installed_is_named_before_anything_is_written(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=rf"loggers {name} needs {name}.*pip install 'genomecli\[{name}\]'"):
        train(corpus, tmp_path / "run", f"pretrain.loggers=[{name}]")
    assert not (tmp_path / "run").exists()
