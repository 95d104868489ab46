"""Results as bytes and back, and parts that are kept: the same bits, made once, made again where broken."""

from __future__ import annotations

import logging
import math
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest

from genomecli.analysis.gold import CodonGold
from genomecli.analysis.kept import Kept, changes
from genomecli.analysis.places import Place, VectorPair
from genomecli.analysis.tidy import Measure
from genomecli.analysis.values import pack, unpack
from genomecli.errors import CheckpointedError
from genomecli.sequences.codes import GeneticCode, genetic_code

KINDS = {kind.__name__: kind for kind in (CodonGold, GeneticCode, Measure, Place, VectorPair)}


def test_plain_values_and_arrays_come_back_bit_for_bit() -> None:
    random = np.random.default_rng(1)
    value = {
        "none": None,
        3: (True, -7, 0.1 + 0.2, "é\tλ", b"\x00\xff", frozenset({2, 1})),
        ("a", 1): [random.normal(size=(3, 2)), random.normal(size=4).astype(np.float32), np.zeros((0, 5))],
        "flags": np.array([True, False]),
        "scalars": (np.float64(1 / 3), np.int64(5), np.bool_(True)),
        "not finite": (math.inf, -math.inf),
    }
    found = unpack(pack(value), {})
    assert list(found) == list(value)
    assert found[3] == value[3]
    assert found["scalars"] == (1 / 3, 5, True)
    assert found["not finite"] == (math.inf, -math.inf)
    for before, after in zip(
        [*value[("a", 1)], value["flags"]], [*found[("a", 1)], found["flags"]], strict=True
    ):
        assert (after.dtype, after.shape) == (before.dtype, before.shape)
        assert after.tobytes() == before.tobytes()
        assert after.flags.writeable
    assert math.isnan(unpack(pack(math.nan), {}))


def test_an_array_of_another_order_comes_back_in_rows() -> None:
    turned = np.arange(6.0).reshape(2, 3).T
    found = unpack(pack(turned), {})
    assert np.array_equal(found, turned)
    assert found.flags.c_contiguous


def test_dataclasses_come_back() -> None:
    code, place = genetic_code(12), Place("run", "bug", layer=2)
    gold = CodonGold.of(code)
    row = Measure(statistic="mrr", value=1 / 3, run="run")
    assert unpack(pack((code, place, row)), KINDS) == (code, place, row)
    found = unpack(pack(gold), KINDS)
    assert found.codons.tolist() == gold.codons.tolist()
    assert found.letters == gold.letters
    with pytest.raises(ValueError, match="Place"):
        unpack(pack(place), {})
    with pytest.raises(TypeError, match="Kept cannot be packed"):
        pack(Kept())


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
def test_bytes_that_are_not_whole_are_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="cannot be unpacked"):
        unpack(pack(np.arange(5))[:cut], {})


@pytest.fixture(autouse=True)
def _heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("genomecli"), "propagate", True)


def _opened(folder: Path, request: dict[str, object], *, resume: bool = True) -> Kept:
    return Kept.opened(folder, request, {"threads": 1}, lambda: None, resume=resume)


def test_a_part_is_made_once_and_read_after_that(tmp_path: Path) -> None:
    folder, calls = tmp_path / "parts", []

    def make(size: int, *, scale: float) -> list[float]:
        calls.append(size)
        return [scale * i for i in range(size)]

    first = _opened(folder, {"seed": 1}, resume=False)
    assert first.part(("rows", Place("a", "b")), make, 3, scale=0.1) == [0.0, 0.1, 0.2]
    again = _opened(folder, {"seed": 1})
    assert again.part(("rows", Place("a", "b")), make, 3, scale=0.1) == [0.0, 0.1, 0.2]
    assert again.part(("rows", Place("a", "c")), make, 1, scale=0.1) == [0.0]
    assert calls == [3, 1]
    assert (again.found, again.made) == (1, 1)
    again.remove()
    assert not folder.exists()


def test_a_part_that_is_not_whole_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = _opened(tmp_path / "parts", {}, resume=False)
    kept.part(("a",), lambda: 1)
    (path,) = (tmp_path / "parts").glob("a-*")
    path.write_bytes(path.read_bytes()[:-3])
    with caplog.at_level(logging.WARNING, logger="genomecli"):
        assert kept.part(("a",), lambda: 2) == 2
    assert "made again" in caplog.text


def test_parts_of_another_request_are_not_taken_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _opened(tmp_path / "parts", {"a": {"b": 1}}, resume=False).part(("x",), lambda: 1)
    assert _opened(tmp_path / "parts", {"a": {"b": 1}}).part(("x",), lambda: 2) == 1
    with caplog.at_level(logging.WARNING, logger="genomecli"):
        assert _opened(tmp_path / "parts", {"a": {"b": 2}}).part(("x",), lambda: 2) == 2
    assert "(a.b)" in caplog.text
    assert _opened(tmp_path / "parts", {"a": {"b": 2}}, resume=False).part(("x",), lambda: 3) == 3


def test_a_check_ends_the_work_and_keeps_what_was_made(tmp_path: Path) -> None:
    asked: list[int] = []

    def check() -> None:
        if asked:
            raise CheckpointedError("stopped")

    kept = Kept.opened(tmp_path / "parts", {}, {}, check, resume=False)
    with pytest.raises(CheckpointedError):
        kept.part(("a",), lambda: asked.append(1) or 5)
    kept.close()
    assert _opened(tmp_path / "parts", {}).part(("a",), lambda: 6) == 5
    empty = Kept.opened(tmp_path / "other", {}, {}, check, resume=False)
    empty.close()
    assert not (tmp_path / "other").exists()


def test_changes_are_named_by_their_keys() -> None:
    before = {"a": [1, {"b": 2}], "c": 3, "same": [1]}
    assert changes(before, {"a": [1, {"b": 4}], "d": 3, "same": [1]}) == ["a.1.b", "c", "d"]
    assert changes(before, before) == []
    assert changes(1, 2) == ["all"]
    assert astuple(replace(Place("a", "b"), layer=1))[4] == 1
