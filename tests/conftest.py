"""Fixtures that all tests share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Signals that nohup and shells ignore in background jobs mean here what they mean at a prompt.

    Whoever ignores a signal passes that on to all its children, and genomecli keeps to it.
    """
    for number, usual in (
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGQUIT, signal.SIG_DFL),
        (signal.SIGINT, signal.default_int_handler),
    ):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real genomes and labels; a test that wants it is skipped where it is absent."""
    given = os.environ.get("GENOMECLI_DATA")
    folder = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set GENOMECLI_DATA to their folder")
    return folder


@pytest.fixture(autouse=True)
def one_torch_thread() -> Iterator[None]:
    """Each test begins with one torch thread: commands set the count for their whole process.

    With more threads than free cores small matrices take many times longer, and sums round differently.
    """
    _use_one_thread()
    yield
    _use_one_thread()


def _use_one_thread() -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
