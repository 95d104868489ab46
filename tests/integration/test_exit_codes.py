"""Every exit code of every command, and its error as one line of JSON on standard error."""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from genomecli import cli, runtime
from genomecli.cli import main

NOTHING = "/nonexistent/thing"
SPECIES = f"[{{name: x, code: 1, sources: [{{kind: cds, path: {NOTHING}}}]}}]"
BAD_INPUT = {
    "tokenize": ["--set", f"tokenize.species={SPECIES}", "-o", "{out}"],
    "pretrain": ["--corpus", NOTHING, "--set", "pretrain.steps=1", "-o", "{out}"],
    "finetune": ["--model", NOTHING, "--data", NOTHING, "--target", "y", "-o", "{out}"],
    "embed": ["--model", NOTHING, NOTHING],
    "predict": ["--model", NOTHING, NOTHING],
    "score": ["--model", NOTHING, "--scan", NOTHING],
    "mrr-compare": [NOTHING, "--corpus", NOTHING, "-o", "{out}"],
    "export": [NOTHING, "-o", "{out}"],
    "info": [NOTHING],
}
"""By command, what names an input that is not there."""

NO_INPUT: dict[str, list[str]] = {
    "simulate": ["-o", "{out}"],
    "config": [],
    "doctor": [],
    "cite": [],
    "man": [],
}
COMMANDS = {**BAD_INPUT, **NO_INPUT}
RESUMED = ("tokenize", "pretrain", "finetune", "embed", "predict", "score", "mrr-compare")
SETTINGS = (*RESUMED, "export", "simulate")


def argv(name: str, tmp_path: Path) -> list[str]:
    return [name, *(word.replace("{out}", str(tmp_path / "out")) for word in COMMANDS[name])]


def refused(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The error of a command line, which is all that it says but for warnings before it."""
    assert main(words) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    error: dict[str, Any] = json.loads(shown.err.splitlines()[-1])
    assert set(error) == {"error", "what", "where", "fix", "exit_code"}
    assert error["exit_code"] == code
    assert error["what"]
    return error


def test_every_command_is_here() -> None:
    names = {command.name for command in cli.app.registered_commands}
    assert set(COMMANDS) == names


@pytest.mark.parametrize("name", COMMANDS)
def test_0_done(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_1_failed_while_running(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(runtime, "setup_logging", full)
    error = refused([*argv(name, tmp_path), "--json"], 1, capsys)
    assert "the disk is full (No space left on device)" in error["what"]
    assert "{out}" not in COMMANDS[name] or (error["where"] == str(tmp_path / "out") and error["fix"])


@pytest.mark.parametrize("flag", ["--json", "--json-errors"])
@pytest.mark.parametrize("name", COMMANDS)
def test_2_wrong_usage(name: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--nope", flag], [flag, "--nope"]):
        error = refused([name, *words], 2, capsys)
        assert "--nope" in error["what"]


@pytest.mark.parametrize("name", SETTINGS)
def test_2_wrong_settings(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*argv(name, tmp_path), "--json", "--set", f"{name}.nope=1", "--set", "sed=1"]
    error = refused(words, 2, capsys)
    assert error["error"] == "ConfigError"
    assert "nope" in error["what"]
    assert "did you mean 'seed'" in error["what"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", BAD_INPUT)
def test_3_bad_input(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [name, NOTHING, "-o", str(tmp_path / "out")] if name == "tokenize" else argv(name, tmp_path)
    error = refused([*words, "--json"], 3, capsys)
    assert error["error"] == "InputError"
    assert NOTHING in f"{error['where']} {error['what']}"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP])
@pytest.mark.parametrize("name", RESUMED)
def test_75_to_be_run_again(
    name: str,
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "section_of", lambda *_, **__: os.kill(os.getpid(), number))
    error = refused([*argv(name, tmp_path), "--json"], 75, capsys)
    assert "--resume" in error["fix"]


@pytest.mark.parametrize("name", COMMANDS)
def test_130_interrupted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(runtime, "setup_logging", interrupt)
    error = refused([*argv(name, tmp_path), "--json"], 130, capsys)
    assert error["what"] == "interrupted"


def test_without_the_option_an_error_is_a_line_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", NOTHING, "--json"]) == 3
    assert main(["info", NOTHING]) == 3
    assert main(["info", "--nope"]) == 2
    first, *others = capsys.readouterr().err.splitlines()
    assert json.loads(first)["exit_code"] == 3
    assert all(line.startswith("genomecli: ") for line in others)
