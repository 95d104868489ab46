"""The README stays true: its tree, its command lines and its YAML."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from genomecli.cli import app
from genomecli.config import load_config

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
BREAKS = {"|", "||", "&&", ";", ">", "<"}
ROOMS = ("genomecli", "configs", "scripts")


def blocks(kind: str) -> list[str]:
    return [text for name, text in BLOCKS if name == kind]


def listed() -> list[str]:
    """Files of the tree, as paths: two blanks more are one folder deeper."""
    (tree,) = blocks("text")
    folders: list[str] = []
    files = []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name, _, said = line.strip().partition(" ")
        assert said.strip(), f"{name} stands there without a word"
        del folders[depth:]
        if name.endswith("/"):
            folders.append(name.rstrip("/"))
        else:
            files.append("/".join([*folders, name]))
    return files


def present() -> list[str]:
    return [
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    ]


def command_lines() -> list[list[str]]:
    """Words of every ``genomecli ...`` in a code block, up to the next command of the line."""
    found = []
    for text in blocks("bash"):
        for line in text.replace("\\\n", " ").splitlines():
            splitter = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
            splitter.whitespace_split = True
            words = list(splitter)
            for at in (i for i, word in enumerate(words) if word == "genomecli"):
                rest = words[at + 1 :]
                end = next((i for i, word in enumerate(rest) if word in BREAKS), len(rest))
                found.append(rest[:end])
    return found


def test_the_tree_lists_every_file_once_and_no_other() -> None:
    assert sorted(listed()) == sorted(present())


def test_there_are_command_lines_of_every_command() -> None:
    group = typer.main.get_command(app)
    shown = {words[0] for words in command_lines()}
    named = {name for name in group.commands if f"`{name}`" in README}  # type: ignore[attr-defined]
    assert named == set(group.commands)  # type: ignore[attr-defined]
    assert {"tokenize", "pretrain", "embed", "mrr-compare"} <= shown <= named


def test_the_table_of_extras_lists_each_once() -> None:
    table = README[README.index("| extra |") :].split("\n\n")[0]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(rows) == sorted(project["optional-dependencies"])


@pytest.mark.parametrize("words", command_lines(), ids=" ".join)
def test_command_lines_are_understood(words: list[str]) -> None:
    command = typer.main.get_command(app).commands[words[0]]  # type: ignore[attr-defined]
    with command.make_context(words[0], list(words[1:])) as context:
        overrides = context.params.get("overrides") or []
    assert all("=" in text for text in overrides)
    load_config(None, ["pretrain.corpus=corpus", *_complete(overrides)])


def _complete(overrides: list[str]) -> list[str]:
    """A length of training, which a YAML gives where the line itself does not."""
    return (
        overrides
        if any(text.startswith("pretrain.tokens=") for text in overrides)
        else [
            *overrides,
            "pretrain.steps=1",
        ]
    )


@pytest.mark.parametrize("text", blocks("yaml"))
def test_yaml_is_valid(text: str, tmp_path: Path) -> None:
    path = tmp_path / "readme.yaml"
    path.write_text(text, encoding="utf-8")
    sections = {"tokenize", "pretrain", "finetune", "embed", "mrr-compare"} & set(yaml.safe_load(text))
    config = load_config(path, needs=tuple(sorted(sections)))
    if "pretrain" in sections:
        assert config.pretrain.corpus == str(tmp_path / "my_corpus")
    if "finetune" in sections:
        assert config.finetune.model == str(tmp_path / "run")


def test_an_unknown_option_would_be_noticed() -> None:
    command = typer.main.get_command(app).commands["embed"]  # type: ignore[attr-defined]
    with pytest.raises(Exception, match="--no-such-option"):
        command.make_context("embed", ["--no-such-option"])
