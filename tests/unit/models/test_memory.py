"""Memory that is freed is there for what comes next."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genomecli.models.memory import keep_freed_memory

_FAULTS = """
import resource, sys
import torch
from genomecli.models.memory import keep_freed_memory

if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit("not the GNU C library")

def touch():
    blocks = [torch.ones(1 << 24) for _ in range(4)]

for _ in range(3):
    touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    touch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_pages_are_touched_first_once() -> None:
    """Ten times 256 MB; without it they are new pages each time, large ones where the system has these."""

    def faults(way: str) -> int:
        command = [sys.executable, "-c", _FAULTS, way]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if "not the GNU C library" in done.stderr:
            pytest.skip("not the GNU C library")
        return int(done.stdout)

    assert 10 * faults("keep") < faults("plain")


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    assert not keep_freed_memory()
