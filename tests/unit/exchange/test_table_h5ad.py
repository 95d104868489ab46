"""h5ad tables are what AnnData reads, with vectors where its users look for them."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.errors import InputError, UsageError
from genomecli.exchange.table_format import HeldRows, TableBlock, TableHeader
from genomecli.exchange.tables import check_kind, read_table, save_table

wants_anndata = pytest.mark.skipif(
    importlib.util.find_spec("anndata") is None, reason="anndata is not installed"
)


def example(rows: int = 40) -> tuple[TableHeader, HeldRows]:
    labels = (("group", "str"), ("count", "int"))
    header = TableHeader(("layer0_mean", "layer2_mean"), 6, "float32", labels, {"model": "abc"})
    vectors = np.random.default_rng(1).normal(size=(rows, 2, 6)).astype(np.float32)
    names = [[f"toy/{'cds' if i % 2 else 'protein'}" for i in range(rows)], list(range(rows))]
    return header, HeldRows(TableBlock([f"g{i}" for i in range(rows)], names, vectors))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_table(tmp_path / "t.h5ad", *example())
    return tmp_path / "t.h5ad"


@wants_anndata
def test_anndata_reads_it(path: Path) -> None:
    anndata: Any = pytest.importorskip("anndata")
    table = anndata.read_h5ad(path)
    block = example()[1].block
    assert table.shape == (40, 0)
    assert list(table.obs_names) == list(block.ids)
    assert list(table.obs["group"]) == block.labels[0]
    assert list(table.obs["count"]) == block.labels[1]
    for i, name in enumerate(("layer0_mean", "layer2_mean")):
        assert table.obsm[name].dtype == np.float32
        assert np.array_equal(table.obsm[name], block.vectors[:, i])


@wants_anndata
def test_a_part_that_anndata_wrote_is_read_again(path: Path) -> None:
    anndata: Any = pytest.importorskip("anndata")
    pandas: Any = pytest.importorskip("pandas")
    if int(pandas.__version__.split(".")[0]) >= 3 and anndata.__version__ < "0.12.1":
        pytest.skip("this anndata cannot write the strings of this pandas")
    table = anndata.read_h5ad(path)
    table[table.obs["group"] == "toy/cds"].copy().write_h5ad(path.with_name("part.h5ad"))
    part = read_table(path.with_name("part.h5ad"))
    assert part.ids == example()[1].block.ids[1::2]
    assert set(part.labels["group"]) == {"toy/cds"}


@wants_anndata
def test_bytes_do_not_depend_on_the_clock(path: Path) -> None:
    time.sleep(1.1)
    other = path.with_name("u.h5ad")
    save_table(other, *example())
    assert other.read_bytes() == path.read_bytes()


def test_scanpy_finds_neighbours_in_what_it_read_and_draws_it(path: Path) -> None:
    """As a user of scanpy goes on: neighbours of named vectors, a figure by a label."""
    scanpy: Any = pytest.importorskip("scanpy", reason="scanpy, of the extra dev, is not installed")
    table = scanpy.read_h5ad(path)
    scanpy.pp.neighbors(table, n_neighbors=5, use_rep="layer2_mean", method="gauss")
    distances = table.obsp["distances"].toarray()
    vectors = example()[1].block.vectors[:, 1].astype(float)
    true = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    for row, own in zip(distances, true, strict=True):
        near = np.flatnonzero(row)
        assert set(near) == set(np.argsort(own)[1:5])  # four others; scanpy counts the point itself
        np.testing.assert_allclose(row[near], own[near], rtol=1e-4)
    drawn = scanpy.pl.embedding(table, "layer2_mean", color="group", show=False, return_fig=True)
    drawn.savefig(path.with_suffix(".png"))
    assert path.with_suffix(".png").stat().st_size > 1000
    table.write_h5ad(path.with_name("again.h5ad"))
    assert read_table(path.with_name("again.h5ad")).ids == example()[1].block.ids


@wants_anndata
def test_what_hdf5_cannot_hold_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    header = TableHeader(("x",), 1)
    rows = HeldRows(TableBlock(["a\0b"], [], np.zeros((1, 1, 1), np.float32)))
    with pytest.raises(InputError, match="cannot stand in HDF5"):
        save_table(tmp_path / "t.h5ad", header, rows)
    assert not list(tmp_path.iterdir())


@wants_anndata
def test_another_file_is_refused(tmp_path: Path) -> None:
    import h5py

    (tmp_path / "x.h5ad").write_text("nothing of the kind")
    with h5py.File(tmp_path / "y.h5ad", "w") as file:
        file["a"] = 1
    for name in ("x.h5ad", "y.h5ad"):
        with pytest.raises(InputError, match="is no embedding table"):
            read_table(tmp_path / name)


def test_without_anndata_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anndata", None)
    with pytest.raises(UsageError, match=r"h5ad needs anndata, .*; pip install 'genomecli\[anndata\]'"):
        check_kind("h5ad")
    for kind in ("parquet", "tsv", "npy", "safetensors"):
        check_kind(kind)  # type: ignore[arg-type]
