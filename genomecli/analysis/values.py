"""Results as bytes and back: plain values, arrays, and the dataclasses that are named; no pickle.

The bytes are a safetensors file: one tensor for each array, and one that holds the rest as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_REST = "value"

Arrays = list[NDArray[Any]]


def pack(value: Any) -> bytes:
    """The bytes of a value: numbers, text, bytes, arrays, tuples, lists, dicts, sets of them, dataclasses.

    Raises:
        TypeError: for anything else.
    """
    from safetensors.numpy import save

    arrays: Arrays = []
    rest = json.dumps(_plain(value, arrays)).encode()
    tensors = {str(number): array for number, array in enumerate(arrays)}
    return save({**tensors, _REST: np.frombuffer(rest, dtype=np.uint8)})


def unpack(data: bytes, kinds: Mapping[str, type]) -> Any:
    """The value that was packed.

    Args:
        data: what :func:`pack` made.
        kinds: dataclasses that may occur, by name.

    Raises:
        ValueError: if the bytes are not whole, or hold a dataclass that is not among ``kinds``.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        # Copies: what is loaded are views that may not be written to.
        tensors = {name: np.array(array) for name, array in load(data).items()}
        return _value(json.loads(tensors.pop(_REST).tobytes()), tensors, kinds)
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"cannot be unpacked: {error}") from error


def _plain(value: Any, arrays: Arrays) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return {"bytes": _stored(np.frombuffer(value, dtype=np.uint8), arrays)}
    if isinstance(value, np.ndarray):
        return {"array": _stored(value, arrays)}
    if isinstance(value, Mapping):
        return {"dict": [[_plain(key, arrays), _plain(held, arrays)] for key, held in value.items()]}
    if isinstance(value, frozenset):
        return {"set": [_plain(held, arrays) for held in sorted(value)]}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_plain(held, arrays) for held in value]}
    if is_dataclass(value):
        held = [_plain(getattr(value, field.name), arrays) for field in fields(value)]
        return {"kind": type(value).__name__, "fields": held}
    raise TypeError(f"{type(value).__name__} cannot be packed")


def _stored(array: NDArray[Any], arrays: Arrays) -> int:
    arrays.append(np.array(array, order="C"))
    return len(arrays) - 1


def _value(plain: Any, arrays: Mapping[str, NDArray[Any]], kinds: Mapping[str, type]) -> Any:
    if not isinstance(plain, dict):
        return plain
    if "kind" in plain:
        kind = kinds[plain["kind"]]
        names = [field.name for field in fields(kind)]
        held = [_value(one, arrays, kinds) for one in plain["fields"]]
        return kind(**dict(zip(names, held, strict=True)))
    ((what, content),) = plain.items()
    if what in ("array", "bytes"):
        array = arrays[str(content)]
        return array if what == "array" else array.tobytes()
    if what == "dict":
        return {_value(key, arrays, kinds): _value(held, arrays, kinds) for key, held in content}
    made: type = {"tuple": tuple, "list": list, "set": frozenset}[what]
    return made(_value(one, arrays, kinds) for one in content)
