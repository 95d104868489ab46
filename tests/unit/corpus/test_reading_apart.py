"""Sources read by processes of their own: a signal ends them at once, silently; what is finished stays."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import active_children
from pathlib import Path

import pytest

from genomecli.corpus.build import read_units
from genomecli.corpus.reading import finished_part
from genomecli.corpus.settings import TokenizeSettings
from genomecli.corpus.units import Unit, make_units
from genomecli.errors import CheckpointedError
from genomecli.signals import stopping

PATIENCE = 60


@pytest.fixture
def units(tmp_path: Path) -> Iterator[list[Unit]]:
    """A file, and two pipes into which nobody writes: whoever reads those waits for ever."""
    paths = [tmp_path / name for name in ("whole.fa", "pipe1.fa", "pipe2.fa")]
    paths[0].write_text(">a\nATGGCTTAA\n")
    for pipe in paths[1:]:
        os.mkfifo(pipe)
    sources = [{"kind": "cds", "path": str(path)} for path in paths]
    yield make_units(TokenizeSettings.model_validate({"species": [{"name": "x", "sources": sources}]}))
    for child in active_children():
        child.kill()


def when(ready: Callable[[], bool], act: Callable[[], None]) -> threading.Thread:
    """Act once it is ready, from a thread."""

    def watch() -> None:
        end = time.monotonic() + PATIENCE
        while not ready() and time.monotonic() < end:
            time.sleep(0.002)
        act()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def interrupt_all() -> None:
    """What Ctrl-C does in a terminal."""
    for child in active_children():
        assert child.pid is not None
        os.kill(child.pid, signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)


def listening() -> bool:
    """Whether two processes have begun, so far that Python answers Ctrl-C there."""
    texts = []
    for child in active_children():
        with suppress(OSError):
            texts.append(Path(f"/proc/{child.pid}/status").read_text())
    caught = [int(text.split("SigCgt:")[1].split()[0], 16) for text in texts]
    return sum(mask >> (signal.SIGINT - 1) & 1 for mask in caught) == 2


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux what a process listens to")
def test_ctrl_c_while_processes_start_is_no_traceback(
    units: list[Unit], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    watcher = when(listening, interrupt_all)
    with pytest.raises(KeyboardInterrupt):
        read_units(units, tmp_path / "parts", workers=2, resume=False)
    watcher.join()
    assert "Traceback" not in capfd.readouterr().err
    assert not active_children()


@pytest.mark.parametrize(("number", "kind"), [("INT", KeyboardInterrupt), ("TERM", CheckpointedError)])
def test_a_signal_ends_files_under_way_and_keeps_finished_ones(
    units: list[Unit], tmp_path: Path, number: str, kind: type[BaseException]
) -> None:
    parts, sent = tmp_path / "parts", []

    def under_way() -> bool:
        return finished_part(units[0], parts) is not None and len(list(parts.glob(".unit-*"))) == 2

    def send() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), getattr(signal, f"SIG{number}"))

    watcher = when(under_way, send)
    with pytest.raises(kind), stopping("again"):
        read_units(units, parts, workers=2, resume=False)
    watcher.join()
    assert time.monotonic() - sent[0] < 5
    assert [path.name for path in parts.iterdir()] == [units[0].name]
    assert not active_children()
