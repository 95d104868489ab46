"""Errors: one line that a terminal may get, and foreign errors turned into ours."""

from __future__ import annotations

import pytest

from genomecli.cli_frame import Shown, fail, foreign
from genomecli.errors import ConfigError, InputError, UsageError, one_line, refusing


def test_an_error_is_one_line_whatever_it_quotes() -> None:
    said = str(InputError("holds \x1b[2J and\r\n\u202etxt", where="a\tb\0", fix="mend\nit"))
    assert said == r"a b\x00; holds \x1b[2J and  \u202etxt; mend it"
    assert said.isprintable()
    assert one_line("naïve, чисто, 🧬") == "naïve, чисто, 🧬"
    assert one_line("lone \udcff") == r"lone \udcff"


def test_a_word_without_end_is_cut_and_many_problems_are_not() -> None:
    assert str(InputError("x" * 5000)) == "x" * 100 + "... (5000 characters)"
    problems = [f"pretrain.key{i}: is required" for i in range(200)]
    assert all(problem in str(ConfigError(problems)) for problem in problems)


@pytest.fixture
def plainly() -> None:
    """Errors are shown as to a command without options."""
    Shown.begin([])


@pytest.mark.usefixtures("plainly")
def test_several_problems_are_shown_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    many = ConfigError(["a.b: unknown key", "c:\nd"], where="x\n.yaml")
    assert fail(many) == 2
    assert capsys.readouterr().err == "genomecli: x .yaml; 2 problems:\n  a.b: unknown key\n  c: d\n"
    assert "\n" not in str(many)
    assert ConfigError(["a: is required"]).shown() == "a: is required"


@pytest.mark.parametrize("kind", [KeyError, TypeError, IndexError, OverflowError, MemoryError])
def test_what_reading_stumbles_over_is_bad_input(kind: type[Exception]) -> None:
    said = f"file; is no manifest \\({kind.__name__}"
    with pytest.raises(InputError, match=said), refusing("is no manifest", where="file"):
        raise kind
    with pytest.raises(UsageError, match="our own"), refusing("is no manifest", where="file"):
        raise UsageError("our own")
    with pytest.raises(RuntimeError, match="bug"), refusing("is no manifest", where="file"):
        raise RuntimeError("bug")


@pytest.mark.usefixtures("plainly")
def test_a_long_error_of_others_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert foreign(RuntimeError("a word " * 10_000)) == 1
    said = capsys.readouterr().err
    assert said.startswith("genomecli: RuntimeError: a word a word")
    assert said.endswith("more letters); run with --debug for the traceback\n")
    assert len(said) < 800
