import logging
import socket
from pathlib import Path

import pytest
import torch

from genomecli.errors import CheckpointedError, ConfigError, UsageError
from genomecli.files import read_manifest, write_json, write_manifest
from genomecli.runtime import log
from genomecli.training.run_folder import RunFolder

INFO = {"command": "pretrain"}


def _begin(path: Path) -> None:
    with RunFolder(path) as run:
        run.begin({"seed": 1}, INFO)


def _with_checkpoint(path: Path) -> None:
    _begin(path)
    (path / "checkpoints" / "step-0000001").mkdir(parents=True)
    write_json(path / "checkpoints" / "last.json", {"checkpoint": "step-0000001"})


def test_a_new_run_logs_to_its_folder_and_is_marked_when_finished(tmp_path: Path) -> None:
    log.setLevel(logging.INFO)
    before = list(log.handlers)
    with RunFolder(tmp_path / "run") as run:
        assert run.state == "new"
        run.begin({"seed": 1}, INFO)
        (run.path / "speed.jsonl").write_text("{}\n")
        log.info("a line")
        run.finish({"steps": 3})
    assert "a line" in (tmp_path / "run" / "log.txt").read_text()
    assert list(read_manifest(tmp_path / "run", "run")["files"]) == ["config.json"]
    assert log.handlers == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_unfinished_run_is_kept_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "run"
    _with_checkpoint(path)
    with pytest.raises(UsageError, match="--resume"), RunFolder(path):
        pass
    with RunFolder(path, resume=True) as run:
        assert run.state == "resumed"
    with RunFolder(path, force=True) as run:
        assert run.state == "new"
    assert not (path / "checkpoints").exists()


def test_a_finished_run_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with RunFolder(path) as run:
        run.begin({}, INFO)
        run.finish({})
    with RunFolder(path, resume=True) as run:
        assert run.state == "finished"
    with pytest.raises(UsageError, match="finished run"), RunFolder(path):
        pass


@pytest.mark.parametrize("begun", [True, False])
def test_resuming_without_a_checkpoint_says_so(
    tmp_path: Path, begun: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "propagate", True)
    if begun:
        _begin(tmp_path / "run")
    with RunFolder(tmp_path / "run", resume=True) as run:
        assert run.state == "new"
    assert "starts anew" in caplog.text


@pytest.mark.parametrize("force", [True, False])
def test_what_is_no_run_is_never_removed(tmp_path: Path, force: bool) -> None:
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no run"), RunFolder(other, force=force):
        pass
    (other / "config.json").write_text("{}")
    (other / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="no run"), RunFolder(other, force=force):
        pass
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    write_manifest(corpus, "corpus", {})
    with pytest.raises(UsageError, match="corpus"), RunFolder(corpus, force=force):
        pass
    assert (other / "chapter.txt").exists()


def test_two_processes_do_not_write_one_run(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path / "run"),
        pytest.raises(UsageError, match="another run"),
        RunFolder(tmp_path / "run"),
    ):
        pass


def test_every_changed_setting_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with RunFolder(path) as run:
        run.begin({"seed": 1, "pretrain": {"clip": 1.0, "keep": 2}}, INFO)
        run.check_config(
            {"seed": 1, "pretrain": {"clip": 1.0, "keep": 5}}, frozenset({"pretrain.keep"}), fix="f"
        )
        with pytest.raises(ConfigError) as caught:
            run.check_config({"seed": 2, "pretrain": {"clip": 0.5, "keep": 2}}, frozenset(), fix="do so")
    assert list(caught.value.problems) == [
        "pretrain.clip: was 1.0 and is now 0.5; do so",
        "seed: was 1 and is now 2; do so",
    ]


def test_a_look_tells_what_will_become_of_the_folder_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run"
    assert RunFolder(path).look() == "new"
    assert not path.parent.exists()
    path.parent.mkdir()
    _with_checkpoint(path)
    before = sorted(path.rglob("*"))
    with pytest.raises(UsageError, match="--resume"):
        RunFolder(path).look()
    assert RunFolder(path, resume=True).look() == "resumed"
    assert RunFolder(path, force=True).look() == "new"
    assert sorted(path.rglob("*")) == before
    assert [one.name for one in path.parent.iterdir()] == ["run"]
    with RunFolder(path, resume=True), pytest.raises(UsageError, match="another run"):
        RunFolder(path, resume=True).look()


@pytest.mark.parametrize("name", ["run", "deep/run"])
def test_a_folder_that_takes_no_files(name: str) -> None:
    """Nobody, not even root, makes files in /proc."""
    with pytest.raises(UsageError, match="cannot write there") as caught, RunFolder(Path("/proc") / name):
        pass
    assert caught.value.exit_code == 2


def test_a_run_that_ended_before_its_settings_were_written_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    for name in ("log.txt", "run.json", ".config.json.123.partial.json"):
        (path / name).write_text("")
    with RunFolder(path, resume=True) as folder:
        assert folder.state == "new"
    (path / "mine.txt").write_text("")
    with pytest.raises(UsageError, match="is no run"), RunFolder(path, resume=True):
        pass


def test_a_log_begins_with_the_command_and_ends_with_the_reason(tmp_path: Path) -> None:
    _with_checkpoint(tmp_path / "run")
    with pytest.raises(CheckpointedError), RunFolder(tmp_path / "run", resume=True):
        raise CheckpointedError("stopped at step 3 of 9: by USR1", fix="--resume goes on from there")
    lines = (tmp_path / "run" / "log.txt").read_text().splitlines()
    assert "command: " in lines[0]
    assert socket.gethostname() in lines[1]
    assert f"torch {torch.__version__}" in lines[1]
    assert "settings in config.json: seed 1" in lines[2]
    assert any(line.endswith("ended with 0: finished") for line in lines)
    assert "ERROR ended with 75: stopped at step 3 of 9: by USR1" in lines[-1]
