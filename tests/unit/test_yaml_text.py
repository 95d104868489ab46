from __future__ import annotations

from pathlib import Path

import pytest

from genomecli.errors import ConfigError
from genomecli.yaml_text import parse_yaml, read_yaml, shell_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("5E3", 5000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-3", -3),
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("12:30", "12:30"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("2024-01-02", "2024-01-02"),
        (".inf", ".inf"),
        ("~", None),
        ("'1'", "1"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_scalars_are_read_plainly(text: str, value: object) -> None:
    found = parse_yaml(f"x: {text}")["x"]
    assert found == value
    assert type(found) is type(value) or isinstance(found, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "line 2: key 'a' occurs twice"),
        ("a: &x [1]\nb: *x", "aliases"),
        ("a: !!python/object:os.system [ls]", "could not determine a constructor"),
        ("a: [1, 2", "^line 1, column 9: while parsing a flow sequence: expected"),
        ("a: 1\n b: 2", "^line 2, column 3: mapping values are not allowed here$"),
        ("[" * 60 + "]" * 60, "levels deep"),
        ("? [a]\n: b", "plain text"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_yaml(text)


def test_files_that_are_no_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_yaml(tmp_path / "x.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(ConfigError, match="holds no settings"):
        read_yaml(tmp_path / "list.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "latin.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert read_yaml(tmp_path / "empty.yaml") == {}


@pytest.mark.parametrize(
    ("text", "value"), [("-", "-"), (" - ", "-"), ("-1", -1), ("[-, a]", ["-", "a"]), ("- a", ["a"])]
)
def test_a_lone_dash_from_the_shell_is_text(text: str, value: object) -> None:
    assert shell_value(text) == value
