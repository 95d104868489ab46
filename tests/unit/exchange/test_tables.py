"""Embedding tables: every format gives back what was written, whatever the ids look like."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from genomecli.errors import InputError, UsageError
from genomecli.exchange.table_format import HeldRows, TableBlock, TableHeader
from genomecli.exchange.table_writers import TsvWriter
from genomecli.exchange.tables import read_table, save_table

ODD_IDS = [
    "plain",
    "plain",
    "sp|P0A6F5|CH60_ECOLI",
    "../../etc/passwd",
    'say "hi"',
    '"',
    "tab\there",
    "line\nend",
    "car\rriage",
    "\x01control\x7f",
    "ünï-кириллица-🧬",
    "back\\slash\\t",
    "=1+1",
    "1",
    "NA",
    "",
    "'quote'",
    "a,b;c",
]
H5AD = pytest.param(
    "h5ad",
    marks=pytest.mark.skipif(importlib.util.find_spec("anndata") is None, reason="anndata is not installed"),
)
FORMATS = ["parquet", "tsv", "npy", "safetensors"]
ALL_FORMATS = [*FORMATS, H5AD]


class Chunked:
    """The rows of a block, three at a time."""

    def __init__(self, block: TableBlock) -> None:
        self.block = block
        self.rows = len(block)

    def blocks(self) -> Iterator[TableBlock]:
        for start in range(0, self.rows, 3):
            part = slice(start, start + 3)
            labels = [values[part] for values in self.block.labels]
            yield TableBlock(self.block.ids[part], labels, self.block.vectors[part])


def example(dtype: str = "float32", columns: int = 2) -> tuple[TableHeader, TableBlock]:
    header = TableHeader(
        tuple(f"layer{i}_mean" for i in range(columns)),
        5,
        dtype,
        (("description", "str"), ("position", "int")),
        {"model": "abc", "step": 7},
    )
    values = np.random.default_rng(0).normal(size=(len(ODD_IDS), columns, 5)) * 10.0 ** np.arange(-2, 3)
    labels = [[f"what {i}\t is" for i in ODD_IDS], list(range(len(ODD_IDS)))]
    return header, TableBlock(ODD_IDS, labels, values.astype(dtype))


@pytest.mark.parametrize("ending", ALL_FORMATS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("columns", [1, 3])
def test_tables_come_back_as_they_were(tmp_path: Path, ending: str, dtype: str, columns: int) -> None:
    header, block = example(dtype, columns)
    path = tmp_path / f"table.{ending}"
    save_table(path, header, Chunked(block))
    table = read_table(path)
    assert table.ids == ODD_IDS
    assert table.labels == {"description": block.labels[0], "position": block.labels[1]}
    for i, column in enumerate(table.columns):
        assert np.array_equal(table.vectors[column].astype(dtype), block.vectors[:, i])
    if ending != "npy":
        assert table.columns == header.columns
    if ending in ("parquet", "safetensors", "h5ad"):
        assert table.meta == header.meta
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {path.name} | ({"table.npy.ids.tsv"} if ending == "npy" else set())


@pytest.mark.parametrize("ending", ALL_FORMATS)
def test_equal_rows_are_equal_bytes_and_may_be_none(tmp_path: Path, ending: str) -> None:
    header, block = example()
    for name in ("one", "two"):
        save_table(tmp_path / f"{name}.{ending}", header, Chunked(block))
    assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"two.{ending}").read_bytes()
    none = TableBlock([], [[], []], np.empty((0, 2, 5), np.float32))
    save_table(tmp_path / f"none.{ending}", header, HeldRows(none))
    table = read_table(tmp_path / f"none.{ending}")
    assert len(table) == 0
    assert len(table.columns) == 2


def test_other_tools_read_them(tmp_path: Path) -> None:
    from pyarrow import parquet
    from safetensors.numpy import load_file

    header, block = example()
    for ending in FORMATS:
        save_table(tmp_path / f"t.{ending}", header, HeldRows(block))
    column = parquet.read_table(tmp_path / "t.parquet")["layer1_mean"].to_pylist()
    assert np.array_equal(np.array(column, np.float32), block.vectors[:, 1])
    assert np.array_equal(np.load(tmp_path / "t.npy"), block.vectors)
    assert np.array_equal(load_file(tmp_path / "t.safetensors")["layer0_mean"], block.vectors[:, 0])
    with open(tmp_path / "t.tsv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert [row["id"] for row in rows] == ODD_IDS
    assert float(rows[3]["layer1_mean_4"]) == pytest.approx(float(block.vectors[3, 1, 4]), rel=1e-7)


def test_plain_ids_are_not_quoted(tmp_path: Path) -> None:
    header = TableHeader(("x",), 1)
    path = tmp_path / "t.tsv"
    with open(path, "w", newline="") as stream:
        TsvWriter(stream, header).write(TableBlock(["a|b", "c d"], [], np.ones((2, 1, 1), np.float32)))
    assert path.read_text() == "id\tx_0\na|b\t1\nc d\t1\n"


def test_tables_are_not_overwritten_and_broken_ones_are_named(tmp_path: Path) -> None:
    header, block = example()
    path = tmp_path / "t.parquet"
    save_table(path, header, HeldRows(block))
    with pytest.raises(UsageError, match="exists already"):
        save_table(path, header, HeldRows(block))
    save_table(path, header, HeldRows(block), force=True)
    for ending in FORMATS:
        broken = tmp_path / f"broken.{ending}"
        broken.write_bytes(b"nothing")
        with pytest.raises(InputError, match="broken"):
            read_table(broken)
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "absent.npy")
    with pytest.raises(UsageError, match=r"use one of \.parquet"):
        read_table(tmp_path / "t.csv")


def test_a_failing_source_leaves_nothing(tmp_path: Path) -> None:
    header, block = example()

    class Failing(Chunked):
        def blocks(self) -> Iterator[TableBlock]:
            yield from list(super().blocks())[:1]
            raise RuntimeError("gone")

    for ending in FORMATS:
        with pytest.raises(RuntimeError, match="gone"):
            save_table(tmp_path / f"t.{ending}", header, Failing(block))
    assert list(tmp_path.iterdir()) == []
