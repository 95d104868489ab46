"""One fault, tried once on one run: what was left, and whether the rerun ends as an undisturbed run does."""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from genomecli.errors import GenomecliError
from genomecli.files import MANIFEST, read_json, verify_manifest
from tests.faults.injected import killed_at_the_end, no_number, scarce_memory
from tests.faults.runs import Run, files_of, unsound

_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Whole:
    """An undisturbed run.

    Args:
        run: the command.
        folder: where its runs are tried.
        files: sha256 of what it left.
        seconds: that it took.
        records: that it holds.
    """

    run: Run
    folder: Path
    files: Mapping[str, str]
    seconds: float
    records: int


@dataclass
class Result:
    """What came of a fault.

    Attributes:
        tried: how often.
        survived: how often nothing was lost, and the rerun ended as an undisturbed run.
        lost: records.
        said: of those that did not survive.
        skipped: why it could not be tried, if so.
    """

    tried: int = 0
    survived: int = 0
    lost: int = 0
    said: list[str] = field(default_factory=list)
    skipped: str = ""

    def note(self, problem: str, lost: int = 0) -> None:
        """Count a try; ``problem`` is empty where it was survived."""
        self.tried += 1
        self.survived += not problem
        self.lost += lost
        if problem:
            self.said.append(problem)


def undisturbed(run: Run, folder: Path, records: int) -> Whole:
    """Run a command to its end."""
    place = folder / run.name / "whole"
    place.mkdir(parents=True)
    began = time.monotonic()
    code, said = run.start(run.out(place)).end()
    assert code == 0, said
    return Whole(run, folder, files_of(run.out(place)), time.monotonic() - began, records)


def place_for(whole: Whole) -> Path:
    """A new empty folder for a try."""
    place = whole.folder / whole.run.name / f"try{next(_NUMBERS)}"
    place.mkdir(parents=True)
    return place


def rerun(whole: Whole, place: Path, result: Result, *problems: str) -> None:
    """Look at what was left, run again with ``--resume``, and compare."""
    out = whole.run.out(place)
    problem = "; ".join(filter(None, (*problems, unsound(out, whole.files))))
    found = files_of(out) if out.exists() else {}
    code, said = 0, ""
    again = found != whole.files or not _is_finished(out)
    if again:
        code, said = whole.run.start(out, "--resume").end()
        found = files_of(out) if out.exists() else {}
    if code != 0:
        problem += f" the rerun ended with {code}: {said.strip()}"
    elif found != whole.files:
        changed = sorted(n for n in found.keys() | whole.files.keys() if found.get(n) != whole.files.get(n))
        problem += f" the rerun left other bytes: {', '.join(changed)}"
    left = [path.name for path in place.iterdir() if path.name.startswith(".")]
    if not problem and left and again:
        problem = f"leaves {', '.join(left)} behind"
    result.note(problem.strip(), 0 if found == whole.files else whole.records)


def _is_finished(out: Path) -> bool:
    beside = out.with_name(f"{out.name}.{MANIFEST}")
    return (beside if out.suffix else out / MANIFEST).is_file()


def signalled(whole: Whole, result: Result, number: int, code: int, random_: random.Random) -> None:
    """Send a signal at a random moment of the work; a run that was faster than it counts too."""
    place = place_for(whole)
    child = whole.run.start(whole.run.out(place))
    end = time.monotonic() + random_.uniform(0.05, 0.95) * whole.seconds
    while time.monotonic() < end or (number != signal.SIGKILL and not any(place.iterdir())):
        if child.process.exitcode is not None:
            break
        time.sleep(0.005)
    child.kill(number)
    found, said = child.end()
    # A signal that comes before the command is ready for it ends the process, and nothing is lost yet.
    problem = "" if found in (code, 0, -number) else f"ended with {found}, not {code}: {said.strip()}"
    if "Traceback" in said:
        problem += f" shows a traceback: {said[-300:]}"
    rerun(whole, place, result, problem)


def late_kill(whole: Whole, result: Result) -> None:
    """Kill a run that has finished its table; the next one cleans up after it."""
    place = place_for(whole)
    out = whole.run.out(place)
    code, said = whole.run.start(out, also=(killed_at_the_end,)).end()
    problem = "" if code == -9 and files_of(out) == whole.files else f"ended with {code}: {said.strip()}"
    code, said = whole.run.start(out, "--resume").end()
    problem = problem or ("" if code == 0 else f"the rerun ended with {code}: {said.strip()}")
    left = [path.name for path in place.iterdir() if path.name.startswith(".")]
    if not problem and left:
        problem = f"leaves {', '.join(left)} behind"
    result.note(problem, 0 if files_of(out) == whole.files else whole.records)


def too_full(whole: Whole, result: Result, limit: int) -> None:
    """No file may grow beyond ``limit`` bytes, as on a disk that is full; then there is room again."""
    place = place_for(whole)
    code, said = whole.run.start(whole.run.out(place), limit=limit).end()
    rerun(whole, place, result, _refusal(code, said, (0, 1, 2)))


def _refusal(code: int, said: str, allowed: tuple[int, ...]) -> str:
    if code not in allowed:
        return f"ended with {code}: {said.strip()[-300:]}"
    if "Traceback" in said or "Errno" in said:
        return f"shows a traceback or a bare error: {said[-300:]}"
    return ""


def in_place(
    whole: Whole, result: Result, prepare: Callable[[Path], str], free: Callable[[Path], None]
) -> None:
    """Run in a folder that was made unfit, which has to be refused in one line; then in the fit one.

    Args:
        whole: the undisturbed run.
        result: of the fault.
        prepare: makes the folder unfit; says why it cannot.
        free: makes it fit again.
    """
    place = place_for(whole)
    if why := prepare(place):
        result.skipped = why
        return
    try:
        code, said = whole.run.start(whole.run.out(place)).end()
    finally:
        free(place)
    problem = _refusal(code, said, (1, 2))
    if not problem and not said.strip().splitlines()[-1].startswith("genomecli: "):
        problem = f"says nothing clear: {said.strip()}"
    rerun(whole, place, result, problem)


def in_the_future(place: Path) -> None:
    """Give everything that a run left times ten years from now."""
    then = time.time() + 10 * 365 * 86400
    for path in [place, *place.rglob("*")]:
        os.utime(path, (then, then), follow_symlinks=False)


def out_of_memory(whole: Whole, result: Result) -> None:
    """Run where memory is scarce: batches are halved, said so, and nothing that counts changes.

    What is read off a network is the same bit for bit; training follows the same global batches, with other
    dropout.
    """
    place = place_for(whole)
    out = whole.run.out(place)
    code, said = whole.run.start(out, also=(scarce_memory,)).end()
    problem = _refusal(code, said, (0,))
    if not problem and "out of memory" not in said:
        problem = f"says nothing of the memory: {said.strip()}"
    trains = whole.run.name in ("pretrain", "finetune")
    if not problem and not trains and files_of(out) != whole.files:
        problem = "left other bytes than with more memory"
    if not problem and trains:
        problem = _other_steps(whole, out)
    result.note(problem, whole.records if problem else 0)


def _other_steps(whole: Whole, out: Path) -> str:
    """Whether a run is not whole, or took other steps than the undisturbed one."""
    try:
        verify_manifest(out)
    except GenomecliError as error:
        return str(error)
    undisturbed_out = whole.run.out(whole.folder / whole.run.name / "whole")
    found, wanted = (_steps(folder) for folder in (out, undisturbed_out))
    return "" if found == wanted else f"ended at {found} and not at {wanted}"


def _steps(folder: Path) -> dict[str, int]:
    """How far a run's last checkpoint is."""
    name = read_json(folder / "checkpoints" / "last.json")["checkpoint"]
    progress = read_json(folder / "checkpoints" / name / "state.json")["progress"]
    return {key: progress[key] for key in ("step", "tokens")}


def bad_loss(whole: Whole, result: Result) -> None:
    """A loss is no number: the run stops and names the records, or skips the step where it is told to."""
    place = place_for(whole)
    code, said = whole.run.start(whole.run.out(place), also=(no_number,)).end()
    problem = _refusal(code, said, (1,))
    if not problem and not ("no finite number at step" in said and "records " in said):
        problem = f"names no records: {said.strip()}"
    rerun(whole, place, result, problem)
    place = place_for(whole)
    skip = ("--set", f"{whole.run.name}.bad_loss=skip")
    code, said = whole.run.start(whole.run.out(place), *skip, also=(no_number,)).end()
    problem = _refusal(code, said, (0,)) or ("" if "is skipped" in said else f"says nothing: {said.strip()}")
    result.note(problem or _other_steps(whole, whole.run.out(place)))
