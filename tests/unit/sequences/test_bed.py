from __future__ import annotations

import io

import pytest

from genomecli.errors import InputError
from genomecli.sequences.bed import BedRow, read_bed


def rows(text: str) -> list[BedRow]:
    return list(read_bed(io.BufferedReader(io.BytesIO(text.encode())), "a.bed"))  # type: ignore[arg-type]


def test_three_to_twelve_columns() -> None:
    text = "# x\ntrack name=a\nbrowser hide all\n\nchr1\t0\t10\r\nchr 1\t5\t7\tpeak one\t9\t-\n"
    assert rows(text) == [BedRow("chr1", ((0, 10),), "", 0), BedRow("chr 1", ((5, 7),), "peak one", -1)]
    twelve = "chr1\t100\t200\tt\t0\t+\t100\t200\t0\t2\t10,20\t0,80,\n"
    assert rows(twelve) == [BedRow("chr1", ((100, 110), (180, 200)), "t", 1)]


def test_blanks_where_there_is_no_tab() -> None:
    assert rows("chr1 3 9 a 0 +\n") == [BedRow("chr1", ((3, 9),), "a", 1)]


def test_contigs_named_like_header_lines_are_rows() -> None:
    text = (
        'track name=peaks description="one\ttwo\tthree"\nbrowser position chr7:1-9\ntrack\n'
        "track_1\t0\t10\nbrowser2 3 9\ntracks\t1\t2\ntrack\t4\t5\nbrowser\t6\t7\tname\n"
    )
    found = [(row.contig, row.parts) for row in rows(text)]
    assert found == [
        ("track_1", ((0, 10),)),
        ("browser2", ((3, 9),)),
        ("tracks", ((1, 2),)),
        ("track", ((4, 5),)),
        ("browser", ((6, 7),)),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chr1\t0\n", "a.bed, line 1; is no BED line"),
        ("chr1\t0\t9\nchr1\tx\t9\n", "a.bed, line 2; is no BED line"),
        ("chr1\t9\t3\n", r"line 1; ends before it starts \(9..3\)"),
        ("chr1\t-1\t3\n", "line 1; ends before it starts"),
        ("c\t0\t9\tt\t0\t+\t0\t9\t0\t2\t5\t0,4\n", "line 1; is no BED line"),
    ],
)
def test_broken_lines(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        rows(text)
