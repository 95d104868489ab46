"""The example pipelines under real make and Snakemake: to the end, and stopped twice on the way there."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from genomecli.files import verify_manifest
from tests.integration.test_processes import logged

PIPELINES = Path(__file__).resolve().parents[2] / "scripts" / "pipelines"
ENV = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PIPELINES.parents[1])}
SMALL = """
threads: 1
precision: fp32
pretrain:
  corpus: corpus
  model: {preset: null, layers: 1, width: 16, heads: 1, context: 64}
  reading: {context: 64, tokens_per_batch: 256, tokens_per_step: 256, validation_tokens: 300}
  steps: 100
  save_every: 20
  log_every: 5
mrr-compare:
  {permutations: 19, draws: 20, bootstrap: 20, gene_bootstrap: 2, max_tokens: 1000, min_codons: 100,
  similarities: [cosine, procrustes], untrained: false, frames: [0], checkpoints: false, splits: [train],
  baselines: {corpus_sizes: [1000], iterations: 5}}
"""

pytestmark = pytest.mark.slow


def with_make(folder: Path) -> list[str]:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    given = {"OUT": "out", "CONFIG": folder / "small.yaml", "PYTHON": sys.executable, "GENES": 12}
    return [
        "make",
        "-f",
        str(PIPELINES / "Makefile"),
        "-j2",
        *(f"{key}={value}" for key, value in given.items()),
    ]


def with_snakemake(folder: Path) -> list[str]:
    if importlib.util.find_spec("snakemake") is None:
        pytest.skip("snakemake is not installed")
    given = {"out": "out", "settings": folder / "small.yaml", "python": sys.executable, "genes": 12}
    command = [sys.executable, "-m", "snakemake", "-s", str(PIPELINES / "Snakefile"), "--cores=2"]
    return [*command, "--rerun-incomplete", "--config", *(f"{key}={value}" for key, value in given.items())]


def begin(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    (folder / "small.yaml").write_text(SMALL)
    with (folder / "said.txt").open("ab") as said:
        return subprocess.Popen(
            command, cwd=folder, env=ENV, stdout=said, stderr=said, start_new_session=True, bufsize=0
        )


def end(process: subprocess.Popen[bytes], folder: Path) -> None:
    assert process.wait(240) == 0, (folder / "said.txt").read_text()[-2000:]


def stop(process: subprocess.Popen[bytes], how: Callable[[], None]) -> None:
    """Nothing of the pipeline runs on after it has been stopped."""
    children = psutil.Process(process.pid).children(recursive=True)
    how()
    assert process.wait(60) != 0
    _, left = psutil.wait_procs([child for child in children if child.is_running()], timeout=10)
    assert not [child for child in left if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def until(folder: Path, done: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 120
    while not done():
        assert process.poll() is None, (folder / "said.txt").read_text()[-2000:]
        assert time.monotonic() < limit
        time.sleep(0.02)


def sums(out: Path) -> dict[str, object]:
    """What each finished folder holds. Folders other than those of runs are whole or absent."""
    found: dict[str, object] = {}
    for folder in [*out.glob("corpora/*/"), *out.glob("runs/*/"), *out.glob("comparison/")]:
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        if folder.parent.name == "runs" and not (folder / "manifest.json").exists():
            continue
        verify_manifest(folder)
        found[str(folder.relative_to(out))] = json.loads((folder / "manifest.json").read_text())["files"]
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the pipeline of make gives where nothing disturbs it."""
    folder = tmp_path_factory.mktemp("whole")
    command = with_make(folder)
    end(begin(command, folder), folder)
    found = sums(folder / "out")
    species = ("ctg_yeast", "standard_yeast")
    assert found.keys() == {
        "comparison",
        *(f"{room}/{name}" for room in ("corpora", "runs") for name in species),
    }
    again = subprocess.run(command, cwd=folder, env=ENV, capture_output=True, text=True, check=True)
    assert "Nothing to be done" in again.stdout
    return found


@pytest.mark.parametrize("pipeline", [with_make, with_snakemake])
def test_a_pipeline_that_was_stopped_ends_as_if_it_had_not_been(
    pipeline: Callable[[Path], list[str]], whole: dict[str, object], tmp_path: Path
) -> None:
    command, out = pipeline(tmp_path), tmp_path / "out"
    process = begin(command, tmp_path)
    until(tmp_path, lambda: any(logged(run) >= 3 for run in out.glob("runs/*/")), process)
    stop(process, process.terminate)
    found = sums(out)
    assert "comparison" not in found
    assert found.items() <= whole.items()

    process = begin(command, tmp_path)
    until(tmp_path, lambda: (out / ".comparison.parts").exists(), process)
    stop(process, lambda: os.killpg(process.pid, signal.SIGINT))
    assert sums(out).items() <= whole.items()

    end(begin(command, tmp_path), tmp_path)
    assert sums(out) == whole


def test_new_inputs_are_read_anew(whole: dict[str, object], tmp_path: Path) -> None:
    """make begins a finished corpus again whose inputs have changed, and what hangs on it."""
    command = [*with_make(tmp_path), "SPECIES=ctg_yeast", "out/corpora/ctg_yeast/manifest.json"]
    end(begin(command, tmp_path), tmp_path)
    made = tmp_path / "out" / "made" / "ctg_yeast.cds.fa"
    made.write_text(made.read_text().replace(">", ">new_"))
    end(begin(command, tmp_path), tmp_path)
    changed = sums(tmp_path / "out")
    assert changed.keys() == {"corpora/ctg_yeast"}
    assert changed["corpora/ctg_yeast"] != whole["corpora/ctg_yeast"]
