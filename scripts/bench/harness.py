"""What all benchmarks share: two sides in turns, the median of their ratios, one table.

A side is timed as often as the other, in turns, so that a slow minute of the machine hits both. The ratio of
a row is the median over the pairs; its spread is the lowest and the highest of them.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("genomecli", "torch", "numpy", "transformers", "tokenizers", "biopython", "scikit-learn")
_threads: set[int] = set()
"""Numbers of threads that commands were given so far."""


@dataclass(frozen=True)
class Row:
    """One figure beside a peer's.

    Args:
        benchmark: short name of the benchmark.
        what: what was measured.
        unit: of both values, such as ``tokens/s``.
        ours: median of ours; None where it was not reached.
        peer: what a user would pick instead; empty where a figure stands alone.
        theirs: median of the peer's; None without a peer.
        ratio: how many times better ours is, the median over pairs; None without a peer.
        low: lowest ratio of a pair.
        high: highest ratio of a pair.
        repeats: pairs.
        goal: what was aimed at, in words.
        met: whether it was reached; None where there is no goal.
        note: what else must be said.
    """

    benchmark: str
    what: str
    unit: str
    ours: float | None
    peer: str = ""
    theirs: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    repeats: int = 1
    goal: str = ""
    met: bool | None = None
    note: str = ""


Measure = Callable[[], float]


def in_turns(ours: Measure, theirs: Measure, repeats: int) -> list[tuple[float, float]]:
    """Measure both sides in turns; every second pair begins with the other side."""
    return rounds([ours, theirs], repeats)[0]


def rounds(sides: Sequence[Measure], repeats: int) -> list[list[tuple[float, float]]]:
    """Measure several sides in turns, ours first and the others in every second round; ours is measured
    once a round and stands beside each of the others.

    Returns:
        For each of the others, pairs of ours and theirs.
    """
    found: list[list[float]] = []
    for number in range(repeats):
        order = list(range(len(sides)))[:: -1 if number % 2 else 1]
        measured = {side: sides[side]() for side in order}
        found.append([measured[side] for side in range(len(sides))])
    return [[(one[0], one[peer]) for one in found] for peer in range(1, len(sides))]


def compared(
    pairs: Sequence[tuple[float, float]],
    *,
    benchmark: str,
    what: str,
    unit: str,
    peer: str,
    least: float | None = None,
    smaller: bool = False,
    note: str = "",
) -> Row:
    """A row of two sides measured in turns.

    Args:
        pairs: ours and theirs, of each turn.
        benchmark: see :class:`Row`.
        what: see :class:`Row`.
        unit: see :class:`Row`.
        peer: see :class:`Row`.
        least: ratio that was aimed at.
        smaller: whether less is better (seconds, bytes).
        note: see :class:`Row`.
    """
    ratios = [theirs / ours if smaller else ours / theirs for ours, theirs in pairs]
    ratio = statistics.median(ratios)
    return Row(
        benchmark,
        what,
        unit,
        statistics.median(ours for ours, _ in pairs),
        peer,
        statistics.median(theirs for _, theirs in pairs),
        ratio,
        min(ratios),
        max(ratios),
        len(pairs),
        "" if least is None else f"at least {least:g} times",
        None if least is None else ratio >= least,
        note,
    )


def run(command: Sequence[str], *, threads: int = 1, quiet: bool = True) -> str:
    """Standard output of a command, with that many threads; its error output is shown if it fails.

    Raises:
        SystemExit: if it fails.
    """
    _threads.add(threads)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
    # What is installed has its bytecode; without it our modules, unlike the peer's, are compiled each time.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {done.returncode}:\n{done.stderr[-4000:]}")
    if not quiet:
        print(done.stderr, file=sys.stderr)
    return done.stdout


def genomecli(*arguments: str, threads: int = 1) -> str:
    """Standard output of ``genomecli`` with these arguments."""
    return run([sys.executable, "-m", "genomecli", *arguments], threads=threads)


def held(process: int, what: str = "RssAnon", *, children: bool = False) -> float | None:
    """MiB of memory that a process holds, as Linux tells it.

    Args:
        process: its id.
        what: a line of ``/proc/PID/status``: ``RssAnon``, anonymous memory now (no mapped files, which the
            kernel may drop at any time), or ``VmHWM``, the most resident memory so far.
        children: whether that of its children and of theirs is added.

    Returns:
        None where the system does not say, or the process has ended.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(f"{what}:")]
    if not found:
        return None
    return found[0] + sum(held(child, what) or 0.0 for child in _children(process)) if children else found[0]


def _children(process: int) -> list[int]:
    import psutil

    try:
        return [child.pid for child in psutil.Process(process).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def last_number(text: str) -> float:
    """The number in the last line of a peer's output."""
    return float(text.strip().splitlines()[-1].split()[-1])


def machine() -> dict[str, Any]:
    """What the figures hold for: processor, cores, memory, threads, versions, day."""
    import psutil

    names = [line for line in _cpuinfo() if line.startswith("model name")]
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "absent"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "date": date.today().isoformat(),
        "processor": names[0].split(":", 1)[1].strip() if names else platform.processor(),
        "cores": cores,
        "threads": {
            "here": int(os.environ.get("OMP_NUM_THREADS") or cores or 1),
            "commands": sorted(_threads),
        },
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "load before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": versions,
    }


def machine_line(found: Mapping[str, Any]) -> str:
    """What :func:`machine` gives, in one line for above a table."""
    threads, names = found["threads"], ("torch", "numpy", "transformers")
    commands = " or ".join(map(str, threads["commands"]))
    versions = ", ".join(f"{name} {found['versions'][name]}" for name in names)
    return (
        f"Measured on {found['date']}: {found['processor']}, {found['cores']} cores, {found['memory']}; "
        f"threads: {threads['here']} in this process{f', {commands} in commands' if commands else ''}; "
        f"{found['system']}, Python {found['python']}, {versions}."
    )


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def number(value: float | None) -> str:
    """A figure with three digits that count; empty for None."""
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def _is_number(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


def markdown(rows: Sequence[Row]) -> str:
    """The table of the README."""
    lines = [
        "| what | ours | beside | theirs | ratio (lowest to highest) | goal | reached |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f} ({row.low:.2f} to {row.high:.2f})"
        theirs = "" if row.theirs is None else f"{number(row.theirs)} {row.unit}"
        ours = f"{number(row.ours)} {row.unit}" if _is_number(row.ours) else "not reached"
        met = {True: "yes", False: "no", None: ""}[row.met]
        what = row.what + (f" ({row.note})" if row.note else "")
        cells = (what, ours, row.peer, theirs, ratio, row.goal, met)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _values(row: Row) -> dict[str, Any]:
    """What JSON can hold of a row: it has no NaN."""
    return asdict(row if _is_number(row.ours) else replace(row, ours=None))


def write(rows: Sequence[Row], seconds: float, folder: Path) -> None:
    """``bench.json`` and ``bench.md`` in a folder, both with the machine."""
    folder.mkdir(parents=True, exist_ok=True)
    here = machine()
    found = {"machine": here, "seconds": round(seconds), "rows": [_values(row) for row in rows]}
    (folder / "bench.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "bench.md").write_text(f"{machine_line(here)}\n\n{markdown(rows)}", encoding="utf-8")
