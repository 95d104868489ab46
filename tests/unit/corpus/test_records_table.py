from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genomecli.corpus.records_table import COLUMNS, Columns, RecordTable, write_records
from genomecli.errors import InputError
from tests.unit.training.disk_corpus import write_disk_corpus


def columns(rows: int) -> dict[str, np.ndarray]:
    made = {}
    for name, (kind, _) in COLUMNS.items():
        if kind == "string":
            made[name] = np.array([f"{name}{i}" for i in range(rows)], dtype=object)
        else:
            made[name] = (np.arange(rows) % 2).astype(kind)
    return made


def test_every_column_comes_back_with_its_type(tmp_path: Path) -> None:
    given = columns(5)
    write_records(tmp_path / "r.parquet", given)
    table = RecordTable(Columns(tmp_path / "r.parquet"), np.array([3, 1]))
    for name, (kind, _) in COLUMNS.items():
        assert table.column(name).tolist() == given[name][[3, 1]].tolist()
        assert kind == "string" or table.column(name).dtype == kind
    assert table.row.tolist() == [3, 1]
    assert table[np.array([False, True])].id.tolist() == ["id1"]
    assert table[:1].id.tolist() == ["id3"]


def test_equal_rows_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_records(tmp_path / name, columns(100))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_broken_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=r"r\.parquet"):
        RecordTable(Columns(tmp_path / "r.parquet"), np.array([0])).column("id")
    with pytest.raises(KeyError):
        Columns(held={"id": np.zeros(1)}).load("length")


def test_a_column_of_another_length_than_the_others_is_refused(tmp_path: Path) -> None:
    corpus = write_disk_corpus(tmp_path / "corpus", genes=3)
    path = corpus / "records.parquet"
    assert len(Columns(path, size=6).load("gc")) == 6
    with pytest.raises(InputError, match="has 6 rows where the manifest has 7"):
        Columns(path, size=7).load("gc")
