"""Rows of scores as text and as Parquet."""

from __future__ import annotations

import math
from pathlib import Path

from pyarrow import parquet

from genomecli.exchange.score_table import (
    SURPRISES,
    VARIANTS,
    header_line,
    read_surprises,
    row_line,
    to_parquet,
)

ROWS = [
    (1, "chr1", 10, ".", "A", "G", -1.5, -1.25, -1.75, "masked", 2, ""),
    (2, "chr\t1", 11, 'a"b', "A", "<DEL>", None, None, math.nan, "", 0, "symbolic allele"),
]


def test_text_has_a_line_a_row_and_empty_cells_for_nothing() -> None:
    assert header_line(VARIANTS).startswith(b"record\tsequence\tposition\tid\tref\talt\tscore\t")
    assert row_line(ROWS[0]) == b"1\tchr1\t10\t.\tA\tG\t-1.5\t-1.25\t-1.75\tmasked\t2\t\n"
    assert row_line(ROWS[1]) == b'2\t"chr\t1"\t11\t"a""b"\tA\t<DEL>\t\t\t\t\t0\tsymbolic allele\n'


def test_parquet_holds_the_same(tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(header_line(VARIANTS) + b"".join(map(row_line, ROWS)))
    to_parquet(body, tmp_path / "x.parquet", VARIANTS)
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.column_names == [name for name, _ in VARIANTS]
    rows = [tuple(row.values()) for row in table.to_pylist()]
    assert rows[0] == ROWS[0]
    assert rows[1] == (*ROWS[1][:8], None, *ROWS[1][9:])


def test_parquet_without_rows_has_its_columns(tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(header_line(VARIANTS))
    to_parquet(body, tmp_path / "x.parquet", VARIANTS)
    assert parquet.read_table(tmp_path / "x.parquet").num_rows == 0


def test_scans_are_read_back_sequence_by_sequence(tmp_path: Path) -> None:
    bed, table = tmp_path / "a.bedgraph", tmp_path / "a.tsv"
    bed.write_bytes(b"# surprise\na\t0\t1\t1.5\na\t2\t3\t2\nb\t5\t6\t3\n")
    rows = [("a", 1, "A", 1.5), ("a", 2, "N", None), ("a", 3, "C", 2.0), ("b", 6, "G", 3.0)]
    table.write_bytes(header_line(SURPRISES) + b"".join(row_line([*row, None, None]) for row in rows))
    for path, bedgraph in ((bed, True), (table, False)):
        found = [(n, p.tolist(), v.tolist()) for n, p, v in read_surprises(path, bedgraph=bedgraph)]
        assert found == [("a", [0, 2], [1.5, 2]), ("b", [5], [3])]
