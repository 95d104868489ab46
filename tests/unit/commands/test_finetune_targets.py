"""--target beside YAML and --set: the columns that are named, with what the settings say of them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from genomecli.commands.finetune_targets import choose_targets
from genomecli.config import load_config
from genomecli.errors import ConfigError, UsageError
from genomecli.runtime import log

YAML = """
finetune:
  data: {path: table.tsv}
  targets:
    motif: {kind: binary, positive: "YES", columns: has motif}
    value: {kind: regression, log: true}
    bare:
"""


def targets(names: list[str], source: Path | None, *overrides: str) -> dict[str, Any]:
    given = [] if source else ["finetune.data.path=table.tsv"]
    config = load_config(source, [*given, *overrides], needs=["finetune"], adjust=choose_targets(names))
    return dict(config.finetune.targets)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "x.yaml").write_text(YAML)
    return tmp_path / "x.yaml"


def test_columns_get_names_for_files() -> None:
    found = targets(["label", "has motif"], None)
    assert {name: one.columns for name, one in found.items()} == {"label": (), "has_motif": ("has motif",)}
    with pytest.raises(UsageError, match="two --target columns have one name"):
        choose_targets(["a b", "a_b"])


def test_what_is_set_for_a_named_column_is_kept() -> None:
    """--set used to be thrown away without a word."""
    found = targets(["lab"], None, "finetune.targets.lab.primary=auroc", "finetune.targets.lab.positive=YES")
    assert (found["lab"].primary, found["lab"].positive) == ("auroc", "YES")
    assert targets(["val"], None, "finetune.targets={val: {kind: regression}}")["val"].kind == "regression"
    with pytest.raises(ConfigError, match=r"targets.lab.knd: unknown key; did you mean 'kind'"):
        targets(["lab"], None, "finetune.targets.lab.knd=binary")


def test_a_target_of_the_yaml_keeps_its_settings_by_name_and_by_column(source: Path) -> None:
    found = targets(["value", "motif"], source, "finetune.targets.value.primary=r2")
    assert list(found) == ["value", "motif"]
    assert (found["value"].kind, found["value"].log, found["value"].primary) == ("regression", True, "r2")
    assert found["motif"].columns == ("has motif",)
    by_column = targets(["has motif"], source)
    assert (list(by_column), by_column["motif"].positive) == (["motif"], "YES")
    assert targets(["bare"], source)["bare"].kind == "auto"
    with pytest.raises(UsageError, match="two --target names mean one target"):
        targets(["motif", "has motif"], source)


def test_targets_that_are_not_named_are_left_out_and_said(
    source: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "propagate", True)
    with caplog.at_level(logging.WARNING):
        assert list(targets(["value"], source)) == ["value"]
    assert "not learned, since --target names others: motif, bare" in caplog.text


def test_lists_are_called_lists() -> None:
    with pytest.raises(ConfigError, match=r"predict.columns: should be a list, such as \[a, b\]"):
        load_config(None, ["predict.columns={a: b}"])
