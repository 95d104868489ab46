import math
from pathlib import Path

import pytest

from genomecli.errors import InputError
from genomecli.training.metrics import MetricsFile, read_metrics


def test_lines_come_back_and_unspeakable_numbers_are_null(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.jsonl")
    metrics.append("train", 1, {"loss": 1.5, "by": {"a": math.inf}, "list": [math.nan, 2]})
    assert read_metrics(metrics.path) == [
        {"kind": "train", "step": 1, "loss": 1.5, "by": {"a": None}, "list": [None, 2]}
    ]


def test_cut_back_drops_later_and_half_written_lines(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.jsonl")
    for step in (10, 20, 30):
        metrics.append("train", step, {"loss": 1.0})
    with open(metrics.path, "a") as handle:
        handle.write('{"kind": "train", "st')
    assert metrics.cut_back(20) == 2
    assert [row["step"] for row in read_metrics(metrics.path)] == [10, 20]
    assert metrics.cut_back(20) == 0
    assert MetricsFile(tmp_path / "none.jsonl").cut_back(3) == 0


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n[]\n')
    with pytest.raises(InputError, match="line 2"):
        read_metrics(path)
    assert read_metrics(tmp_path / "absent") == []
