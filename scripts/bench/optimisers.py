"""Muon beside AdamW at three sizes: tokens, and seconds, to the loss that AdamW ends with.

    python -m scripts.bench.optimisers          # 1.3 M tokens a run, up to width 192: 12 minutes on two cores
    python -m scripts.bench.optimisers --full   # 1.6 M tokens, up to width 256: 25 minutes
    python -m scripts.bench.optimisers --rates 1e-3 2e-3 4e-3 --sizes 1    # each at the best of these rates
    python -m scripts.bench.optimisers --quick

Both train the same network on the codons of E. coli (made-up genes where GENOMECLI_DATA is not set), with the
same seed, batches and schedule; only ``optimiser.name`` differs, and with several ``--rates`` the learning
rate, which is for each the one that ends lowest. Validation losses are those of the run itself. Between two
validations the loss is taken to fall evenly.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from scripts.bench.harness import Row, genomecli, markdown
from scripts.bench.made import write_genes

SIZES = {"4 layers, width 64": (4, 64), "6 layers, width 128": (6, 128), "6 layers, width 192": (6, 192)}
FULL = {**dict(list(SIZES.items())[:2]), "6 layers, width 256": (6, 256)}
RATE = "1e-3"
"""Learning rate where none is given: that of ``pretrain``."""

THREADS = 2
CONFIG = """
tokenize:
  species: [{{name: made, code: 11, sources: [{{kind: cds, path: {path}}}]}}]
pretrain:
  corpus: {folder}/corpus
  model: {{preset: tiny, context: 256}}
  reading: {{molecules: [cds], context: 256, tokens_per_batch: 8192, tokens_per_step: 8192}}
  log_every: 10
  validate_every: {every}
  save_every: 0
  steps: {steps}
"""

Curve = list[tuple[int, float, float]]
"""Tokens, seconds and validation loss of each validation."""


def best_curve(
    folder: Path, config: Path, name: str, size: tuple[int, int], rates: Sequence[str]
) -> tuple[str, Curve]:
    """The run that ends lowest, and its learning rate; all ends are told on standard error."""
    found = {rate: curve(folder, config, name, size, rate) for rate in rates}
    for rate, points in found.items():
        print(f"{name}, width {size[1]}, rate {rate}: {points[-1][2]:.4f}", file=sys.stderr)
    best = min(found, key=lambda rate: found[rate][-1][2])
    return best, found[best]


def curve(folder: Path, config: Path, name: str, size: tuple[int, int], rate: str) -> Curve:
    """One run."""
    layers, width = size
    out = folder / f"{name}-{width}-{rate}"
    changes = [f"optimiser.name={name}", f"model.layers={layers}", f"model.width={width}"]
    changes += [f"optimiser.lr={rate}"]
    changes += [f"model.heads={width // 64}"]
    given = [word for change in changes for word in ("--set", f"pretrain.{change}")]
    options = ("--set", f"threads={THREADS}")
    genomecli("pretrain", "-q", "-c", str(config), "-o", str(out), *given, *options, threads=THREADS)
    speeds = [json.loads(line) for line in (out / "speed.jsonl").read_text().splitlines()]
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    tokens = {row["step"]: int(row["tokens"]) for row in rows if row["kind"] == "train"}
    found: Curve = []
    for row in rows:
        if row["kind"] == "validation" and row["step"] in tokens:
            spent = sum(speed["seconds"] for speed in speeds if speed["step"] <= row["step"])
            found.append((tokens[row["step"]], spent, row["loss"]))
    return found


def reached(points: Sequence[tuple[float, float]], goal: float) -> float | None:
    """Where a falling curve of (place, loss) first comes to ``goal``; None if it does not."""
    for (before, high), (after, low) in pairwise(points):
        if low <= goal < high:
            return before + (after - before) * (high - goal) / (high - low)
    return points[0][0] if points and points[0][1] <= goal else None


def compare(size: str, best: tuple[str, Curve], other: tuple[str, Curve]) -> list[Row]:
    """Tokens and seconds to the last loss of AdamW (``best``), of it and of Muon, each with its rate."""
    (rate, adamw), (muon_rate, muon) = best, other
    goal = adamw[-1][2]
    rows = []
    for what, place in (("tokens", 0), ("seconds", 1)):
        theirs = float(adamw[-1][place])
        ours = reached([(point[place], point[2]) for point in muon], goal)
        ratio = None if ours is None else theirs / ours
        rows.append(
            Row(
                "optimisers",
                f"{what} to AdamW's loss, {size}",
                what,
                ours,
                "AdamW",
                theirs,
                ratio,
                ratio,
                ratio,
                note=f"loss {goal:.3f} at rate {rate}; Muon ends at {muon[-1][2]:.3f} at rate {muon_rate}",
            )
        )
    return rows


def measure(
    *, quick: bool, full: bool = False, rates: Sequence[str] = (RATE,), sizes: int | None = None
) -> list[Row]:
    """Two rows a size, of the first so many sizes."""
    steps, every = (20, 10) if quick else (200 if full else 160, 20)
    data = os.environ.get("GENOMECLI_DATA")
    rows = []
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as name:
        folder = Path(name)
        path = Path(data or "") / "cds" / "ecoli_k12.cds.fa.gz"
        if not data or not path.exists():
            print("optimisers: no GENOMECLI_DATA, so genes are made up", file=sys.stderr)
            path = write_genes(folder / "genes.fa", 300 if quick else 4000)
        config = folder / "c.yaml"
        text = CONFIG.format(path=path, folder=folder, steps=steps, every=every)
        config.write_text(text, encoding="utf-8")
        genomecli("tokenize", "-q", "-c", str(config), "-o", f"{folder}/corpus")
        for name_of_size, size in list((FULL if full else SIZES).items())[: 1 if quick else sizes]:
            both = [best_curve(folder, config, one, size, rates) for one in ("adamw", "muon")]
            rows += compare(name_of_size, *both)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true", help="longer runs, and a larger network")
    parser.add_argument("--rates", nargs="+", default=[RATE], help="learning rates that both may take")
    parser.add_argument("--sizes", type=int, help="only so many networks, the smallest first")
    options = parser.parse_args()
    found = measure(quick=options.quick, full=options.full, rates=options.rates, sizes=options.sizes)
    print(markdown(found))


if __name__ == "__main__":
    main()
