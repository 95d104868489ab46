"""Labels beside the sequences to predict: what belongs to no sequence is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomecli.inference.beside_labels import BesideLabels
from genomecli.runtime import log
from genomecli.tasks.settings import DataSettings


def test_labels_and_masks_without_a_sequence_are_counted_over_all_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, mask = tmp_path / "labels.fa", tmp_path / "mask.fa"
    labels.write_text("".join(f">{name}\nHHEE\n" for name in "abcdefg"))
    mask.write_text("".join(f">{name}\n1101\n" for name in "abxy"))
    beside = BesideLabels(DataSettings(path=["in.fa"], labels=str(labels), mask=str(mask)))
    said: list[str] = []
    monkeypatch.setattr(log, "warning", lambda form, *more: said.append(form % more))
    beside.see(["a", "b"])
    beside.see(["c"])
    assert said == []
    beside.finish()
    assert said == [
        "4 label strings have no sequence: d, e, f and 1 more.",
        "2 masks have no sequence: x, y.",
        "The mask does not name 1 of 3 records: all of their labels count.",
    ]


def test_features_without_a_sequence_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bed = tmp_path / "x.bed"
    bed.write_text("a\t0\t3\tone\nb\t0\t3\tone\nb\t4\t6\tone\n")
    settings = {"path": str(bed), "classes": {"one": "first"}}
    beside = BesideLabels(DataSettings.model_validate({"path": ["in.fa"], "intervals": settings}))
    said: list[str] = []
    monkeypatch.setattr(log, "warning", lambda form, *more: said.append(form % more))
    beside.see(["a"])
    beside.finish()
    assert said == ["2 features lie on b, which is no sequence."]
