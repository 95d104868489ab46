"""``pretrain`` in two processes: what one would do, and a run that goes on with another number of them."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
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
    corpus: Path,
    out: Path,
    processes: int,
    *options: str,
    resume: bool = False,
    module: str = "genomecli",
    **changes: object,
) -> list[subprocess.Popen[str]]:
    """Processes of one run. ``module``: what is run as the program."""
    words = ["pretrain", "--corpus", str(corpus), "-o", str(out), *options]
    words += [word for override in settings(changes) for word in ("--set", override)]
    words += ["--resume"] if resume else []
    return launch(words, processes, module)


def launch(words: Sequence[str], processes: int, module: str = "genomecli") -> list[subprocess.Popen[str]]:
    """Processes of one command line, with the variables that torchrun sets."""
    command = [sys.executable, "-m", module, *words]
    started = []
    port = free_port()
    for rank in range(processes):
        together = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
        together |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        env = {**os.environ, "OMP_NUM_THREADS": "1", **{name: str(v) for name, v in together.items()}}
        started.append(subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True))
    return started


def free_port() -> int:
    """A port to listen on, none of those that the system gives to connections in the meantime."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def finish(started: Sequence[subprocess.Popen[str]]) -> tuple[list[int], list[str]]:
    said = [process.communicate(timeout=120)[1] for process in started]
    return [process.returncode for process in started], said


def logged(out: Path) -> int:
    """How many lines of metrics a run has written."""
    metrics = out / "metrics.jsonl"
    return metrics.read_text().count("\n") if metrics.exists() else 0


def until_logged(out: Path, lines: int) -> None:
    """Wait until a run has written that many lines of metrics."""
    for _ in range(1200):
        if logged(out) >= lines:
            return
        time.sleep(0.05)
    raise AssertionError(f"{out} does not train")


def files(run: Path) -> dict[str, object]:
    """Size and checksum of each file of a finished run."""
    verify_manifest(run)
    return dict(json.loads((run / "manifest.json").read_text())["files"])


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
    until_logged(out, 2)
    started[1].send_signal(signal.SIGTERM)
    codes, said = finish(started)
    assert codes == [75, 75], said
    assert said[0].endswith("of 60: by TERM; --resume goes on from there\n")
    assert said[1] == ""
    assert 0 < load_checkpoint(out, prefer="last").progress.step < 60
    alone(corpus, out, resume=True, **long)
    assert "2 processes are now 1" in caplog.text
    alone(corpus, whole, **long)
    same(whole, out, 1e-4)


def test_what_a_run_would_take_is_said_once(corpus: Path, tmp_path: Path) -> None:
    codes, said = finish(start(corpus, tmp_path / "run", 2, "--dry-run"))
    assert codes == [0, 0], said
    assert "parameters" in said[0]
    assert said[1] == ""


def test_what_the_first_process_refuses_ends_all_and_is_said_once(corpus: Path, one: Path) -> None:
    codes, said = finish(start(corpus, one, 2))
    assert codes == [2, 2]
    assert "finished run" in said[0]
    assert said[1] == ""


LONG = {"pretrain__steps": 40, "pretrain__save_every": 5, "pretrain__validate_every": 0}


@pytest.fixture(scope="module")
def long_pair(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes that nothing disturbed."""
    out = tmp_path_factory.mktemp("pair") / "run"
    codes, said = finish(start(corpus, out, 2, **LONG))
    assert codes == [0, 0], said
    return out


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_when_one_process_is_killed_the_other_says_so_and_both_go_on_bit_for_bit(
    corpus: Path, long_pair: Path, tmp_path: Path, victim: int
) -> None:
    out = tmp_path / "run"
    started = start(corpus, out, 2, **LONG)
    until_logged(out, 3)
    killed = time.monotonic()
    started[victim].kill()
    codes, said = finish(started)
    assert time.monotonic() - killed < 30
    assert (codes[victim], codes[1 - victim]) == (-signal.SIGKILL, 1)
    last = said[1 - victim].splitlines()[-1]
    assert last.startswith(f"genomecli: process {1 - victim} of 2 lost another one")
    assert "--resume" in last
    assert "Traceback" not in said[1 - victim]
    step = load_checkpoint(out, prefer="last").progress.step
    assert 0 < step < 40
    assert step % 5 == 0
    codes, said = finish(start(corpus, out, 2, resume=True, **LONG))
    assert codes == [0, 0], said
    assert files(out) == files(long_pair)


@pytest.mark.slow
def test_torchrun_ends_when_one_process_is_killed_and_goes_on(
    corpus: Path, long_pair: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += ["-m", "genomecli", "pretrain", "--corpus", str(corpus), "-o", str(out), "--resume"]
    command += [word for override in settings(LONG) for word in ("--set", override)]
    torchrun = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE)
    until_logged(out, 3)
    workers = [child for child in psutil.Process(torchrun.pid).children() if "genomecli" in child.cmdline()]
    assert len(workers) == 2
    workers[0].kill()
    said = torchrun.communicate(timeout=60)[1].decode()
    assert torchrun.returncode == 1
    assert "exitcode  : -9" in said
    assert not any(worker.is_running() and worker.status() != "zombie" for worker in workers)
    assert load_checkpoint(out, prefer="last").progress.step % 5 == 0
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False, timeout=120)
    assert done.returncode == 0
    assert files(out) == files(long_pair)
