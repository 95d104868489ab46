"""Completion in real shells, installed as a user installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IN_BASH = """
source ~/.bashrc
COMP_WORDS=(genomecli {word}) COMP_CWORD={place}
_genomecli_completion genomecli
echo "${{COMPREPLY[@]}}"
"""
IN_ZSH = """
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -i"
zpty -w -n shell $'genomecli emb\\t'
zpty -r -m shell line $'*\\a*'
zpty -w -n shell $'\\t'
zpty -r -m shell line '*ed *'
zpty -w shell $' -h; exit'
while zpty -r shell line; do print -r -- "$line"; done
"""
"""Typer's function for zsh defines itself at the first press of the key, and completes from the second on."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and a ``genomecli`` on the path."""
    program = tmp_path / "bin" / "genomecli"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m genomecli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ZDOTDIR", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path


def shell(name: str, script: str) -> str:
    """What a script says in a shell; the test is skipped where the shell is absent."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    plain = {"bash": ["--norc"], "zsh": ["-f"], "fish": []}[name]
    words = [name, *plain, "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def install(name: str) -> None:
    said = shell(name, "genomecli --install-completion; true")
    assert f"{name} completion installed" in said


def test_bash_completes_commands_and_options(home: Path) -> None:
    install("bash")
    assert shell("bash", IN_BASH.format(word="em", place=1)).split() == ["embed"]
    assert "mrr-compare" in shell("bash", IN_BASH.format(word="''", place=1)).split()
    assert shell("bash", IN_BASH.format(word="embed --mod", place=2)).split() == ["--model"]
    assert set(shell("bash", IN_BASH.format(word="config pre", place=2)).split()) == {"pretrain", "predict"}


def test_fish_completes_commands_and_options(home: Path) -> None:
    install("fish")
    assert shell("fish", 'complete -C "genomecli em"').startswith("embed\t")
    assert shell("fish", 'complete -C "genomecli embed --mod"').startswith("--model")


def test_zsh_completes_commands(home: Path) -> None:
    install("zsh")
    assert "Usage: genomecli embed" in shell("zsh", IN_ZSH)


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_can_be_shown(home: Path, name: str) -> None:
    assert "_GENOMECLI_COMPLETE" in shell(name, "genomecli --show-completion; true")
