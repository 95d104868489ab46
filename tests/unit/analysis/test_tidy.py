from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from genomecli.analysis.tidy import COLUMNS, Measure, write_parquet, write_tsv
from genomecli.errors import UsageError

ROWS = [
    Measure(run="b", statistic="mrr", value=0.123456789, layer=2, n=61, note="a\tb\nc"),
    Measure(run="a", statistic="mrr", value=float("nan"), low=1e-9),
    Measure(run="b", statistic="mrr", value=1.0, layer=None),
]


def test_rows_are_sorted_whatever_their_order(tmp_path):
    write_tsv(tmp_path / "a.tsv", ROWS)
    write_tsv(tmp_path / "b.tsv", ROWS[::-1])
    text = (tmp_path / "a.tsv").read_text()
    assert text == (tmp_path / "b.tsv").read_text()
    lines = [line.split("\t") for line in text.splitlines()]
    assert tuple(lines[0]) == COLUMNS
    assert [line[0] for line in lines[1:]] == ["a", "b", "b"]
    assert lines[1][COLUMNS.index("value")] == ""
    assert lines[3][COLUMNS.index("value")] == "0.123457"
    assert lines[3][-1] == "a b c"


def test_parquet_keeps_types_and_nulls_and_bytes(tmp_path):
    write_parquet(tmp_path / "a.parquet", ROWS)
    write_parquet(tmp_path / "b.parquet", ROWS[::-1])
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column_names == list(COLUMNS)
    assert table.column("value").to_pylist() == [None, 1.0, 0.123456789]
    assert table.column("layer").to_pylist() == [None, None, 2]


def test_an_empty_table_has_its_header_and_a_finished_one_is_kept(tmp_path):
    write_tsv(tmp_path / "e.tsv", [])
    assert (tmp_path / "e.tsv").read_text() == "\t".join(COLUMNS) + "\n"
    write_parquet(tmp_path / "e.parquet", [])
    assert pq.read_table(tmp_path / "e.parquet").num_rows == 0
    with pytest.raises(UsageError):
        write_tsv(tmp_path / "e.tsv", [])
