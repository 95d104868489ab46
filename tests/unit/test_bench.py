"""What the benchmarks say is right where the system does not tell all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts.bench.harness import held
from scripts.bench.sizes import Point, draw, left_out, markdown

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
HOLD = "import sys; kept = bytearray(b'1') * (64 << 20); print('held', flush=True); sys.stdin.read()"
PARENT = f"""
import subprocess, sys
pipes = {{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}}
with subprocess.Popen([sys.executable, "-c", {HOLD!r}], **pipes) as child:
    child.stdout.readline()
    print(child.pid, flush=True)
    sys.stdin.read()
    child.communicate()
"""
"""A process that has one that holds 64 MiB."""

PNG = b"\x89PNG\r\n\x1a\n"


@LINUX
def test_memory_of_a_process_is_what_it_takes_in_mebibytes() -> None:
    process = os.getpid()
    before = held(process)
    kept = bytearray(b"1") * (64 << 20)
    after = held(process)
    assert before is not None
    assert after is not None
    assert len(kept) / 2**20 - 8 < after - before < len(kept) / 2**20 + 8
    resident = held(process, "VmHWM")
    assert resident is not None
    assert resident > after


@LINUX
def test_memory_of_children_is_added_only_where_it_is_asked_for() -> None:
    words = [sys.executable, "-c", PARENT]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        own, its, both = held(parent.pid), held(child), held(parent.pid, children=True)
        parent.communicate()
    assert own is not None
    assert its is not None
    assert both is not None
    assert own < 64 < its
    assert both == pytest.approx(own + its, abs=1)
    assert held(parent.pid) is held(parent.pid, children=True) is None


POINTS = (
    Point("corpus", "1 Mb", 1.0, 2.0, 80.4, 0.5),
    Point("corpus", "10 Mb", 10.0, 3.0, None, 3.3),
    Point("corpus", "100 Mb", 100.0, 9.0, 85.0, None, "Killed"),
    left_out("corpus", "1000 Mb", 1000.0),
)


def test_the_table_of_sizes_has_empty_cells_for_what_is_not_known() -> None:
    lines = markdown(POINTS).splitlines()[2:]
    assert lines == [
        "| corpus | 1 Mb | 2 | 80.4 | 0.5 Mb/s |",
        "| corpus | 10 Mb | 3 |  | 3.3 Mb/s |",
        "| corpus | 100 Mb | 9 | 85 | failed: Killed |",
        "| corpus | 1000 Mb |  |  | failed: not tried, the time was up |",
    ]


@pytest.mark.parametrize("points", [POINTS, POINTS[1:], POINTS[2:]], ids=["some", "no memory", "nothing"])
def test_sizes_are_drawn_where_memory_is_not_known(points: Sequence[Point], tmp_path: Path) -> None:
    draw(points, tmp_path / "sizes.png")
    assert (tmp_path / "sizes.png").read_bytes().startswith(PNG)
