"""Columns to Arrow and back, by their buffers: no column holds a null.

Arrow's own conversions import pandas where it is installed, a quarter of a second that no corpus needs.
n rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow

_NAMES = {"string": "object", "float": "float32", "double": "float64"}


def to_arrow(values: Sequence[Any] | NDArray[Any], kind: str) -> pyarrow.Array:
    """An Arrow array of n values.

    Args:
        values: texts, numbers or truth values; a list or [n].
        kind: name of the type, such as ``string``, ``bool`` or ``int32``.
    """
    import pyarrow as pa

    count = len(values)
    if kind != "string":
        numbers = np.asarray(values, dtype=kind)
        data = np.packbits(numbers, bitorder="little") if kind == "bool" else numbers
        buffer = pa.py_buffer(np.ascontiguousarray(data))
        return pa.Array.from_buffers(pa.type_for_alias(kind), count, [None, buffer])
    texts = values.tolist() if isinstance(values, np.ndarray) else values
    whole = "".join(texts)
    raw = whole.encode()
    plain = len(raw) == len(whole)
    ends = np.zeros(count + 1, dtype=np.int64)
    if raw:  # many a column holds nothing
        sizes = map(len, texts if plain else [text.encode() for text in texts])
        np.cumsum(np.fromiter(sizes, dtype=np.int64, count=count), out=ends[1:])
    if ends[-1] > np.iinfo(np.int32).max:  # Arrow splits such a column itself
        return pa.array(texts, type=pa.string())
    buffers = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(raw)]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def to_numpy(column: pyarrow.ChunkedArray) -> NDArray[Any]:
    """A column of a table as it is used here, [n]: texts are objects."""
    parts = [_part(chunk) for chunk in column.chunks]
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([np.zeros(0, dtype=_dtype(column.type)), *parts])


def _dtype(kind: pyarrow.DataType) -> np.dtype[Any]:
    """numpy's name of a type; ``to_pandas_dtype`` knows it too, but in older versions imports pandas."""
    name = str(kind)
    return np.dtype(_NAMES.get(name, name))


def _part(chunk: pyarrow.Array) -> NDArray[Any]:
    kind, first, last = str(chunk.type), chunk.offset, chunk.offset + len(chunk)
    buffers = chunk.buffers()
    if kind == "bool":
        bits = np.frombuffer(buffers[1], dtype=np.uint8)
        return np.unpackbits(bits, count=last, bitorder="little")[first:].astype(np.bool_)
    if kind != "string":
        return np.frombuffer(buffers[1], dtype=_dtype(chunk.type))[first:last]
    texts = np.full(len(chunk), "", dtype=object)
    ends = (
        np.frombuffer(buffers[1], dtype=np.int32)[first : last + 1] if len(chunk) else np.zeros(1, np.int32)
    )
    if ends[0] < ends[-1]:
        raw = bytes(buffers[2][int(ends[0]) : int(ends[-1])])
        bounds = pairwise((ends - ends[0]).tolist())
        if raw.isascii():
            whole = raw.decode("ascii")
            texts[:] = [whole[a:b] for a, b in bounds]
        else:
            texts[:] = [raw[a:b].decode() for a, b in bounds]
    return texts
