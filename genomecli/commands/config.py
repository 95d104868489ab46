"""``genomecli config``: a commented YAML template of a command's settings, or their JSON schema."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import models_json_schema
from pydantic_core import PydanticUndefined

from genomecli.config import SECTIONS, CommonSettings, section_class
from genomecli.errors import UsageError

_WIDTH = 100
_EXAMPLES: dict[str, Any] = {}


def run_config(names: list[str], *, schema: bool = False) -> str:
    """The template (or schema) of the named commands; of all of them where none is named.

    Raises:
        UsageError: for a command without settings.
    """
    for name in names:
        if name not in SECTIONS:
            raise UsageError(f"{name!r} has no settings", fix=f"choose from {', '.join(SECTIONS)}")
    chosen = names or list(SECTIONS)
    return _schema(chosen) if schema else _template(chosen)


def _schema(names: list[str]) -> str:
    """One JSON schema for a file with the sections of ``names``; definitions are shared."""
    document = CommonSettings.model_json_schema()
    # All at once: two rooms may have classes of one name, which get definitions of their own.
    made, shared = models_json_schema([(section_class(name), "validation") for name in names])
    definitions = shared["$defs"]
    for name in names:
        reference = made[section_class(name), "validation"]["$ref"]
        document["properties"][name] = definitions.pop(reference.rpartition("/")[2])
    document["$defs"] = definitions
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["title"] = f"genomecli settings: {', '.join(names)}"
    return json.dumps(document, indent=2)


def _template(names: list[str]) -> str:
    lines = ["# Settings of genomecli: every key with its meaning, unit, range and default.", ""]
    lines += _fields(CommonSettings, 0)
    for name in names:
        lines += ["", f"{name}:", *_fields(section_class(name), 1)]
    return "\n".join(lines) + "\n"


def _fields(model: type[BaseModel], depth: int, given: BaseModel | None = None) -> Iterator[str]:
    """Lines of a section's fields; what ``given`` sets goes before the defaults."""
    pad = "  " * depth
    chosen = given.model_fields_set if given is not None else set()
    for name, info in model.model_fields.items():
        for line in textwrap.wrap(_comment(info), _WIDTH - len(pad)):
            yield f"{pad}# {line}"
        nested = _model_of(info.annotation)
        default = info.get_default(call_default_factory=True, validated_data={})
        default = getattr(given, name) if name in chosen else default
        if nested is None:
            yield f"{pad}{name}: {_yaml(default)}" if default is not PydanticUndefined else f"{pad}{name}:"
        elif _is_named(info.annotation):
            yield f"{pad}{name}:"
            yield f"{pad}  NAME:"
            yield from _fields(nested, depth + 2)
        elif _is_many(info.annotation):
            yield f"{pad}{name}:"
            items = list(_fields(nested, depth + 2))
            first = next(i for i, line in enumerate(items) if not line.lstrip().startswith("#"))
            body = items[first]
            yield from items[:first]
            yield "  " * (depth + 1) + "- " + body.lstrip()
            yield from items[first + 1 :]
        elif default is None:
            yield f"{pad}# {name}:"
            yield from (f"{pad}# {line[len(pad) :]}" for line in _fields(nested, depth + 1))
        else:
            yield f"{pad}{name}:"
            yield from _fields(nested, depth + 1, default if isinstance(default, BaseModel) else None)


def _comment(info: FieldInfo) -> str:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    notes = [str(extra["unit"])] if "unit" in extra else []
    notes += _range(info)
    choices = _choices(info.annotation)
    if choices:
        notes.append(("a number, or " if _takes_numbers(info.annotation) else "one of ") + ", ".join(choices))
    if info.is_required():
        notes.append("required")
    text = info.description or ""
    return f"{text} [{'; '.join(notes)}]" if notes else text


def _range(info: FieldInfo) -> list[str]:
    bounds = {
        name: getattr(rule, name)
        for rule in info.metadata
        for name in ("ge", "gt", "le", "lt")
        if hasattr(rule, name)
    }
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    return [f"{signs[name]} {value}" for name, value in bounds.items() if value is not None]


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [_yaml(value) for value in get_args(annotation)]
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def _takes_numbers(annotation: Any) -> bool:
    """Whether a number is as good as the named choices."""
    if get_origin(annotation) in (dict, list, tuple, Literal):
        return False
    return annotation in (int, float) or any(_takes_numbers(part) for part in get_args(annotation))


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_of(part))), None)


def _is_named(annotation: Any) -> bool:
    """Whether it is sections by names that the user gives."""
    return get_origin(annotation) is dict


def _is_many(annotation: Any) -> bool:
    if get_origin(annotation) in (list, tuple):
        return True
    return any(_is_many(part) for part in get_args(annotation))


def _yaml(value: Any) -> str:
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, tuple | set | frozenset):
        value = list(value)
    if (
        isinstance(value, str)
        and value
        and value.replace("_", "").replace("-", "").isalnum()
        and not value[0].isdigit()
    ):
        return value if value not in ("true", "false", "null") else json.dumps(value)
    return json.dumps(value)
