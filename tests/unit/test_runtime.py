from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from genomecli.errors import UsageError
from genomecli.runtime import (
    is_quiet,
    log,
    pick_device,
    pick_precision,
    rng,
    run_info,
    seed_of,
    setup_logging,
    thread_count,
)


def test_random_numbers_are_a_function_of_their_keys() -> None:
    assert rng(1, "a").integers(0, 1 << 30, 4).tolist() == [324854436, 899649608, 566347122, 781541979]
    assert rng(1, "a").random() != rng("1", "a").random()
    assert np.array_equal(rng(1, 2).random(5), rng(1, 2).random(5))
    assert seed_of(0, "x") != seed_of(0, "y")


@pytest.mark.parametrize("name", ["SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"])
def test_threads_follow_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    assert thread_count("auto") == 1
    assert thread_count(7) == 7


def test_devices_and_precisions() -> None:
    assert pick_device("cpu").type == "cpu"
    assert pick_precision("fp16", pick_device("cpu")) == "fp16"
    with pytest.raises(UsageError, match="not known"):
        pick_device("abacus")
    with pytest.raises(UsageError, match="not on this machine"):
        pick_device("cuda:63")


def test_run_info_says_what_may_differ() -> None:
    info = run_info("tokenize", ["genomecli", "tokenize"], seconds=1.5)
    assert info["argv"] == ["genomecli", "tokenize"]
    assert info["seconds"] == 1.5
    assert {"host", "started", "versions"} <= info.keys()


def test_quiet_is_for_the_console_and_not_for_log_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup_logging(-1, tmp_path / "log.txt")
    log.info("read 3 records")
    log.warning("one was empty")
    assert is_quiet()
    assert capsys.readouterr().err == "one was empty\n"
    assert "read 3 records" in (tmp_path / "log.txt").read_text()
    setup_logging(0)
    assert not is_quiet()


@pytest.mark.parametrize(
    ("given", "found"),
    [({}, "5000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, None)],
)
def test_threads_spin_briefly_unless_told_otherwise(given: dict[str, str], found: str | None) -> None:
    plain = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    code = (
        "import genomecli.runtime, os, sys; print(os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], env={**plain, **given}, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [str(found), "False"]


def test_kernels_are_kept_for_few_shapes_unless_told_otherwise() -> None:
    """Else memory grows with the shapes of batches: see scripts/bench/predict_memory.py."""
    names = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
    plain = {key: value for key, value in os.environ.items() if key not in names}
    code = f"import genomecli.runtime, os; print(*(os.environ[name] for name in {names}))"
    for given, found in (({}, "64 64"), ({names[1]: "9"}, "64 9")):
        command = [sys.executable, "-c", code]
        said = subprocess.run(command, env={**plain, **given}, capture_output=True, text=True, check=True)
        assert said.stdout.strip() == found


def test_a_log_that_cannot_be_written_is_said_once_and_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    setup_logging(0, Path("/dev/full"))
    try:
        log.info("one")
        log.info("two")
    finally:
        setup_logging()
    lines = capsys.readouterr().err.splitlines()
    assert sorted(lines) == [
        "/dev/full cannot be written (No space left on device): it lacks lines",
        "one",
        "two",
    ]
