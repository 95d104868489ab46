"""``pretrain.shard`` in two processes: what one process would do, and state that any number of them reads."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from genomecli.files import verify_manifest
from genomecli.training.checkpoint import load_checkpoint
from tests.integration.test_processes import alone, finish, same, start, until_logged
from tests.unit.training.disk_corpus import write_disk_corpus

PIECES = ["optimizer-00001-of-00002.safetensors", "optimizer-00002-of-00002.safetensors"]

# Three micro-batches a step: one process has two of them, and the other keeps up with it.
UNEQUAL = {
    "pretrain__reading": "{context: 64, tokens_per_batch: 256, tokens_per_step: 768, pool: 4, frame: all}",
    "pretrain__model": "{preset: null, layers: 2, width: 16, heads: 1, context: 64, dropout: 0.1}",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_disk_corpus(tmp_path_factory.mktemp("data") / "corpus")


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_two_processes_with_shared_blocks_train_as_one_does(
    corpus: Path, tmp_path: Path, optimiser: str
) -> None:
    out, whole = tmp_path / "run", tmp_path / "whole"
    chosen = {**UNEQUAL, "pretrain__optimiser__name": optimiser}
    codes, said = finish(start(corpus, out, 2, pretrain__shard="true", **chosen))
    assert codes == [0, 0], said
    verify_manifest(out)
    alone(corpus, whole, **chosen)
    # Muon's iterations run in bfloat16, whose rounding differs between a matrix and its rows.
    same(whole, out, *((1e-5, 1e-4) if optimiser == "adamw" else (1e-3, 1e-3)))
    last = out / "checkpoints" / "step-0000008"
    assert sorted(path.name for path in last.glob("optimizer*")) == PIECES
    assert not list((out / "checkpoints").glob(".*"))
    shared, single = (load_checkpoint(run, prefer="last").optimiser for run in (out, whole))
    assert set(shared) == set(single)
    for name in single:
        assert shared[name].shape == single[name].shape, name


@pytest.mark.slow
def test_a_shared_run_goes_on_alone_and_a_single_one_shared(corpus: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "run", tmp_path / "whole"
    long = {"pretrain__steps": 60, "pretrain__save_every": 0, "pretrain__validate_every": 0}
    _stop_after(start(corpus, out, 2, pretrain__shard="true", **long), out, 2)
    first = load_checkpoint(out, prefer="last").progress.step
    assert 0 < first < 60
    _stop_after(start(corpus, out, 1, resume=True, **long), out, 6)
    assert first < load_checkpoint(out, prefer="last").progress.step < 60
    codes, said = finish(start(corpus, out, 2, resume=True, pretrain__shard="true", **long))
    assert codes == [0, 0], said
    alone(corpus, whole, **long)
    same(whole, out, 1e-4)


def _stop_after(started: list[subprocess.Popen[str]], out: Path, lines: int) -> None:
    """TERM to the last of the processes, once that many lines of metrics are there."""
    metrics = out / "metrics.jsonl"
    for _ in range(1200):
        if metrics.exists() and metrics.read_text().count("\n") >= lines:
            break
        time.sleep(0.05)
    started[-1].send_signal(signal.SIGTERM)
    codes, said = finish(started)
    assert set(codes) == {75}, said


def test_where_one_process_lacks_memory_both_halve_their_batches_and_train_as_one_would(
    corpus: Path, tmp_path: Path
) -> None:
    out, whole = tmp_path / "run", tmp_path / "whole"
    chosen = {**UNEQUAL, "pretrain__model": UNEQUAL["pretrain__model"].replace("0.1", "0.0")}
    module = "tests.faults.scarce_second"
    codes, said = finish(start(corpus, out, 2, module=module, pretrain__shard="true", **chosen))
    assert codes == [0, 0], said
    assert "out of memory: each micro-batch is computed in 4 pieces from now on" in said[0]
    verify_manifest(out)
    alone(corpus, whole, **chosen)
    same(whole, out)


@pytest.mark.slow
def test_when_one_process_of_a_shared_run_is_killed_the_other_says_so(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    long = {"pretrain__steps": 2000, "pretrain__save_every": 5, "pretrain__validate_every": 0}
    started = start(corpus, out, 2, pretrain__shard="true", **long)
    until_logged(out, 4)
    started[1].kill()
    codes, said = finish(started)
    assert codes == [1, -signal.SIGKILL]
    last = said[0].splitlines()[-1]
    assert last.startswith("genomecli: process 0 of 2 lost another one")
    assert load_checkpoint(out, prefer="last").progress.step % 5 == 0
