"""Runs one input through a parser and says what it did; only the user-facing errors may come out."""

from __future__ import annotations

import resource
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from genomecli.errors import ConfigError, GenomecliError

SECONDS = 10.0
"""What one input may take."""

ROOM = 1 << 30
"""Bytes of address space that one parser may take beside what the process has."""

Outcome = Literal["refused", "accepted", "fault"]


class HangError(BaseException):
    """An input took longer than :data:`SECONDS`; no ``except Exception`` may swallow it."""


@dataclass(frozen=True)
class Parser:
    """Something that reads input of a user.

    Args:
        name: for the table.
        seeds: valid inputs.
        read: reads an input that may be written below the folder; raises what the product raises.
    """

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[bytes, Path], object]


@dataclass
class Tally:
    """What a parser did with its inputs.

    Attributes:
        counts: of outcomes.
        faults: by their place in the product: the message, and the first input that met it.
        slowest: seconds of the slowest input.
        growth: KiB by which the process's peak memory grew.
    """

    counts: Counter[Outcome] = field(default_factory=Counter)
    faults: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    slowest: float = 0.0
    growth: int = 0

    @property
    def tried(self) -> int:
        """All inputs."""
        return sum(self.counts.values())


def try_input(parser: Parser, data: bytes, folder: Path, tally: Tally) -> Outcome:
    """Give one input to a parser, and note what it did."""
    peak, began = _peak(), time.perf_counter()
    outcome: Outcome = "accepted"
    try:
        with _in_time(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parser.read(data, folder)
    except GenomecliError as error:
        outcome = "refused"
        if said := unclear(error):
            outcome = "fault"
            tally.faults.setdefault(f"unclear error of {parser.name}", (said, data))
    except (Exception, HangError) as error:
        outcome = "fault"
        tally.faults.setdefault(_place(error), (f"{type(error).__name__}: {error}"[:300], data))
    tally.counts[outcome] += 1
    tally.slowest = max(tally.slowest, time.perf_counter() - began)
    tally.growth += max(0, _peak() - peak)
    return outcome


def unclear(error: GenomecliError) -> str:
    """Why an error is not one clear line for a terminal; empty if it is."""
    text = str(error)
    if not error.what.strip():
        return "says nothing"
    if not text.isprintable():
        return f"holds what no terminal should get: {text!r}"[:300]
    if len(text) > 2000 and not isinstance(error, ConfigError):  # which names every problem at once
        return f"is {len(text)} characters long: {text[:200]}"
    return ""


@contextmanager
def limited_memory(room: int = ROOM) -> Iterator[None]:
    """Refuse this process more than ``room`` bytes beyond what it has: a lying size ends in MemoryError."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def _in_time() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise HangError(f"took more than {SECONDS:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _place(error: BaseException) -> str:
    """The last frame within the product, else the last of all: equal faults share it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/genomecli/" in frame.filename] or list(frames)
    last = own[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno} ({last.name})"
