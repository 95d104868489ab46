from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.errors import ConfigError
from genomecli.tasks.targets import Fitted, fit_targets
from tests.unit.tasks.made import random_dna, read, targets, write

RNG = np.random.default_rng(37)
CELLS = {
    "v": ["1.5", "2.5", "3.5", "4.5"],
    "w": ["0.5", "0.25", "1", "2"],
    "y": ["a", "b", "a", "b"],
    "m": ["a;b", "a", "b", ";"],
    "f": ["0", "1", "1", "0"],
    "g": ["1", "1", "0", "0"],
    "s": ["HHHHHEEEEE"] * 4,
}


def fit(folder: Path, **settings: Any) -> Fitted:
    lines = ["sequence\t" + "\t".join(CELLS)]
    lines += [random_dna(RNG, 10) + "\t" + "\t".join(cells[i] for cells in CELLS.values()) for i in range(4)]
    reading = read({"path": write(folder / "t.tsv", "\n".join(lines) + "\n")}, "dna", **settings)
    return fit_targets(reading, targets(**settings), np.arange(4))


@pytest.mark.parametrize(
    ("name", "useless"),
    [
        ("v", {"class_weights": "balanced", "positive": "x", "separator": "|"}),
        ("v", {"kind": "regression", "class_weights": {"a": 2}, "positive": "x", "classes": ["a"]}),
        ("y", {"log": True, "separator": "|"}),
        ("y", {"kind": "multiclass", "log": True}),
        ("m", {"log": True}),
        ("s", {"kind": "token", "log": True, "separator": "|", "pattern": "(H)"}),
    ],
)
def test_they_are_refused_all_at_once(tmp_path: Path, name: str, useless: dict[str, Any]) -> None:
    kind = useless.pop("kind", "auto")
    with pytest.raises(ConfigError) as it:
        fit(tmp_path, **{name: {"kind": kind, **useless}})
    assert len(it.value.problems) == len(useless)
    for key in useless:
        assert f"finetune.targets.{name}.{key}: the labels are" in str(it.value)


def test_columns_that_are_classes_have_no_other_names(tmp_path: Path) -> None:
    both = {"columns": ["f", "g"], "kind": "multilabel"}
    with pytest.raises(
        ConfigError, match="targets.x.classes: the classes are the columns, f, g; leave it out"
    ):
        fit(tmp_path, x={**both, "classes": ["p", "q"]})
    assert fit(tmp_path, x={**both, "classes": ["f", "g"]}).targets["x"].classes == ("f", "g")


def test_what_a_kind_uses_is_kept(tmp_path: Path) -> None:
    found = fit(
        tmp_path,
        v={"log": True, "weight": 2.0, "primary": "r2", "pattern": r"([\d.]+)"},
        y={"classes": ["b", "a"], "positive": "b", "class_weights": "balanced", "pattern": "(.)"},
        m={"classes": ["b", "a"], "class_weights": {"a": 2}},
        s={"kind": "token", "classes": ["H", "E"], "class_weights": "balanced"},
    )
    assert found.targets["v"].log
    assert found.targets["y"].classes == ("a", "b")
    assert found.targets["m"].class_weights == (1.0, 2.0)
    assert found.targets["s"].classes == ("H", "E")
