"""Dataclasses as JSON and back, by their annotations; NaN is None in JSON."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints


def as_plain(value: Any) -> Any:
    """Plain values of a dataclass, a mapping, a sequence or a number; None for NaN and infinity."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: as_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def built(hint: Any, value: Any) -> Any:
    """The value that :func:`as_plain` was given, from its plain values and its type.

    Args:
        hint: a dataclass, or an annotation of tuples, mappings by text, numbers and texts.
        value: plain values; unknown keys of dataclasses are left out.

    Raises:
        KeyError: if a field without a default is missing.
    """
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        given = {item.name: value[item.name] for item in fields(hint) if item.name in value}
        kept = {name: built(hints[name], item) for name, item in given.items()}
        return hint(**kept)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        rest = next(item for item in inner if item is not type(None))
        return None if value is None else built(rest, value)
    if origin is tuple:
        each = [inner[0]] * len(value) if inner[1:] == (...,) else inner
        return tuple(built(item, part) for item, part in zip(each, value, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: built(inner[1], item) for key, item in value.items()}
    if hint is float:
        return float("nan") if value is None else float(value)
    return value
