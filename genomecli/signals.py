"""What becomes of signals: a wish that a loop grants, or an error that is raised at once.

INT is Ctrl-C, TERM what ``kill`` and SLURM send, USR1 SLURM's warning before the time is up, HUP a terminal
that is closed.
"""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from genomecli.errors import CheckpointedError, InterruptedRunError
from genomecli.runtime import log


class StopFlag:
    """Turns INT, TERM, USR1 and HUP into a wish that a loop grants at its next step.

    The first signal sets :attr:`requested`; the second raises KeyboardInterrupt at once, unless it comes
    within :attr:`TOGETHER` seconds. Make, srun and torchrun hand on a signal that the whole group has got
    already, so that one wish arrives twice.
    """

    SIGNALS = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP")
    TOGETHER = 0.3

    def __init__(self) -> None:
        self.requested: str | None = None
        self._asked = -math.inf
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> StopFlag:
        for name in self.SIGNALS:
            number = getattr(signal, name)
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # nohup: the terminal may close
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.requested is not None:
            if now - self._asked > self.TOGETHER:
                raise KeyboardInterrupt
            return
        self._asked = now
        self.requested = signal.Signals(number).name.removeprefix("SIG")
        log.warning("%s received: stopping after this step; once more stops at once", self.requested)

    def grant(self, fix: str) -> None:
        """End the run here if a signal has asked for it.

        Args:
            fix: how to go on, for the message.

        Raises:
            InterruptedRunError: after INT.
            CheckpointedError: after TERM, USR1 or HUP (a closed terminal).
        """
        if self.requested is not None:
            raise _stopped(self.requested, fix)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def _stopped(signal_name: str, fix: str) -> CheckpointedError | InterruptedRunError:
    kind = InterruptedRunError if signal_name == "INT" else CheckpointedError
    return kind(f"stopped by {signal_name}", fix=fix)


class _StopNow(BaseException):
    """What a handler raises. No ``except Exception`` of a library takes it for a fault of its own.

    Args:
        signal_name: without SIG.
    """

    def __init__(self, signal_name: str) -> None:
        super().__init__(signal_name)
        self.exit_code = _stopped(signal_name, "").exit_code


@contextmanager
def stopping(fix: str, *, interrupt: bool = False) -> Iterator[None]:
    """Let TERM, USR1 and HUP raise CheckpointedError, for work whose finished pieces are safe by themselves.

    Args:
        fix: how to go on, for the message.
        interrupt: let INT raise InterruptedRunError with the same message; otherwise it stays as it was.
    """
    lost = _Lost()

    def stop(number: int, frame: FrameType | None) -> None:
        lost.may_be(_StopNow(signal.Signals(number).name.removeprefix("SIG")))

    numbers = [signal.SIGTERM, signal.SIGUSR1, *((signal.SIGINT,) if interrupt else ())]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup sets it
        numbers.append(signal.SIGHUP)
    previous = {number: signal.signal(number, stop) for number in numbers}
    try:
        with lost:
            yield
    except _StopNow as by:
        raise _stopped(str(by), fix) from None
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Lost:
    """Raises again what Python could not raise.

    A handler runs wherever the interpreter happens to be. Within ``__del__`` or the callback of a weak
    reference nothing can be raised: Python prints "Exception ignored in" and goes on, and the signal is lost.
    Here an alarm, a little later, raises it again.
    """

    LATER = 0.01  # seconds, by when what could not raise has ended

    def __init__(self) -> None:
        self._raised: list[BaseException] = []
        self._lost: BaseException | None = None
        self._noting = False
        self._former_hook: Any = None
        self._former_alarm: Any = None
        self._alarmed = False

    def may_be(self, error: BaseException) -> None:
        """Raise ``error``, unless one that was lost is being noted: that one will stop the work."""
        if not self._noting:
            self._raised.append(error)
            raise error

    def _note(self, unraisable: Any) -> None:
        error = unraisable.exc_value
        if not isinstance(error, KeyboardInterrupt) and all(error is not one for one in self._raised):
            self._former_hook(unraisable)
            return
        self._noting = True
        try:
            self._lost = error
            if not self._alarmed:
                self._former_alarm, self._alarmed = signal.signal(signal.SIGALRM, self._again), True
            signal.setitimer(signal.ITIMER_REAL, self.LATER)
        finally:
            self._noting = False

    def _again(self, number: int, frame: FrameType | None) -> None:
        if self._noting:  # the machine is so busy that noting took longer than the alarm
            signal.setitimer(signal.ITIMER_REAL, self.LATER)
            return
        error, self._lost = self._lost, None
        if error is not None:
            self._raised.append(error)
            raise error

    def __enter__(self) -> None:
        self._former_hook, sys.unraisablehook = sys.unraisablehook, self._note

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        sys.unraisablehook = self._former_hook
        lost, self._lost = self._lost, None
        self._raised.clear()
        if self._alarmed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._former_alarm or signal.SIG_DFL)
        if kind is None and lost is not None:
            raise lost  # the work has ended before the alarm


def settle() -> None:
    """Let no signal change how the process ends: all is done, and it is only taken down."""
    for name in StopFlag.SIGNALS:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
