"""A text that survives an interruption: what was committed stays, what came after goes."""

from __future__ import annotations

from pathlib import Path

from genomecli.exchange.text_spool import TextSpool

REQUEST = {"model": "a", "inputs": [["x", 1, 2]]}


def test_what_was_committed_is_taken_up_and_the_rest_is_cut_off(tmp_path: Path) -> None:
    folder = tmp_path / ".out.partial"
    spool = TextSpool(folder, REQUEST)
    assert spool.fresh
    spool.append(b"header\n")
    spool.append(b"one\n", b"left\n")
    spool.commit(1, {"in": 2, "scored": 1})
    spool.append(b"two\n", b"more\n")
    spool.close()
    again = TextSpool(folder, REQUEST, resume=True)
    assert not again.fresh
    assert (again.done, dict(again.counts)) == (1, {"in": 2, "scored": 1})
    again.append(b"three\n")
    again.commit(2, again.counts)
    again.close()
    assert again.body.read_bytes() == b"header\none\nthree\n"
    assert again.left_out.read_bytes() == b"left\n"
    again.remove()
    assert not folder.exists()


def test_another_request_or_none_begins_anew(tmp_path: Path) -> None:
    folder = tmp_path / ".out.partial"
    spool = TextSpool(folder, REQUEST)
    spool.append(b"header\n")
    spool.commit(3, {})
    spool.close()
    for request, resume in [({**REQUEST, "model": "b"}, True), (REQUEST, False)]:
        other = TextSpool(folder, request, resume=resume)
        assert other.fresh
        assert other.done == 0
        other.append(b"header\n")
        other.commit(3, {})
        other.close()


def test_a_file_that_is_too_short_is_not_taken_up(tmp_path: Path) -> None:
    folder = tmp_path / ".out.partial"
    spool = TextSpool(folder, REQUEST)
    spool.append(b"header\n")
    spool.commit(3, {})
    spool.close()
    spool.body.write_bytes(b"he")
    assert TextSpool(folder, REQUEST, resume=True).fresh
