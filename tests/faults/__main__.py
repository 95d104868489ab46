"""Try every fault and print a table: ``python -m tests.faults [--times 20] [--only kill] [--command embed]``.

The exit code is 1 if a fault was not survived or a record was lost.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from genomecli.files import locked
from genomecli.training.checkpoint import find_checkpoint
from tests.faults.damage import DAMAGES, damaged, halted, readers
from tests.faults.injected import backwards
from tests.faults.made import RECORDS, make_runs
from tests.faults.made_read import make_readers
from tests.faults.runs import Run, files_of
from tests.faults.trials import (
    Result,
    Whole,
    bad_loss,
    in_place,
    in_the_future,
    late_kill,
    out_of_memory,
    place_for,
    rerun,
    signalled,
    too_full,
    undisturbed,
)

COLUMNS = ("fault", "command", "tried", "survived", "records lost")
SIGNALS = {
    "kill -9": (signal.SIGKILL, -9),
    "Ctrl-C": (signal.SIGINT, 130),
    "closed terminal": (signal.SIGHUP, 75),
    "TERM": (signal.SIGTERM, 75),
    "USR1": (signal.SIGUSR1, 75),
}
"""Signal, and the exit code that it ends in."""
LIMITS = (0, 300, 3_000, 20_000, 60_000)
"""Bytes that a file may have where the disk is full."""


def unmount(place: Path) -> None:
    """Take a mount away again."""
    subprocess.run(["umount", str(place)], check=True, capture_output=True)


def read_only(place: Path) -> str:
    """Mount a folder read-only upon itself; why that cannot be."""
    for command in (["mount", "--bind"], ["mount", "-o", "remount,bind,ro"]):
        words = [*command, str(place), str(place)] if "--bind" in command else [*command, str(place)]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        if done.returncode:
            return f"cannot mount here: {done.stderr.strip()}"
    return ""


def small(place: Path) -> str:
    """Mount a disk of 16 KiB there; why that cannot be."""
    words = ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(place)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    return f"cannot mount here: {done.stderr.strip()}" if done.returncode else ""


def busy(whole: Whole, result: Result) -> None:
    """Write where another run is writing."""
    place = place_for(whole)
    out = whole.run.out(place)
    with locked(out.with_name(f".{out.name}.lock")):
        code, said = whole.run.start(out).end()
    fine = code == 2 and "another run is writing it" in said
    rerun(whole, place, result, "" if fine else f"ended with {code}: {said}")


def odd_clock(whole: Whole, result: Result) -> None:
    """Run while the clock goes back, stop halfway, and go on with files from the future."""
    place = place_for(whole)
    child = whole.run.start(whole.run.out(place), also=(backwards,))
    code, said = child.end()
    problem = "" if code == 0 else f"ended with {code}: {said}"
    if not problem and files_of(whole.run.out(place)) != whole.files:
        problem = "left other bytes under a clock that goes back"
    result.note(problem, whole.records if problem else 0)
    place = place_for(whole)
    child = whole.run.start(whole.run.out(place))
    child.process.join(whole.seconds / 2)
    child.kill(signal.SIGKILL)
    child.end()
    in_the_future(place)
    rerun(whole, place, result)


def pipe(whole: Whole, result: Result, folder: Path) -> None:
    """``genomecli embed ... | head -1``."""
    words = [sys.executable, "-m", "genomecli", *whole.run.name.split(), *whole.run.piped]
    with open(folder / "pipe.txt", "wb") as said:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=said)
        assert process.stdout is not None
        line = process.stdout.readline()
        process.stdout.close()
        code = process.wait(timeout=120)
    text = (folder / "pipe.txt").read_text()
    fine = (
        code == 141
        and line.startswith(whole.run.head)
        and "Traceback" not in text
        and "BrokenPipe" not in text
    )
    result.note("" if fine else f"ended with {code}: {text}")


def within(whole: Whole) -> dict[str, Callable[[Whole, Result], None]]:
    """The faults that a command meets from within, by name: it has a network, or trains one."""
    found = {}
    if whole.run.name not in ("tokenize", "mrr-compare --decipher"):
        found["out of memory"] = out_of_memory
    if whole.run.ending:
        found["kill -9 at the very end"] = late_kill
    if whole.run.name in ("pretrain", "finetune"):
        found["loss that is no number"] = bad_loss
    return found


def faults(wholes: list[Whole], folder: Path, times: int, seed: int) -> Iterator[tuple[str, str, Result]]:
    """Every fault on every command that it can meet, as (fault, command, result)."""
    for whole in wholes:
        random_ = random.Random(f"{seed} {whole.run.name}")
        for name, (number, code) in SIGNALS.items():
            result = Result()
            for _ in range(times if name == "kill -9" else max(2, times // 5)):
                signalled(whole, result, number, code, random_)
            yield name, whole.run.name, result
        result = Result()
        for limit in LIMITS:
            too_full(whole, result, limit)
        yield "file size limit", whole.run.name, result
        for name, prepare in (("full disk", small), ("read-only folder", read_only)):
            result = Result()
            in_place(whole, result, prepare, unmount)
            yield name, whole.run.name, result
        for name, fault in (("output in use", busy), ("odd clock", odd_clock)):
            result = Result()
            fault(whole, result)
            yield name, whole.run.name, result
        for name, fault in within(whole).items():
            result = Result()
            fault(whole, result)
            yield name, whole.run.name, result
        if whole.run.piped:
            result = Result()
            for _ in range(2):
                pipe(whole, result, folder)
            yield "reader leaves (| head -1)", whole.run.name, result


def damages(runs: Mapping[str, Run], folder: Path) -> Iterator[tuple[str, str, Result]]:
    """Each damage of each file that a command reads, and of a checkpoint that it goes on from."""
    for name in ("pretrain", "finetune"):
        out = halted(runs[name], folder)
        place = find_checkpoint(out, prefer="last")
        for damage in DAMAGES:
            result = Result()
            for path in sorted(place.iterdir()):
                if path.name != "manifest.json":
                    damaged(place, path.name, damage, runs[name].argv(out, "--resume"), result)
            yield f"{damage}, own checkpoint", f"{name} --resume", result
    for damage in DAMAGES:
        for reader, files in readers(folder, runs).items():
            result = Result()
            for place, file, argv in files:
                damaged(place, file, damage, argv, result)
            command, _, what = reader.partition(", ")
            yield f"{damage}, {what}", command, result


def main() -> int:
    """Run the faults; the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=20, help="kills of each command")
    options.add_argument("--command", default="", help="of these commands only, with commas between")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    print("\t".join(COLUMNS), flush=True)
    bad = 0
    try:
        runs = (*make_runs(folder / "in"), *make_readers(folder / "in"))
        chosen = [run for run in runs if run.name in (given.command or run.name).split(",")]
        wholes = [undisturbed(run, folder, RECORDS) for run in chosen]
        done = faults(wholes, folder, given.times, given.seed)
        for fault, command, result in done:
            bad += _show(fault, command, result)
        if len(chosen) == len(runs) or given.command == "none":
            for fault, command, result in damages({run.name: run for run in runs}, folder):
                bad += _show(fault, command, result)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if bad else 0


def _show(fault: str, command: str, result: Result) -> bool:
    cells = (result.tried, result.survived, result.lost)
    shown = f"skipped: {result.skipped}" if result.skipped else "\t".join(map(str, cells))
    print(f"{fault}\t{command}\t{shown}", flush=True)
    for said in result.said:
        print(f"  {said}", file=sys.stderr, flush=True)
    return result.survived < result.tried


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
