"""What every room's settings are made of: a strict pydantic section, a field helper, and YAML-safe names.

A setting is declared once, here or in its room's ``settings.py``, with unit, range and meaning; the YAML
template, the help and the JSON schema are made from that declaration.
"""

from __future__ import annotations

import os
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo


class TextFloat(float):
    """A YAML float that remembers how it was written, so that a name such as ``1.10`` stays ``1.10``."""

    text: str

    def __new__(cls, text: str) -> TextFloat:
        """Parse ``text``."""
        value = super().__new__(cls, text)
        value.text = text
        return value


def _as_text(value: object) -> object:
    if isinstance(value, TextFloat):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return value


Name = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | float)]
"""A string that also takes YAML numbers by their own text: chromosome ``1``, sample ``1.10``."""

_SAFE = r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"

SafeName = Annotated[Name, Field(pattern=_SAFE, max_length=100, json_schema_extra={"pattern": _SAFE})]
"""A name that becomes part of a file name: letters, digits and ``_ . + -`` only."""


class ShellText(str):
    """A string given on the command line: a relative path in it counts from the working folder."""


_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*|\{[^}]*\})")


def _resolve(value: object, info: ValidationInfo) -> object:
    text = _as_text(value)
    if not isinstance(text, str) or text in ("", "-"):
        return text
    path = os.path.expandvars(os.path.expanduser(text))
    base = (info.context or {}).get("folder")
    if base is not None and not os.path.isabs(path) and not isinstance(text, ShellText):
        path = os.path.normpath(os.path.join(base, path))
    unset = [name for name in _VARIABLE.findall(path) if name.strip("{}") not in os.environ]
    if unset and not os.path.lexists(path):  # a file may have such a name
        raise ValueError(f"the environment variable {unset[0].strip('{}')} is not set")
    return path


InputPath = Annotated[
    str, BeforeValidator(_resolve), Field(min_length=1, json_schema_extra={"format": "path"})
]
"""A path to read. In a YAML file it is relative to that file's folder; ``~`` and ``$NAME`` are expanded;
``-`` is standard input."""


def one_or_many(value: object) -> object:
    """A value that stands alone as the list that it is short for.

    A type that is read so tells the JSON schema of both, as :data:`InputPaths` does: editors would mark the
    lone value as a mistake.
    """
    return [value] if isinstance(value, str | int | float) else value


InputPaths = Annotated[
    list[InputPath], BeforeValidator(one_or_many, json_schema_input_type=InputPath | list[InputPath])
]
"""Paths to read; one may stand alone."""


class Section(BaseModel):
    """A group of settings: immutable, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, protected_namespaces=())


def setting(default: Any = ..., *, doc: str, unit: str | None = None, **field: Any) -> Any:
    """A documented setting.

    Args:
        default: the default value; required where left out.
        doc: what it means, in one or two sentences.
        unit: ``tokens``, ``bases``, ``minutes``, ...
        field: further arguments of :func:`pydantic.Field`, such as ``ge`` or ``le``.
    """
    extra = dict(field.pop("json_schema_extra", {}))
    if unit:
        extra["unit"] = unit
    return Field(default, description=doc, json_schema_extra=extra or None, **field)
