"""Signals, sent to this process and met at awkward moments."""

from __future__ import annotations

import os
import signal
import sys
import time
import weakref
from collections.abc import Callable

import pytest

from genomecli.errors import CheckpointedError, InterruptedRunError
from genomecli.signals import StopFlag, _Lost, stopping


def test_the_first_signal_asks_and_the_second_insists() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopFlag() as flag:
        assert flag.requested is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert flag.requested == "TERM"
        os.kill(os.getpid(), signal.SIGUSR1)  # at once, so it is the same wish, handed on by somebody
        assert flag.requested == "TERM"
        time.sleep(StopFlag.TOGETHER + 0.01)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGUSR1)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("TERM", CheckpointedError),
        ("USR1", CheckpointedError),
        ("HUP", CheckpointedError),
        ("INT", InterruptedRunError),
    ],
)
def test_a_signal_is_granted_with_its_own_error(name: str, kind: type[Exception]) -> None:
    number = getattr(signal, f"SIG{name}")
    with StopFlag() as flag:
        flag.grant("go on")
        os.kill(os.getpid(), number)
        with pytest.raises(kind, match=f"stopped by {name}; go on"):
            flag.grant("go on")
    before = signal.getsignal(number)
    with pytest.raises(kind, match=f"stopped by {name}; go on"), stopping("go on", interrupt=True):
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


class Dying:
    """Gets signals while it is destroyed, where Python cannot raise what the handler raises."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers

    def __del__(self) -> None:
        for number in self.numbers:
            signal.raise_signal(number)
            time.sleep(0)  # the handler has run by here


def dies(*numbers: int) -> None:
    """Destroy an object that gets these signals meanwhile."""
    Dying(*numbers)


def watched(*numbers: int) -> None:
    """The same for an object that a weak reference watches."""
    thing = set[int]()
    _watched = weakref.ref(thing, lambda _: [signal.raise_signal(number) for number in numbers])
    del thing


@pytest.mark.parametrize("lose", [dies, watched])
@pytest.mark.parametrize("goes_on", [True, False])
@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, CheckpointedError), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_that_python_cannot_raise_comes_again(
    lose: Callable[[int], None],
    goes_on: bool,
    number: int,
    kind: type[BaseException],
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, hook, ended = signal.getsignal(number), sys.unraisablehook, False
    alarm = signal.getsignal(signal.SIGALRM)
    with pytest.raises(kind), stopping("go on"):
        lose(number)
        if goes_on:
            time.sleep(20)
            ended = True
    assert not ended
    assert capsys.readouterr().err == ""
    assert (signal.getsignal(number), sys.unraisablehook) == (before, hook)
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0]) == (alarm, 0)


@pytest.mark.parametrize("goes_on", [0, _Lost.LATER, 20])
def test_several_signals_that_are_lost_stop_once(goes_on: float, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        ended = False
        with pytest.raises(CheckpointedError, match="stopped by USR1"), stopping("go on"):
            dies(signal.SIGTERM)
            dies(signal.SIGUSR1)
            time.sleep(goes_on)
            ended = goes_on == 20
        assert not ended
        time.sleep(0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("later", [1e-4, 1e-3])
def test_an_alarm_that_is_too_early_comes_again(
    later: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Within the hook nothing can be raised either; nor where an object is still being destroyed."""
    monkeypatch.setattr(_Lost, "LATER", later)
    for _ in range(50):
        with pytest.raises(CheckpointedError), stopping("go on"):
            dies(signal.SIGTERM)
            time.sleep(20)
    assert capsys.readouterr().err == ""


def test_libraries_cannot_take_a_stop_for_a_fault() -> None:
    with pytest.raises(CheckpointedError, match="stopped by TERM; go on"), stopping("go on"):
        try:
            signal.raise_signal(signal.SIGTERM)
        except Exception as error:
            raise ValueError("something is wrong with the file") from error


def test_what_else_cannot_be_raised_is_still_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("broken")

    seen: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: seen.append(unraisable.exc_type))
    with stopping("go on"):
        Broken()
    assert seen == [ValueError]


def test_under_nohup_a_closed_terminal_stops_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopFlag() as flag, stopping("go on"):
            os.kill(os.getpid(), signal.SIGHUP)
            assert flag.requested is None
    finally:
        signal.signal(signal.SIGHUP, before)
