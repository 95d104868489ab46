"""``pretrain`` from a corpus folder to a run folder: resumed, interrupted, repeated, begun from weights."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from genomecli.analysis.runs import open_run
from genomecli.analysis.settings import RunEntry
from genomecli.commands import pretrain
from genomecli.commands.pretrain import run_pretrain
from genomecli.config import load_config
from genomecli.corpus.batch import Batch
from genomecli.errors import CheckpointedError, ConfigError, InputError, UsageError
from genomecli.files import verify_manifest
from genomecli.models.compiling import compile_blocks
from genomecli.training.checkpoint import load_checkpoint, load_model
from genomecli.training.metrics import read_metrics
from genomecli.training.objective_learner import ObjectiveLearner
from genomecli.training.pretraining import Pretraining
from tests.unit.training.disk_corpus import write_disk_corpus
from tests.unit.training.test_loggers import read_tensorboard

SMALL = [
    "device=cpu",
    "precision=fp32",
    "threads=1",
    "pretrain.model.preset=null",
    "pretrain.model.layers=2",
    "pretrain.model.width=32",
    "pretrain.model.heads=2",
    "pretrain.model.context=64",
    "pretrain.model.dropout=0.1",
    "pretrain.reading.context=64",
    "pretrain.reading.tokens_per_batch=512",
    "pretrain.reading.tokens_per_step=1024",
    "pretrain.reading.pool=4",
    "pretrain.steps=12",
    "pretrain.log_every=5",
    "pretrain.validate_every=4",
    "pretrain.save_every=4",
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_disk_corpus(tmp_path_factory.mktemp("data") / "corpus")


def train(corpus: Path, out: Path, *overrides: str, **options: Any) -> dict[str, Any]:
    config = load_config(None, [*SMALL, f"pretrain.corpus={corpus}", *overrides], needs=["pretrain"])
    return run_pretrain(config, out, **options)


@pytest.fixture(scope="module")
def whole(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "run"
    train(corpus, out)
    return out


def manifest_of(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "manifest.json").read_text())["files"])


def stop_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Let time be over after so many steps."""
    plan = Pretraining._plan

    def short(self: Pretraining) -> Any:
        made = plan(self)
        clock = iter([0.0] * (steps - 1))

        class Deadline(float):
            def __le__(self, now: float) -> bool:
                return next(clock, None) is None

        object.__setattr__(made, "deadline", Deadline())
        return made

    monkeypatch.setattr(Pretraining, "_plan", short)


def test_a_run_is_whole_and_says_what_it_found(whole: Path) -> None:
    assert verify_manifest(whole) > 10
    summary = json.loads((whole / "summary.json").read_text())
    assert summary["steps"] == 12
    dna = summary["languages"]["yeast/dna"]
    assert set(dna["yardsticks"]) == {"unigram", "5-gram", "neighbours"}
    assert dna["perplexity"] == pytest.approx(torch.tensor(dna["loss"]).exp().item(), rel=1e-5)
    assert "5-gram" in summary["not_beaten"]["yeast/dna"]
    assert "does not beat" in (whole / "log.txt").read_text()
    assert "index.html" in manifest_of(whole)
    assert "Not beaten: yeast/dna (5-gram" in (whole / "index.html").read_text()
    kinds = [(row["kind"], row["step"]) for row in read_metrics(whole / "metrics.jsonl")]
    assert kinds == [
        ("validation", 4),
        ("train", 5),
        ("validation", 8),
        ("train", 10),
        ("train", 12),
        ("validation", 12),
    ]
    loaded = load_model(whole)
    assert loaded.lexicon.languages == ("yeast/dna", "yeast/protein")


def test_equal_runs_are_equal_bytes(corpus: Path, whole: Path, tmp_path: Path) -> None:
    train(corpus, tmp_path / "again")
    assert manifest_of(tmp_path / "again") == manifest_of(whole)


def test_a_compiled_run_learns_the_same(
    corpus: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Compiled by the backend that runs torch's own kernels, since a compiler of C++ takes minutes."""
    eager = partial(compile_blocks, backend="eager")
    monkeypatch.setattr("genomecli.training.pretraining.compile_blocks", eager)
    with caplog.at_level("WARNING"):
        train(corpus, tmp_path / "run", "pretrain.compile=true")
    assert "each new shape is compiled anew" in caplog.text
    rows = [
        [row["loss"] for row in read_metrics(run / "metrics.jsonl") if row["kind"] == "validation"]
        for run in (whole, tmp_path / "run")
    ]
    assert rows[1] == pytest.approx(rows[0], rel=1e-5)


@pytest.mark.parametrize("steps", [3, 4, 7])
def test_a_stopped_and_resumed_run_is_bit_equal(
    corpus: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    out = tmp_path / "run"
    stop_after(monkeypatch, steps)
    with pytest.raises(CheckpointedError, match=f"step {steps} of 12"):
        train(corpus, out)
    assert not (out / "manifest.json").exists()
    monkeypatch.undo()
    with pytest.raises(UsageError, match="--resume"):
        train(corpus, out)
    train(corpus, out, resume=True)
    left, right = (load_checkpoint(path, prefer="last") for path in (whole, out))
    for name, tensor in [*left.model.items(), *left.optimiser.items()]:
        assert torch.equal(tensor, {**right.model, **right.optimiser}[name]), name
    assert manifest_of(out) == manifest_of(whole)
    parts = json.loads((out / "run.json").read_text())["parts"]
    assert len(parts) == 1


def test_a_run_that_crashed_goes_on_from_its_last_checkpoint(
    corpus: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is saved when it happens, and metrics have been written since the last checkpoint."""
    out = tmp_path / "run"
    learned = ObjectiveLearner.prepare

    def crash(self: ObjectiveLearner, batch: Batch, step: int, index: int) -> Batch:
        if step == 6:
            raise RuntimeError("the power fails")
        return learned(self, batch, step, index)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectiveLearner, "prepare", crash)
        with pytest.raises(RuntimeError, match="power"):
            train(corpus, out)
    assert read_metrics(out / "metrics.jsonl")[-1]["step"] == 5
    assert load_checkpoint(out, prefer="last").progress.step == 4
    train(corpus, out, resume=True)
    assert manifest_of(out) == manifest_of(whole)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 75), ("SIGINT", 130)])
def test_a_signal_saves_and_a_new_process_goes_on_bit_for_bit(
    corpus: Path, tmp_path: Path, name: str, code: int
) -> None:
    more = ["pretrain.steps=100", "pretrain.validate_every=40", "pretrain.save_every=40"]
    whole, out = tmp_path / "whole", tmp_path / "run"
    command = [sys.executable, "-m", "genomecli", "pretrain", "-o", str(out), "--corpus", str(corpus), "-q"]
    command += [word for override in [*SMALL, *more] for word in ("--set", override)]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE)
    metrics = out / "metrics.jsonl"
    for _ in range(600):
        if metrics.exists() and metrics.read_text().count("\n") >= 2:
            break
        time.sleep(0.1)
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors.decode()
    assert 0 < load_checkpoint(out, prefer="last").progress.step < 100
    if name == "SIGINT":
        return
    assert subprocess.run([*command, "--resume"], check=False).returncode == 0
    train(corpus, whole, *more)
    assert manifest_of(out) == manifest_of(whole)


@pytest.mark.slow
def test_a_terminal_that_is_closed_saves_and_asks_to_be_run_again(corpus: Path, tmp_path: Path) -> None:
    """A real one: it has a progress bar, and nothing more can be written there."""
    out = tmp_path / "run"
    command = [sys.executable, "-m", "genomecli", "pretrain", "-o", str(out), "--corpus", str(corpus)]
    command += [word for override in [*SMALL, "pretrain.steps=100000"] for word in ("--set", override)]
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, command, {**os.environ, "OMP_NUM_THREADS": "1"})
    metrics, shown, end = out / "metrics.jsonl", b"", time.monotonic() + 60
    while not metrics.exists() or metrics.read_text().count("\n") < 2:
        assert time.monotonic() < end, shown
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 75
    assert b"\x1b[" in shown
    assert "ended with 75: stopped at step" in (out / "log.txt").read_text().splitlines()[-1]
    assert load_checkpoint(out, prefer="last").progress.step > 0


def test_before_training_a_run_had_the_weights_of_its_own_seed(corpus: Path, tmp_path: Path) -> None:
    """What mrr-compare calls untrained is what training began with, whatever seed the comparison has."""
    config = load_config(
        None, [*SMALL, f"pretrain.corpus={corpus}", "pretrain.steps=1", "seed=3"], needs=["pretrain"]
    )
    run_pretrain(config, tmp_path / "run")
    began = pretrain._job(config, 3, pretrain.open_corpus(str(corpus)), None).new_model().state_dict()
    run = open_run(RunEntry(path=str(tmp_path / "run")), "run", None, "cpu")
    fresh = run.before_training(99).loaded.model.state_dict()
    assert fresh.keys() <= began.keys()
    assert all(torch.equal(fresh[name], began[name]) for name in fresh)
    trained = run.loaded.model.state_dict()
    assert not all(torch.equal(fresh[name], trained[name]) for name in fresh)


def test_a_finished_run_says_so(corpus: Path, whole: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = manifest_of(whole)
    pretrain.log.propagate, level = True, pretrain.log.level
    pretrain.log.setLevel("INFO")
    try:
        summary = train(corpus, whole, resume=True)
    finally:
        pretrain.log.setLevel(level)
    assert summary["steps"] == 12
    assert "is finished" in caplog.text
    assert manifest_of(whole) == before
    with pytest.raises(UsageError, match="finished run"):
        train(corpus, whole)
    with pytest.raises(UsageError, match=r"other inputs or settings: pretrain\.clip: was 1.0 and is now 3"):
        train(corpus, whole, "pretrain.clip=3", resume=True)
    train(corpus, whole, "pretrain.keep=3", resume=True)


def test_a_resumed_run_keeps_its_settings(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    stop_after(monkeypatch, 4)
    with pytest.raises(CheckpointedError):
        train(corpus, out)
    monkeypatch.undo()
    with pytest.raises(ConfigError) as caught:
        train(corpus, out, "pretrain.optimiser.lr=0.5", "pretrain.clip=3", "pretrain.keep=1", resume=True)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "pretrain.clip",
        "pretrain.optimiser.lr",
    ]
    with pytest.raises(ConfigError, match="precision"):
        train(corpus, out, "precision=bf16", resume=True)


def test_another_thread_count_is_said_to_lose_equality(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pretrain.log, "propagate", True)
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_after(patch, 11)
        with pytest.raises(CheckpointedError):
            train(corpus, out)
    train(corpus, out, "threads=2", resume=True)
    assert "not bit for bit" in caplog.text


def test_init_from_begins_a_new_run_with_the_weights(corpus: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    still = ["pretrain.optimiser.lr=1e-12", "pretrain.steps=1", "pretrain.optimiser.weight_decay=0"]
    train(corpus, out, f"pretrain.init_from={whole}", *still)
    old, new = load_checkpoint(whole), load_checkpoint(out)
    assert new.progress.step == 1
    for name, tensor in old.model.items():
        torch.testing.assert_close(new.model[name], tensor, atol=1e-6, rtol=0)
    assert len(json.loads((out / "config.json").read_text())["inputs"]["init_from"]) == 64


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("pretrain.reading.tokens.scope=per_species", "its tokens are"),
        ("pretrain.model.layers=3", "layers 2 not 3"),
    ],
)
def test_weights_that_do_not_fit_are_refused_before_anything_is_written(
    corpus: Path, whole: Path, tmp_path: Path, override: str, words: str
) -> None:
    out = tmp_path / "run"
    with pytest.raises(InputError, match=words):
        train(corpus, out, f"pretrain.init_from={whole}", override)
    assert not out.exists()


def test_replicates_have_a_folder_each_and_one_summary(
    corpus: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, short = tmp_path / "runs", ["pretrain.seeds=2"]
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(CheckpointedError):
            train(corpus, out, *short)
    train(corpus, out, *short, resume=True)
    verify_manifest(out)
    summary = json.loads((out / "summary.json").read_text())
    losses = [summary["runs"][name]["validation"]["loss"] for name in ("seed-0", "seed-1")]
    assert losses[0] != losses[1]
    assert summary["figures"]["validation.loss"]["mean"] == pytest.approx(sum(losses) / 2)
    assert (out / "summary.tsv").read_text().startswith("figure\tmean\tsd\tmin\tmax\tseed-0\tseed-1\n")
    page = (out / "index.html").read_text()
    addresses = re.findall(r'<a href="(seed-[^"]+)"', page)
    assert addresses == ["seed-0/index.html", "seed-1/index.html"]
    assert all((out / address).is_file() for address in addresses)
    best = [summary["runs"][name]["best"]["loss"] for name in ("seed-0", "seed-1")]
    assert f"{sum(best) / 2:.4f} ± {abs(best[0] - best[1]) / 2**0.5:.4f}" in page
    one, same = (load_checkpoint(path).model for path in (whole, out / "seed-0"))
    assert all(torch.equal(one[name], same[name]) for name in one)
    with pytest.raises(InputError, match="seed-0"):
        load_model(out)


def test_copies_for_tensorboard_change_nothing_and_go_on_after_a_stop(
    corpus: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand outside of the manifest, and may be asked for when a run is resumed."""
    pytest.importorskip("tensorboard")
    out = tmp_path / "run"
    with monkeypatch.context() as patched:
        stop_after(patched, 6)
        with pytest.raises(CheckpointedError):
            train(corpus, out, "pretrain.loggers=[tensorboard]")
    train(corpus, out, "pretrain.loggers=[tensorboard]", resume=True)
    files = manifest_of(out)
    assert not any(name.startswith("tensorboard") for name in files)
    same = {
        name for name in manifest_of(whole) if not name.endswith(("config.json", "manifest.json", ".html"))
    }
    assert {name: files[name] for name in same} == {name: manifest_of(whole)[name] for name in same}
    found = read_tensorboard(out / "tensorboard")
    assert [step for step, _ in found["train/loss"]] == [5, 10, 12]
    assert [step for step, _ in found["validation/languages/yeast/dna/perplexity"]] == [4, 8, 12]
    for step, value in found["validation/loss"]:
        rows = [row for row in read_metrics(out / "metrics.jsonl") if row["kind"] == "validation"]
        assert value == pytest.approx(next(row["loss"] for row in rows if row["step"] == step), rel=1e-6)
