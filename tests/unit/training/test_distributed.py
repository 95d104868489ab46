"""What processes agree on, each of them in its turn, with what the others say given beforehand."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

import pytest

from genomecli.cli_frame import fail
from genomecli.errors import CheckpointedError, InputError, SaidElsewhereError
from genomecli.signals import StopFlag, stopping
from genomecli.training import distributed
from genomecli.training.distributed import REASONS, agreed, common_reason, grant_together, starts_first


def _among(monkeypatch: pytest.MonkeyPatch, rank: int, others: Sequence[float]) -> None:
    """Be process ``rank`` of three, whose other two say ``others`` at their places."""

    def highest(values: Sequence[float]) -> list[float]:
        return [max(mine, other) for mine, other in zip(values, others, strict=True)]

    monkeypatch.setattr(distributed, "world_size", lambda: 3)
    monkeypatch.setattr(distributed, "rank", lambda: rank)
    monkeypatch.setattr(distributed, "highest", highest)


@pytest.mark.parametrize(("rank", "others"), [(0, (0, 0, 0)), (2, (0, 0, 0))])
def test_all_go_on_where_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, rank: int, others: Sequence[float]
) -> None:
    _among(monkeypatch, rank, others)
    with agreed():
        pass


@pytest.mark.parametrize(("rank", "others"), [(0, (0, 3, 0)), (2, (0, 3, 0)), (1, (75, 0, 0))])
def test_the_first_that_fails_says_why_and_the_others_end_alike(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rank: int,
    others: tuple[float, ...],
) -> None:
    """Also one that fails too, after it; its own error is the cause of the silent one."""
    _among(monkeypatch, rank, others)
    code = max(others)
    with pytest.raises(SaidElsewhereError) as silent, agreed():
        pass
    with pytest.raises(SaidElsewhereError) as other, agreed():
        if rank > others.index(code):
            raise InputError("a fault of its own")
    assert silent.value.exit_code == other.value.exit_code == code
    assert fail(silent.value) == code
    assert capsys.readouterr().err == ""


def test_a_signal_is_told_by_the_exit_code_that_it_will_have(monkeypatch: pytest.MonkeyPatch) -> None:
    _among(monkeypatch, 0, (0, 0, 0))
    told: list[list[float]] = []
    monkeypatch.setattr(distributed, "highest", lambda values: told.append(values) or values)
    with pytest.raises(CheckpointedError), stopping("again"), agreed():
        os.kill(os.getpid(), signal.SIGTERM)
    assert told == [[75, 0, 0]]


@pytest.mark.parametrize(
    ("error", "code"), [(InputError("bad"), 3), (KeyboardInterrupt(), 130), (OSError(), 1)]
)
def test_an_error_is_told_to_the_others_by_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    _among(monkeypatch, 1, (0, 0, 0))
    told: list[list[float]] = []
    monkeypatch.setattr(distributed, "highest", lambda values: told.append(values) or values)
    with pytest.raises(type(error)) as raised, agreed():
        raise error
    assert raised.value is error
    assert told == [[0, code, 0]]


def test_the_signal_of_one_process_stops_all(monkeypatch: pytest.MonkeyPatch) -> None:
    _among(monkeypatch, 0, (REASONS.index("TERM"),))
    assert common_reason(None) == common_reason("time") == "TERM"
    assert common_reason("INT") == "INT"
    monkeypatch.setattr(distributed, "common_reason", lambda reason: "TERM")
    for rank, raised in ((0, CheckpointedError), (1, SaidElsewhereError)):
        _among(monkeypatch, rank, (75, 0, 0))
        with pytest.raises(raised, match="stopped by TERM; go on" if rank == 0 else None):
            grant_together(StopFlag(), "go on")
    monkeypatch.setattr(distributed, "common_reason", lambda reason: None)
    grant_together(StopFlag(), "go on")


def test_one_process_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in distributed.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert starts_first()
    for name in distributed.VARIABLES:
        monkeypatch.setenv(name, "2")
    assert not starts_first()
    monkeypatch.setenv("RANK", "0")
    assert starts_first()
