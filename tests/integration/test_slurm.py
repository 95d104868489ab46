"""The batch files of scripts/slurm under a real SLURM: stopped, queued again, and the same in the end."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from genomecli.training.checkpoint import load_checkpoint
from tests.integration.slurm_cluster import Cluster, NoClusterError, cluster, left
from tests.integration.test_processes import alone, files, finish, logged, settings, start, until_logged
from tests.integration.test_tokenize import equal
from tests.unit.corpus.made import write_fasta
from tests.unit.training.disk_corpus import write_disk_corpus

ROOT = Path(__file__).resolve().parents[2]
BATCH = ROOT / "scripts" / "slurm"
ENV = {"PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
SMALL = {"mem": "1G", "cpus_per_task": 2}
LONG = {"pretrain__steps": 100, "pretrain__save_every": 0, "pretrain__validate_every": 0}

pytestmark = pytest.mark.slow


def no_cluster(error: NoClusterError) -> None:
    """Skip with the reason; fail where a cluster is asked for, so that nobody takes a skip for a pass."""
    if os.environ.get("REQUIRE_SLURM"):
        pytest.fail(f"REQUIRE_SLURM is set, and no cluster could be started: {error}")
    pytest.skip(str(error))


@pytest.fixture(scope="module")
def slurm() -> Iterator[Cluster]:
    # Paths of sockets are limited to about 100 letters, which pytest's own folders may pass.
    folder = Path(tempfile.mkdtemp(prefix="slurm"))
    try:
        with cluster(folder) as made:
            yield made
    except NoClusterError as error:
        no_cluster(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_disk_corpus(tmp_path_factory.mktemp("data") / "corpus")


def pretrain(slurm: Cluster, name: str, corpus: Path, out: Path, **options: object) -> int:
    words = [BATCH / name, "--corpus", corpus, "-o", out]
    words += [word for override in settings(LONG) for word in ("--set", override)]
    return slurm.submit(words, out.parent, ENV, **SMALL, **options)


def output(out: Path, job: int | str) -> str:
    return (out.parent / f"slurm-{job}.out").read_text()


def check_stopped_once(slurm: Cluster, job: int, out: Path) -> None:
    """The job was stopped by USR1, queued itself again and is done."""
    done = slurm.wait(job, "COMPLETED", "FAILED", "CANCELLED")
    said = output(out, job)
    assert (done["JobState"], done["ExitCode"], done["Restarts"]) == ("COMPLETED", "0:0", "1"), said
    assert "of 100: by USR1; --resume goes on from there" in said
    assert "done: 100 steps" in said


def test_a_job_that_is_asked_to_stop_queues_itself_again(
    slurm: Cluster, corpus: Path, tmp_path: Path
) -> None:
    """Twice asked at once is asked once."""
    out, whole = tmp_path / "run", tmp_path / "whole"
    job = pretrain(slurm, "pretrain.sbatch", corpus, out)
    until_logged(out, 2)
    for _ in range(2):
        slurm.run("scancel", "--signal=USR1", job)  # to the steps, as --signal=USR1@120 does
    slurm.wait(job, "PENDING", "COMPLETED", "FAILED", seconds=20)
    assert "Exited with exit code 75" in output(out, job)
    assert 0 < load_checkpoint(out, prefer="last").progress.step < 100
    alone(corpus, whole, **LONG)
    check_stopped_once(slurm, job, out)
    assert files(out) == files(whole)


def test_several_processes_with_srun_and_with_torchrun(slurm: Cluster, corpus: Path, tmp_path: Path) -> None:
    runs = {name: tmp_path / name / "run" for name in ("nodes", "node")}
    for out in runs.values():
        out.parent.mkdir()
    two = {"nodes": 1, "gpus_per_node": 2}
    by_srun = pretrain(slurm, "pretrain-nodes.sbatch", corpus, runs["nodes"], ntasks_per_node=2, **two)
    by_torchrun = pretrain(slurm, "pretrain-node.sbatch", corpus, runs["node"], **two)
    # To the steps, as --signal=USR1@120 does, and to the script alone, as B:USR1@120 does.
    ask = {"nodes": ["--signal=USR1", by_srun], "node": ["--signal=USR1", "--batch", by_torchrun]}
    while ask:
        for name in list(ask):
            if logged(runs[name]) >= 2:
                slurm.run("scancel", *ask.pop(name))
        time.sleep(0.05)
    whole = tmp_path / "whole"
    codes, said = finish(start(corpus, whole, 2, **LONG))
    assert codes == [0, 0], said
    for name, job in (("nodes", by_srun), ("node", by_torchrun)):
        check_stopped_once(slurm, job, runs[name])
        assert files(runs[name]) == files(whole)


def test_a_cancelled_job_saves_and_stays_cancelled(slurm: Cluster, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    job = pretrain(slurm, "pretrain.sbatch", corpus, out)
    until_logged(out, 2)
    slurm.run("scancel", job)
    assert slurm.wait(job, "CANCELLED", "FAILED", "COMPLETED")["Restarts"] == "0"
    assert "of 100: by TERM" in output(out, job)
    assert 0 < load_checkpoint(out, prefer="last").progress.step < 100


def test_an_array_reads_what_one_job_reads(slurm: Cluster, tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    for number, name in enumerate(names):
        write_fasta(tmp_path / f"{name}.fa", {f"{name}{i}": "ACGTTGCA" * (30 + i + number) for i in range(8)})
    sources = ", ".join(f"{{name: {name}, sources: [{{kind: genome, path: {name}.fa}}]}}" for name in names)
    (tmp_path / "many.yaml").write_text(f"tokenize: {{figures: false, species: [{sources}]}}\n")
    words = ["-c", "many.yaml", "-o"]
    one = slurm.submit(
        ["--wrap", " ".join([sys.executable, "-m", "genomecli", "tokenize", *words, "one"])], tmp_path, ENV
    )
    share = [BATCH / "tokenize-array.sbatch", *words, "corpus"]
    array = slurm.submit(share, tmp_path, ENV, **SMALL, array="1-2")
    after = {"dependency": f"afterok:{array}", "mem": "1G"}
    merged = slurm.submit([BATCH / "tokenize-merge.sbatch", *words, "corpus"], tmp_path, ENV, **after)
    for job in (one, merged):
        done = slurm.wait(job, "COMPLETED", "FAILED", "CANCELLED")
        assert done["JobState"] == "COMPLETED", [path.read_text() for path in tmp_path.glob("*.out")]
    shares = [(tmp_path / f"slurm-{array}_{share}.out").read_text() for share in (1, 2)]
    assert [f"job {share} of 2: sources read: {share}" in said for share, said in enumerate(shares, 1)] == [
        True,
        True,
    ]
    assert equal(tmp_path / "one", tmp_path / "corpus")


def test_nothing_is_left_of_the_cluster(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="slurm"))
    try:
        with cluster(folder) as made:
            job = made.submit(["--wrap", "srun sleep 300"], tmp_path, mem="100M")
            made.wait(job, "RUNNING")
            time.sleep(1)
            assert {process.name() for process in left(made)} >= {
                "slurmctld",
                "slurmd",
                "slurmstepd",
                "sleep",
            }
        assert left(made) == []
    except NoClusterError as error:
        no_cluster(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
