"""``pretrain`` in two processes: what one would do, and a run that goes on with another number of them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from genomecli.commands.pretrain import run_pretrain
from genomecli.config import load_config
from genomecli.files import verify_manifest
from genomecli.runtime import log
from genomecli.training.checkpoint import load_checkpoint
from genomecli.training.metrics import read_metrics
from tests.unit.training.disk_corpus import write_disk_corpus

SETTINGS = {
    "device": "cpu",
    "precision": "fp32",
    "threads": 1,
    "pretrain.model": "{preset: null, layers: 1, width: 16, heads: 1, context: 64, dropout: 0.1}",
    "pretrain.reading": "{context: 64, tokens_per_batch: 256, tokens_per_step: 1024, pool: 4, frame: all}",
    # Few texts have a frame, so that some process has none of them now and then.
    "pretrain.objectives": "{mlm: {}, cls: {targets: [frame], weight: 0.5}}",
    "pretrain.steps": 8,
    "pretrain.log_every": 3,
    "pretrain.validate_every": 4,
    "pretrain.save_every": 4,
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_disk_corpus(tmp_path_factory.mktemp("data") / "corpus")


def settings(changes: Mapping[str, object]) -> list[str]:
    changed = {name.replace("__", "."): value for name, value in changes.items()}
    return [f"{name}={value}" for name, value in {**SETTINGS, **changed}.items()]


def start(
    corpus: Path, out: Path, processes: int, resume: bool = False, **changes: object
) -> list[subprocess.Popen[str]]:
    """Processes of one run, with the variables that torchrun sets."""
    command = [sys.executable, "-m", "genomecli", "pretrain", "--corpus", str(corpus), "-o", str(out)]
    command += ["--resume"] if resume else []
    command += [word for override in settings(changes) for word in ("--set", override)]
    started = []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for rank in range(processes):
        together = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
        together |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        env = {**os.environ, "OMP_NUM_THREADS": "1", **{name: str(v) for name, v in together.items()}}
        started.append(subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True))
    return started


def finish(started: Sequence[subprocess.Popen[str]]) -> tuple[list[int], list[str]]:
    said = [process.communicate(timeout=120)[1] for process in started]
    return [process.returncode for process in started], said


def alone(corpus: Path, out: Path, resume: bool = False, **changes: object) -> None:
    """The same run in this process."""
    overrides = [f"pretrain.corpus={corpus}", *settings(changes)]
    run_pretrain(load_config(None, overrides, needs=["pretrain"]), out, resume=resume)


@pytest.fixture(scope="module")
def one(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("one") / "run"
    alone(corpus, out)
    return out


def same(one: Path, other: Path, tolerance: float = 1e-5, weights_tolerance: float = 1e-4) -> None:
    """Metrics and weights of two runs agree."""
    left, right = (read_metrics(run / "metrics.jsonl") for run in (one, other))
    assert [(row["kind"], row["step"]) for row in left] == [(row["kind"], row["step"]) for row in right]
    for a, b in zip(left, right, strict=True):
        for name in a.keys() - {"kind", "step", "objectives", "languages"}:
            assert b[name] == pytest.approx(a[name], abs=tolerance, rel=tolerance), name
        for name in a.get("languages", {}):
            assert b["languages"][name] == pytest.approx(a["languages"][name], rel=1e-4)
    weights, others = (load_checkpoint(run, prefer="last").model for run in (one, other))
    for name, value in weights.items():
        assert others[name].numpy() == pytest.approx(value.numpy(), abs=weights_tolerance), name


def test_two_processes_train_as_one_does(corpus: Path, one: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    codes, said = finish(start(corpus, out, 2))
    assert codes == [0, 0], said
    assert "done: 8 steps" in said[0]
    assert said[1] == ""
    verify_manifest(out)
    same(one, out)
    assert json.loads((out / "run.json").read_text())["processes"] == 2
    assert load_checkpoint(out).identity.processes == 2


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_processes(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal to one of two stops both; one goes on alone."""
    monkeypatch.setattr(log, "propagate", True)
    out, whole = tmp_path / "run", tmp_path / "whole"
    long = {"pretrain__steps": 60, "pretrain__save_every": 0, "pretrain__validate_every": 0}
    started = start(corpus, out, 2, **long)
    metrics = out / "metrics.jsonl"
    for _ in range(1200):
        if metrics.exists() and metrics.read_text().count("\n") >= 2:
            break
        time.sleep(0.05)
    started[1].send_signal(signal.SIGTERM)
    codes, said = finish(started)
    assert codes == [75, 75], said
    assert 0 < load_checkpoint(out, prefer="last").progress.step < 60
    alone(corpus, out, resume=True, **long)
    assert "2 processes are now 1" in caplog.text
    alone(corpus, whole, **long)
    same(whole, out, 1e-4)


def test_what_the_first_process_refuses_ends_all(corpus: Path, one: Path) -> None:
    codes, said = finish(start(corpus, one, 2))
    assert codes[0] == 2
    assert "finished run" in said[0]
    assert codes[1] != 0
