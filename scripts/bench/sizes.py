"""Cost against size: seconds and memory of ``tokenize`` and ``pretrain`` as corpus, network and context grow.

    python -m scripts.bench.sizes -o bench              # 12 minutes, up to 8 GB of disk
    python -m scripts.bench.sizes -o bench --minutes 60 # all sizes, also on slow machines
    python -m scripts.bench.sizes --quick -o bench-quick

Each point is the real command in a process of its own; memory is the most that this process held for itself
(``RssAnon``, every 50 ms), that which draws the figure of a corpus included. Pages of mapped files do not
count, which the kernel may drop at any time; where the system does not tell (no ``/proc``), the cells stay
empty. Where a command fails, the row says with what, and larger ones are not tried: that is what breaks
first. The largest corpora come last; what would not end in ``--minutes``, going by the size before it, is not
begun, and its row says so.
Writes sizes.json, sizes.md and sizes.png.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.bench.harness import ROOT, held, machine, number
from scripts.bench.made import write_genome

THREADS = 2
CORPORA = (1.0, 10.0, 100.0, 1000.0, 3000.0)
"""Megabases."""

NETWORKS = {"tiny": 64, "mini": 128, "small": 256, "medium": 512}
CONTEXTS = (512, 1024, 2048, 4096, 8192, 16384)

TOKENIZE = "tokenize: {{species: [{{name: made, sources: [{{kind: genome, path: {path}}}]}}]}}\n"
PRETRAIN = """
pretrain:
  corpus: {corpus}
  model: {{preset: {preset}, context: {context}}}
  reading:
    molecules: [genome]
    context: {context}
    tokens_per_batch: {batch}
    tokens_per_step: {batch}
  log_every: 1
  validate_every: 0
  save_every: 0
  steps: {steps}
"""


@dataclass(frozen=True)
class Point:
    """One measurement.

    Args:
        grows: what is varied: corpus, network or context.
        size: its value, in words.
        x: its value as a number.
        seconds: of the whole command; None if it was not begun.
        mebibytes: most anonymous memory held; None if it was not begun, or the system does not say.
        rate: megabases or real tokens a second; None if it failed or was not begun.
        failed: what it ended with, or why it was not begun; empty otherwise.
    """

    grows: str
    size: str
    x: float
    seconds: float | None
    mebibytes: float | None
    rate: float | None
    failed: str = ""


def run(arguments: Sequence[str]) -> tuple[float, float | None, str]:
    """Run ``genomecli``.

    Returns:
        Seconds, MiB held at most (None where the system does not say), and the last line of a command that
        failed (empty otherwise).
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "genomecli", *arguments]
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
        most = 0.0
        while child.poll() is None:
            most = max(most, held(child.pid, children=True) or 0.0)
            time.sleep(0.05)
        seconds = time.perf_counter() - begin
        said.seek(0)
        lines = said.read().decode("utf-8", "replace").strip().splitlines() or [f"status {child.returncode}"]
    return seconds, most or None, lines[-1] if child.returncode else ""


class Clock:
    """How long there is still.

    Args:
        minutes: from now on.
    """

    def __init__(self, minutes: float) -> None:
        self._end = time.perf_counter() + 60 * minutes
        self._begun = self._last = 0.0

    def begins(self, growth: float) -> bool:
        """Whether there is time for a point that takes ``growth`` times the one before it; 0 for a first."""
        now = time.perf_counter()
        self._last, self._begun = now - self._begun if growth else 0.0, now
        return now + growth * self._last < self._end


def left_out(grows: str, size: str, x: float) -> Point:
    """A point that was not begun."""
    return Point(grows, size, x, None, None, None, "not tried, the time was up")


def corpora(folder: Path, sizes: Sequence[float], clock: Clock) -> list[Point]:
    """``tokenize`` of genomes of so many megabases."""
    points: list[Point] = []
    for index, megabases in enumerate(sizes):
        if not clock.begins(megabases / sizes[index - 1] if index else 0):
            points.append(left_out("corpus", f"{megabases:g} Mb", megabases))
            break
        path = write_genome(folder / "g.fa", megabases)
        config = folder / "t.yaml"
        config.write_text(TOKENIZE.format(path=path), encoding="utf-8")
        out = str(folder / "grown.corpus")
        seconds, most, failed = run(
            ["tokenize", "-q", "-c", str(config), "-o", out, "--force", "--workers", "1"]
        )
        rate = None if failed else megabases / seconds
        points.append(Point("corpus", f"{megabases:g} Mb", megabases, seconds, most, rate, failed))
        if failed:
            break
    return points


def trained(
    folder: Path, corpus: str, grows: str, size: str, x: float, preset: str, context: int, steps: int
) -> Point:
    """A few steps of ``pretrain``."""
    config, out = folder / "p.yaml", folder / "run"
    batch = max(8192, 2 * context)
    text = PRETRAIN.format(corpus=corpus, preset=preset, context=context, batch=batch, steps=steps)
    config.write_text(text, encoding="utf-8")
    given = ["--force", "--set", f"threads={THREADS}"]
    seconds, most, failed = run(["pretrain", "-q", "-c", str(config), "-o", str(out), *given])
    rate = None
    if not failed:
        lines = [json.loads(line) for line in (out / "speed.jsonl").read_text().splitlines()]
        rate = statistics.median(line["tokens_per_second"] for line in lines[1:])
    return Point(grows, size, x, seconds, most, rate, failed)


def measure(folder: Path, *, quick: bool, minutes: float = 12) -> list[Point]:
    """All points that fit into the time."""
    clock = Clock(minutes)
    path = write_genome(folder / "g.fa", 1.0 if quick else 10.0)
    config = folder / "t.yaml"
    config.write_text(TOKENIZE.format(path=path), encoding="utf-8")
    corpus = str(folder / "corpus")
    run(["tokenize", "-q", "-c", str(config), "-o", corpus])
    steps = 3 if quick else 5
    points = []
    for preset, width in list(NETWORKS.items())[: 2 if quick else None]:
        size = f"{preset}, width {width}"
        if not clock.begins(4 if points else 0):
            points.append(left_out("network", size, width))
            break
        points.append(trained(folder, corpus, "network", size, width, preset, 512, steps))
    for context in CONTEXTS[: 2 if quick else None]:
        size = f"{context:,} tokens"
        if not clock.begins(2 if context > CONTEXTS[0] else 0):
            points.append(left_out("context", size, context))
            break
        points.append(trained(folder, corpus, "context", size, context, "tiny", context, steps))
        if points[-1].failed:
            break
    return corpora(folder, CORPORA[:2] if quick else CORPORA, clock) + points


def markdown(points: Sequence[Point]) -> str:
    """The table."""
    lines = ["| what grows | size | seconds | MiB held at most | rate |", "|---|---|---|---|---|"]
    for point in points:
        unit = "Mb/s" if point.grows == "corpus" else "tokens/s"
        rate = f"failed: {point.failed}" if point.failed else f"{number(point.rate)} {unit}"
        cells = (point.grows, point.size, number(point.seconds), number(point.mebibytes), rate)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(points: Sequence[Point], path: Path) -> None:
    """Rate and memory against size, a column a thing that grows."""
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(point.grows for point in points))
    figure = Figure(figsize=(4 * len(kinds), 6), layout="constrained")
    axes = figure.subplots(2, len(kinds), squeeze=False)
    units = {"corpus": "megabases", "network": "width", "context": "tokens of context"}
    for column, kind in enumerate(kinds):
        own = [point for point in points if point.grows == kind and not point.failed]
        rate = "megabases a second" if kind == "corpus" else "real tokens a second"
        for row, (figures, label) in enumerate(
            (([p.rate for p in own], rate), ([p.mebibytes for p in own], "MiB held at most"))
        ):
            axis = axes[row][column]
            known = [(p.x, value) for p, value in zip(own, figures, strict=True) if value is not None]
            axis.plot([x for x, _ in known], [value for _, value in known], "o-", color="#0072b2")
            axis.set_xscale("log", base=10 if kind == "corpus" else 2)
            axis.set_xticks([p.x for p in own], [f"{p.x:g}" for p in own])
            axis.minorticks_off()
            axis.set_ylim(0, 1.1 * max((value for _, value in known), default=1.0))
            axis.set_xlabel(units[kind])
            axis.set_ylabel(label)
            axis.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--minutes", type=float, default=12, help="what would not end by then is not begun")
    parser.add_argument("-o", "--out", type=Path, default=Path("bench"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as name:
        points = measure(Path(name), quick=options.quick, minutes=options.minutes)
    options.out.mkdir(parents=True, exist_ok=True)
    found = {"machine": machine(), "points": [asdict(point) for point in points]}
    (options.out / "sizes.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (options.out / "sizes.md").write_text(markdown(points), encoding="utf-8")
    draw(points, options.out / "sizes.png")
    print(markdown(points))


if __name__ == "__main__":
    main()
