"""Embedding tables as ``.h5ad``, the file of AnnData (the extra ``anndata``), which scanpy and others open.

| in AnnData | holds |
|---|---|
| ``obs_names`` | ids, which may repeat |
| ``obs`` | a column for each label |
| ``obsm[COLUMN]`` | the vectors of a column, [n, D] |
| ``uns["genomecli"]`` | the header, as JSON |

There is no ``X`` and no variable: ``scanpy.pp.neighbors(table, use_rep="layer3_mean")`` names the vectors.
Vectors are written block by block; ids and labels are held in memory. Equal rows give equal bytes.

Shapes: n rows, D width.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from genomecli.errors import InputError
from genomecli.exchange.table_format import EmbeddingTable, RowSource, TableHeader
from genomecli.exchange.table_writers import META_KEY, row_names
from genomecli.extras import need

_ARRAY = {"encoding-type": "array", "encoding-version": "0.2.0"}
_FILE = {"encoding-type": "anndata", "encoding-version": "0.1.0"}
"""What AnnData's on-disk format wants said of an array and of the file."""


def write_h5ad(path: Path, header: TableHeader, rows: RowSource) -> None:
    """Write a table.

    Raises:
        UsageError: without anndata.
        InputError: for a NUL character in an id or label, which HDF5 does not hold.
    """
    io = need("anndata", ".h5ad").io
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs.update(_FILE)
        try:
            io.write_elem(file, "obs", _labels(header, rows))
        except ValueError as error:
            raise InputError(f"a label cannot stand in HDF5 ({error})", where=path) from error
        io.write_elem(file, "var", _frame({}, []))
        for name in ("layers", "obsm", "obsp", "varm", "varp"):
            io.write_elem(file, name, {})
        io.write_elem(file, "uns", {META_KEY: json.dumps(header.as_dict(), sort_keys=True)})
        _write_vectors(file["obsm"], header, rows)


def _labels(header: TableHeader, rows: RowSource) -> Any:
    """ids and labels as a data frame."""
    names = row_names(header, rows)
    kinds = {"str": np.dtype(object), "int": np.dtype(np.int64)}
    columns = {name: np.array(names[name], dtype=kinds[kind]) for name, kind in header.labels}
    return _frame(columns, names["id"])


def _frame(columns: dict[str, Any], index: list[Any]) -> Any:
    import pandas as pd

    # Each with its own dtype: pandas 3 would make strings of Arrow, which not every anndata can write.
    rows = pd.Index(index, dtype=object, name="id")
    series = {name: pd.Series(values, rows, values.dtype) for name, values in columns.items()}
    return pd.DataFrame(series, index=rows, columns=pd.Index(list(series), dtype=object))


def _write_vectors(group: Any, header: TableHeader, rows: RowSource) -> None:
    shape, dtype = (rows.rows, header.width), np.dtype(header.dtype).newbyteorder("<")
    arrays = [group.create_dataset(column, shape, dtype) for column in header.columns]
    for array in arrays:
        array.attrs.update(_ARRAY)
    done = 0
    for block in rows.blocks():
        for i, array in enumerate(arrays):
            array[done : done + len(block)] = block.vectors[:, i]
        done += len(block)


def read_h5ad(path: Path) -> EmbeddingTable:
    """Read a table that :func:`write_h5ad` wrote. Raises UsageError without anndata."""
    io = need("anndata", ".h5ad").io
    import h5py

    with h5py.File(path, "r") as file:
        header = json.loads(io.read_elem(file["uns"])[META_KEY])
        labels = io.read_elem(file["obs"])
        vectors = {name: file["obsm"][name][()] for name in header["columns"]}
    columns = {name: labels[name].tolist() for name, _ in header["labels"]}
    return EmbeddingTable(labels.index.tolist(), tuple(header["columns"]), vectors, columns, header["meta"])
