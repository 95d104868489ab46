"""Try every fault and print a table: ``python -m tests.faults [--times 20] [--only kill] [--command embed]``.

The exit code is 1 if a fault was not survived or a record was lost.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from genomecli.files import locked
from tests.faults.damage import DAMAGES, damaged
from tests.faults.runs import files_of, make_runs, start
from tests.faults.trials import (
    Result,
    Whole,
    backwards,
    in_place,
    in_the_future,
    place_for,
    rerun,
    signalled,
    too_full,
    undisturbed,
)

COLUMNS = ("fault", "command", "tried", "survived", "records lost")
SIGNALS = {"kill -9": ("SIGKILL", -9), "Ctrl-C": ("SIGINT", 130), "closed terminal": ("SIGHUP", 75)}
LIMITS = (0, 300, 3_000, 20_000, 60_000)
"""Bytes that a file may have where the disk is full."""

TESTS = {
    "out of memory": "memory",
    "loss that is no number": "bad_loss or no_number",
}


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
        code, said = start(whole.run.argv(out)).end()
    fine = code == 2 and "another run is writing it" in said
    rerun(whole, place, result, "" if fine else f"ended with {code}: {said}")


def odd_clock(whole: Whole, result: Result) -> None:
    """Run while the clock goes back, stop halfway, and go on with files from the future."""
    place = place_for(whole)
    child = start(whole.run.argv(whole.run.out(place)), before=backwards)
    code, said = child.end()
    problem = "" if code == 0 else f"ended with {code}: {said}"
    if not problem and files_of(whole.run.out(place)) != whole.files:
        problem = "left other bytes under a clock that goes back"
    result.note(problem, whole.records if problem else 0)
    place = place_for(whole)
    child = start(whole.run.argv(whole.run.out(place)))
    child.process.join(whole.seconds / 2)
    child.kill(signal.SIGKILL)
    child.end()
    in_the_future(place)
    rerun(whole, place, result)


def pipe(whole: Whole, result: Result, folder: Path) -> None:
    """``genomecli embed ... | head -1``."""
    words = [sys.executable, "-m", "genomecli", whole.run.name, *whole.run.arguments]
    with open(folder / "pipe.txt", "wb") as said:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=said)
        assert process.stdout is not None
        line = process.stdout.readline()
        process.stdout.close()
        code = process.wait(timeout=120)
    text = (folder / "pipe.txt").read_text()
    fine = code == 141 and line.startswith(b"id\t") and "Traceback" not in text and "BrokenPipe" not in text
    result.note("" if fine else f"ended with {code}: {text}")


def suite(name: str, result: Result) -> None:
    """The tests of the suite that inject it."""
    files = ["tests/unit/training/test_loop.py", "tests/unit/inference/test_engine.py"]
    words = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=--import-mode=importlib"]
    words += ["-p", "no:cacheprovider", *files, "-k", TESTS[name]]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    passed, failed = (
        int(found.group(1)) if (found := re.search(rf"(\d+) {word}", done.stdout)) else 0
        for word in ("passed", "failed")
    )
    if not passed and not failed:
        result.note(f"no test ran: {done.stdout[-200:]}")
    for _ in range(passed):
        result.note("")
    for _ in range(failed):
        result.note(done.stdout[-300:])


def faults(wholes: list[Whole], folder: Path, times: int, seed: int) -> Iterator[tuple[str, str, Result]]:
    """Every fault on every command that it can meet, as (fault, command, result)."""
    for whole in wholes:
        random_ = random.Random(f"{seed} {whole.run.name}")
        for name, (number, code) in SIGNALS.items():
            result = Result()
            for _ in range(times if name == "kill -9" else max(2, times // 5)):
                signalled(whole, result, getattr(signal, number), code, random_)
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
        if whole.run.name == "embed":
            result = Result()
            for _ in range(2):
                pipe(whole, result, folder)
            yield "reader leaves (| head -1)", whole.run.name, result


def damages(wholes: list[Whole], folder: Path) -> Iterator[tuple[str, str, Result]]:
    """Each damage of each file of a corpus and of a checkpoint."""
    by_name = {whole.run.name: whole.run for whole in wholes}
    corpus, model = folder / "in" / "corpus", folder / "in" / "model" / "run"
    checkpoint = next(iter((model / "checkpoints").glob("step-*")))
    given = {
        corpus: [*by_name["pretrain"].argv(folder / "nowhere"), "--dry-run"],
        checkpoint: [*by_name["embed"].argv(folder / "nowhere.parquet")],
    }
    for damage in DAMAGES:
        for place, argv in given.items():
            result = Result()
            for path in sorted(place.iterdir()):
                unread = path.name == "optimizer.safetensors"
                if path.name not in ("run.json", "manifest.json"):
                    words = ["info", str(place), "--verify"] if unread else argv
                    damaged(place, path.name, damage, words, result)
            yield f"{damage}, {'corpus' if place == corpus else 'checkpoint'}", "readers", result


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
        runs = make_runs(folder / "in")
        chosen = [run for run in runs if run.name in (given.command or run.name).split(",")]
        wholes = [undisturbed(run, folder, 60) for run in chosen]
        done = faults(wholes, folder, given.times, given.seed)
        for fault, command, result in done:
            bad += _show(fault, command, result)
        if len(chosen) == len(runs) or given.command == "none":
            everything = wholes or [Whole(run, folder, {}, 0.0, 0) for run in runs]
            for fault, command, result in damages(everything, folder):
                bad += _show(fault, command, result)
            for fault in TESTS:
                suite(fault, result := Result())
                bad += _show(fault, "training, inference", result)
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
