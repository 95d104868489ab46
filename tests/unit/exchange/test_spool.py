"""The spool: rows come back, and what was not committed is forgotten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genomecli.errors import InputError
from genomecli.exchange import spool as spool_module
from genomecli.exchange.spool import Spool
from genomecli.exchange.table_format import TableBlock, TableHeader

HEADER = TableHeader(("a", "b"), 3, "float32", (("position", "int"),))


def block(*numbers: int) -> TableBlock:
    values = np.array(numbers, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32)
    return TableBlock([f"id\n{n}" for n in numbers], [list(numbers)], values)


def test_rows_come_back_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "BLOCK_BYTES", 50)
    spool = Spool(tmp_path / "s", HEADER, {})
    spool.append(block(1, 2, 3))
    spool.append(block(4))
    found = list(spool.blocks())
    assert [name for part in found for name in part.ids] == [f"id\n{n}" for n in (1, 2, 3, 4)]
    assert [n for part in found for n in part.labels[0]] == [1, 2, 3, 4]
    assert np.array_equal(np.concatenate([part.vectors for part in found]), block(1, 2, 3, 4).vectors)
    assert max(len(part) for part in found) == 2
    spool.remove()
    assert not (tmp_path / "s").exists()


def test_only_what_was_committed_is_taken_up(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", HEADER, {"model": "x"})
    spool.append(block(1, 2))
    spool.drop("bad", "why\tnot")
    spool.commit(3)
    spool.append(block(9))
    spool.drop("late", "...")
    spool.close()
    again = Spool(tmp_path / "s", HEADER, {"model": "x"}, resume=True)
    assert (again.rows, again.records, again.dropped) == (2, 3, 1)
    again.append(block(3))
    again.commit(4)
    assert [name for part in again.blocks() for name in part.ids] == ["id\n1", "id\n2", "id\n3"]
    assert list(again.dropped_records()) == [("bad", "why\tnot")]
    again.close()


@pytest.mark.parametrize("change", ["request", "header", "file", "no resume"])
def test_another_request_starts_anew(tmp_path: Path, change: str) -> None:
    spool = Spool(tmp_path / "s", HEADER, {"model": "x"})
    spool.append(block(1, 2))
    spool.commit(2)
    spool.close()
    if change == "file":
        (tmp_path / "s" / "vectors.bin").write_bytes(b"")
    header = TableHeader(("a",), 3) if change == "header" else HEADER
    request = {"model": "y" if change == "request" else "x"}
    again = Spool(tmp_path / "s", header, request, resume=change != "no resume")
    assert (again.rows, again.records) == (0, 0)
    assert list(again.blocks()) == []
    again.close()


def test_vectors_beyond_float16_are_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", TableHeader(("a", "b"), 3, "float16", (("position", "int"),)), {})
    with pytest.raises(InputError, match=r"record 'id\\n70000'.*range of float16"):
        spool.append(block(1, 70_000))
    spool.close()
