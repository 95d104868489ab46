"""The figure drawn by a process of its own: the same bytes as here, whatever becomes of the process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from genomecli.corpus import look_beside
from genomecli.corpus.look_beside import LookBeside
from genomecli.corpus.look_figure import Columns, draw_look
from genomecli.corpus.manifest import Group
from genomecli.corpus.scan import GroupCounts, Scan

GROUPS = [
    Group("a", "genome", 0, 3, 3000, (0,)),
    Group("b", "protein", 3, 40, 4000, (1,)),
    Group("b", "cds", 43, 9, 900, (2, 3)),
]


def _coding() -> GroupCounts:
    """Of code 11 before code 4, an order that the figure keeps."""
    codons = {table: np.arange(64) * table for table in (11, 4)}
    ends = {table: np.arange(64) for table in (11, 4)}
    return GroupCounts(
        np.arange(5), np.arange(66), codons, ends, ends, {t: np.array([9, 1, 2, 9]) for t in (11, 4)}
    )


def given() -> tuple[list[Group], Columns, Scan]:
    """Three groups, one of coding sequences with two genetic codes."""
    gc = np.linspace(0.3, 0.7, 52, dtype=np.float32)
    columns: Columns = {
        "length": np.array([1000] * 3 + [100] * 49),
        "split": np.array(["train", "valid", "test"] + ["train"] * 49),
        "id": np.array(["not needed"] * 52),
    }
    counts = [
        GroupCounts(np.arange(5), np.arange(1, 66)),
        GroupCounts(np.arange(30), np.arange(1, 22)),
        _coding(),
    ]
    return GROUPS, columns, Scan(gc, 1 - gc, counts)


def test_the_process_draws_the_bytes_that_are_drawn_here(tmp_path: Path) -> None:
    draw_look(tmp_path / "here.png", *given())
    with LookBeside(apart=True) as look:
        look.begin(tmp_path / "apart.png", *given())
        assert look._drawn() is not None
        look.finish()
    with LookBeside(apart=False) as look:
        look.begin(tmp_path / "late.png", *given())
        assert not (tmp_path / "late.png").exists()
        look.finish()
    for name in ("apart", "late"):
        assert (tmp_path / f"{name}.png").read_bytes() == (tmp_path / "here.png").read_bytes()


_ELSEWHERE = """
import matplotlib
from tests.unit.corpus.test_look_beside import draw_look, given
assert matplotlib.rcParams["lines.linewidth"] == 9
draw_look("there.png", *given())
"""


def test_what_a_matplotlibrc_says_changes_nothing(tmp_path: Path) -> None:
    """Matplotlib reads the one of the folder that it is called in."""
    draw_look(tmp_path / "here.png", *given())
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: red\nlines.linewidth: 9\nfont.size: 30\n")
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", _ELSEWHERE], cwd=tmp_path, env=where, check=True)
    assert (tmp_path / "there.png").read_bytes() == (tmp_path / "here.png").read_bytes()


@pytest.mark.parametrize(
    "child",
    [
        "raise SystemExit",
        "raise SystemExit(3)",
        "import sys; sys.stdin.buffer.read(); sys.stdout.write('half'); sys.exit(1)",
        "import os; os.kill(os.getpid(), 9)",
        "print('of sitecustomize', flush=True); " + look_beside._CHILD,
    ],
)
def test_it_is_drawn_here_where_the_process_fails(
    child: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_look(tmp_path / "here.png", *given())
    monkeypatch.setattr(look_beside, "_CHILD", child)
    with LookBeside(apart=True) as look:
        look.begin(tmp_path / "apart.png", *given())
        look.finish()
    assert (tmp_path / "apart.png").read_bytes() == (tmp_path / "here.png").read_bytes()


def test_it_is_drawn_here_where_no_process_is_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    with LookBeside(apart=True) as look:
        look.begin(tmp_path / "look.png", *given())
        look.finish()
    assert (tmp_path / "look.png").read_bytes().startswith(b"\x89PNG")


def test_a_fault_of_the_drawing_is_raised(tmp_path: Path) -> None:
    groups, columns, scan = given()
    scan.groups[2].codons[11] = np.arange(3)
    with LookBeside(apart=True) as look:
        look.begin(tmp_path / "look.png", groups, columns, scan)
        with pytest.raises(IndexError):
            look.finish()
    assert not (tmp_path / "look.png").exists()


def test_nothing_goes_on_after_a_fault_of_other_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_beside, "_CHILD", "import time; time.sleep(600)")
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), LookBeside(apart=True) as look:
        look.begin(tmp_path / "look.png", *given())
        raise KeyboardInterrupt
    assert time.monotonic() - begun < 60
    assert look._process is not None
    assert look._process.returncode == -9
    assert not (tmp_path / "look.png").exists()


def test_nothing_is_drawn_or_left_where_none_was_begun() -> None:
    with LookBeside(apart=True) as look:
        look.finish()
    assert look._process is not None
    assert look._process.returncode is not None


def test_the_process_ends_when_its_parent_is_killed() -> None:
    parent = (
        "import os\n"
        "from genomecli.corpus.look_beside import LookBeside\n"
        "look = LookBeside(apart=True).__enter__()\n"
        "print(look._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -9
    left, deadline = int(done.stdout), time.monotonic() + 60
    while _runs(left) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(left)


def _runs(number: int) -> bool:
    """Whether a process of this number is at work; one that has ended may wait for its end to be noted."""
    try:
        said = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False
    return said.rpartition(")")[2].split()[0] not in "ZX"
