"""Reading YAML without its surprises.

PyYAML reads ``1e-4`` as a string, ``NO`` and ``on`` as booleans, ``12:30`` as 750 and ``010`` as 8. Here a
number is a decimal number, a boolean is ``true`` or ``false``, and everything else is text. Keys may not be
repeated. Aliases are refused, since a few lines of them can stand for gigabytes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from genomecli.errors import ConfigError
from genomecli.settings import ShellText, TextFloat

_MAX_BYTES = 4 << 20
_MAX_DEPTH = 50
_RESOLVERS = (
    ("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"]),
    ("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        re.compile(
            r"^[-+]?(?:[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)$"
        ),
        list("-+.0123456789"),
    ),
)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with plain rules for scalars."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node; refuse aliases and deep nesting."""
        if self.check_event(yaml.events.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.YAMLError(f"line {event.start_mark.line + 1}: aliases (*name) are not read")
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise yaml.YAMLError(f"more than {_MAX_DEPTH} levels deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping with text keys; refuse repeated ones."""
        seen: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.YAMLError(f"line {line}: a key must be plain text")
            if key_node.value in seen:
                raise yaml.YAMLError(f"line {line}: key {key_node.value!r} occurs twice")
            seen[key_node.value] = self.construct_object(value_node, deep=True)
        return seen


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in _RESOLVERS:
    for _letter in _first:
        _Loader.yaml_implicit_resolvers.setdefault(_letter, []).append((_tag, _pattern))
_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: TextFloat(node.value))
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
_Loader.add_constructor("tag:yaml.org,2002:bool", lambda loader, node: node.value == "true")
_Loader.add_constructor("tag:yaml.org,2002:null", lambda loader, node: None)


def parse_yaml(text: str, *, where: object | None = None) -> Any:
    """The value of a YAML text.

    Raises:
        ConfigError: if it is no YAML, repeats a key, holds an alias, or is too deep or too long.
    """
    if len(text) > _MAX_BYTES:
        raise ConfigError([f"is longer than {_MAX_BYTES >> 20} MiB"], where=where)
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_marked(error)], where=where) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError([" ".join(str(error).split())], where=where) from None
    finally:
        if loader is not None:
            loader.dispose()


def _marked(error: yaml.MarkedYAMLError) -> str:
    """What is wrong and where, without the name that PyYAML gives a text that is no file."""
    said = " ".join(": ".join(part for part in (error.context, error.problem) if part).split())
    mark = error.problem_mark or error.context_mark
    return said if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: {said}"


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        ConfigError: if the file is absent, no YAML, or no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(["no such file"], where=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"cannot be read: {error}"], where=path) from None
    value = parse_yaml(text, where=path)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(["holds no settings: expected `section:` and indented keys"], where=path)
    return value


def shell_value(text: str) -> Any:
    """The value of the right side of ``--set key=value``: YAML, with strings marked as from the shell.

    A lone ``-`` is text, standard input to a path, where YAML would begin a list.
    """
    if text.strip() == "-":
        return ShellText("-")
    return _mark(parse_yaml(text, where=f"--set ...={text}"))


def _mark(value: Any) -> Any:
    if isinstance(value, str):
        return ShellText(value)
    if isinstance(value, list):
        return [_mark(item) for item in value]
    if isinstance(value, dict):
        return {key: _mark(item) for key, item in value.items()}
    return value
