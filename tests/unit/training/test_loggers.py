"""Copies of metrics for TensorBoard and W&B, read back by their own libraries."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from genomecli.errors import UsageError
from genomecli.training.loggers import LOGGERS, check_loggers, copied
from genomecli.training.metrics import MetricsFile
from genomecli.training.settings import PretrainSettings

Scalars = dict[str, list[tuple[int, float]]]


def read_tensorboard(folder: Path) -> Scalars:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    return {tag: [(one.step, one.value) for one in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def wandb_records(path: Path) -> Iterator[bytes]:
    """Records of a .wandb file: LevelDB's log, in blocks of 32 KiB, behind a head of seven bytes."""
    data, at, parts = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield parts
            parts = b""


def read_wandb(folder: Path) -> tuple[Scalars, dict[str, object]]:
    from wandb.proto import wandb_internal_pb2

    (path,) = folder.glob("offline-run-*/*.wandb")
    found: Scalars = {}
    config: dict[str, object] = {}
    for data in wandb_records(path):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.HasField("run"):
            told = record.run.config.update
            config |= {"/".join(one.nested_key) or one.key: json.loads(one.value_json) for one in told}
        if not record.HasField("history"):
            continue
        line = {
            "/".join(one.nested_key) or one.key: json.loads(one.value_json) for one in record.history.item
        }
        for name in sorted(line):
            if not name.startswith("_"):
                found.setdefault(name, []).append((int(line["_step"]), line[name]))
    return found, config


READERS = {"tensorboard": read_tensorboard, "wandb": lambda folder: read_wandb(folder)[0]}


@pytest.fixture(params=sorted(LOGGERS))
def name(request: pytest.FixtureRequest) -> str:
    pytest.importorskip(request.param)
    return str(request.param)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"pretrain": {"tokens": 5}}')
    return tmp_path / "run"


def files_of(run: Path) -> tuple[MetricsFile, MetricsFile]:
    return MetricsFile(run / "metrics.jsonl"), MetricsFile(run / "speed.jsonl")


def test_a_copy_holds_every_finite_number(name: str, run: Path) -> None:
    metrics, speeds = files_of(run)
    with copied([name], run, (metrics, speeds)):
        metrics.append("train", 5, {"loss": 3.5, "lr": 0.25, "bad": float("nan"), "word": "x", "flag": True})
        speeds.append("speed", 5, {"tokens_per_second": 100.0})
        metrics.append("validation", 8, {"loss": 3.25, "languages": {"yeast/dna": {"perplexity": 20.5}}})
    assert metrics.listener is None
    assert READERS[name](run / name) == {
        "train/loss": [(5, 3.5)],
        "train/lr": [(5, 0.25)],
        "speed/tokens_per_second": [(5, 100.0)],
        "validation/loss": [(8, 3.25)],
        "validation/languages/yeast/dna/perplexity": [(8, 20.5)],
    }
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["train", "validation"]


def test_a_resumed_run_has_each_step_once(name: str, run: Path) -> None:
    """What came after the last checkpoint is cut from metrics.jsonl, and is not in the new copy."""
    metrics, speeds = files_of(run)
    with pytest.raises(RuntimeError), copied([name], run, (metrics, speeds)):
        for step in (1, 2, 3, 4):
            metrics.append("train", step, {"loss": 10.0 - step})
            speeds.append("speed", step, {"seconds": 0.5})
        raise RuntimeError("stopped")
    metrics.cut_back(2)
    speeds.cut_back(2)
    with copied([name], run, (metrics, speeds)):
        metrics.append("train", 3, {"loss": 1.0})
    assert READERS[name](run / name) == {
        "train/loss": [(1, 9.0), (2, 8.0), (3, 1.0)],
        "speed/seconds": [(1, 0.5), (2, 0.5)],
    }


def test_wandb_is_offline_and_knows_the_settings(run: Path) -> None:
    pytest.importorskip("wandb")
    metrics, speeds = files_of(run)
    with copied(["wandb"], run, (metrics, speeds)):
        metrics.append("train", 1, {"loss": 1.0})
    assert read_wandb(run / "wandb")[1]["pretrain"] == {"tokens": 5}
    assert list((run / "wandb").glob("run-*")) == []  # which it would be called if it were sent


def test_without_loggers_nothing_is_made(run: Path) -> None:
    metrics, speeds = files_of(run)
    with copied([], run, (metrics, speeds)):
        metrics.append("train", 1, {"loss": 1.0})
    assert sorted(path.name for path in run.iterdir()) == ["config.json", "metrics.jsonl"]


@pytest.mark.parametrize("absent", sorted(LOGGERS))
def test_a_missing_library_is_named_with_its_extra(absent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, absent, None)
    with pytest.raises(UsageError) as caught:
        check_loggers([absent])
    assert str(caught.value) == (
        f"loggers {absent} needs {absent}, which is not installed; pip install 'genomecli[{absent}]'"
    )


def test_the_setting_names_those_that_there_are() -> None:
    given = PretrainSettings.model_validate({"corpus": "c", "steps": 1, "loggers": list(LOGGERS)})
    assert list(given.loggers) == list(LOGGERS)
