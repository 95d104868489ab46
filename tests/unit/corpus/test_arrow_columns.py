"""Columns by their buffers are those of Arrow's own conversions."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from genomecli.corpus.arrow_columns import to_arrow, to_numpy

KINDS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=5),
    "bool": st.booleans(),
    "int8": st.integers(-1, 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float32": st.floats(width=32, allow_nan=False),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)  # Arrow imports pandas in the first
@given(data=st.data())
def test_as_arrow_itself_does(kind: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(KINDS[kind], max_size=20))
    expected = pa.array(values, type=pa.type_for_alias(kind))
    dtype = object if kind == "string" else kind
    for given_values in (values, np.array(values, dtype=dtype)):
        found = to_arrow(given_values, kind)
        found.validate(full=True)
        assert found.equals(expected)
        assert found.null_count == 0
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=3)))
    bounds = [0, *cuts, len(values)]
    chunks = [found[a:b] for a, b in pairwise(bounds)]
    for column in (
        pa.chunked_array([found]),
        pa.chunked_array(chunks),
        pa.chunked_array([], type=found.type),
    ):
        back = to_numpy(column)
        assert back.dtype == np.dtype(dtype)
        assert back.tolist() == column.to_pylist()


def test_the_same_file(tmp_path: Path) -> None:
    columns = {"s": ["a", "", "é", "a"] * 50, "b": [True, False] * 100, "n": list(range(200))}
    kinds = {"s": "string", "b": "bool", "n": "int64"}
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in kinds.items()])
    for name, make in (("own", to_arrow), ("theirs", lambda v, k: pa.array(v, type=pa.type_for_alias(k)))):
        arrays = [make(columns[column], kind) for column, kind in kinds.items()]
        parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), tmp_path / name)
    assert (tmp_path / "own").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_pandas_stays_out() -> None:
    code = (
        "import sys\n"
        "from genomecli.corpus.arrow_columns import to_arrow, to_numpy\n"
        "import pyarrow as pa\n"
        "to_numpy(pa.chunked_array([to_arrow(['a', 'b'], 'string'), to_arrow(['c'], 'string')]))\n"
        "to_numpy(pa.chunked_array([to_arrow([1, 2], 'int64')]))\n"
        "sys.exit('pandas' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
