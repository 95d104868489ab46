"""The manual page: everything that the help says, in roff that roff accepts."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from genomecli import errors
from genomecli.cli import app, main
from genomecli.commands import man
from genomecli.errors import GenomecliError, UsageError

GROUP = typer.main.get_command(app)
NAMES = [None, *GROUP.commands]  # type: ignore[attr-defined]


def shown(page: str) -> str:
    """The page as plain text, without macros and marks."""
    lines = [line for line in page.splitlines() if not line.startswith(".")]
    return re.sub(r"\\f[BIR]|\\&", "", "\n".join(lines)).replace("\\-", "-").replace("\\e", "\\")


def test_the_examples_run() -> None:
    assert doctest.testmod(man).failed == 0


def test_every_command_and_option_is_there() -> None:
    text = shown(man.man_page(GROUP))  # type: ignore[arg-type]
    for command in GROUP.commands.values():  # type: ignore[attr-defined]
        assert " ".join(command.help.split()) in text
        for parameter in command.params:
            assert " ".join((parameter.help or "See").split()) in text
            assert all(name in text for name in parameter.opts if name.startswith("-"))


def test_options_of_all_commands_stand_there_once() -> None:
    text = shown(man.man_page(GROUP))  # type: ignore[arg-type]
    assert text.count("--log-file") == 1
    assert shown(man.man_page(GROUP, "embed")).count("--log-file") == 1  # type: ignore[arg-type]


def test_exit_codes_are_those_of_the_errors() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, GenomecliError)}
    assert codes <= set(man.EXIT_CODES)
    assert set(man.EXIT_CODES) - codes == {0, 141}


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
@pytest.mark.parametrize("name", NAMES, ids=str)
def test_groff_has_no_warning(name: str | None) -> None:
    words = ["groff", "-man", "-Tutf8", "-ww", "-z"]
    page = man.man_page(GROUP, name)  # type: ignore[arg-type]
    done = subprocess.run(words, input=page, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man", "score"]) == 0
    path = tmp_path / "genomecli-score.1"
    path.write_text(capsys.readouterr().out)
    done = subprocess.run(["man", "--warnings=w", "-l", path], capture_output=True, text=True, check=False)
    if done.returncode == 127 or "minimized" in done.stdout:
        pytest.skip("man has no pager, or this system is installed without manual pages")
    assert done.stderr == ""
    assert "GENOMECLI-SCORE(1)" in done.stdout


def test_an_unknown_command_is_refused() -> None:
    with pytest.raises(UsageError, match="'scoer' is no command; choose from simulate"):
        man.man_page(GROUP, "scoer")  # type: ignore[arg-type]
