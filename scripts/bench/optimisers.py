"""Muon beside AdamW at three sizes: tokens, and seconds, to the loss that AdamW ends with.

    python -m scripts.bench.optimisers          # 1.3 M tokens a run, up to width 192: 12 minutes on two cores
    python -m scripts.bench.optimisers --full   # 1.6 M tokens, up to width 256: 25 minutes
    python -m scripts.bench.optimisers --quick

Both train the same network on the codons of E. coli (made-up genes where GENOMECLI_DATA is not set), with the
same seed, batches, learning rate and schedule; only ``optimiser.name`` differs. Validation losses are those
of the run itself. Between two validations the loss is taken to fall evenly.
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


def curve(folder: Path, config: Path, name: str, layers: int, width: int) -> Curve:
    """One run."""
    out = folder / f"{name}-{width}"
    changes = [f"optimiser.name={name}", f"model.layers={layers}", f"model.width={width}"]
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


def compare(size: str, adamw: Curve, muon: Curve) -> list[Row]:
    """Tokens and seconds of both to AdamW's last loss."""
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
                float("nan") if ours is None else ours,
                "AdamW",
                theirs,
                ratio,
                ratio,
                ratio,
                note=f"loss {goal:.3f}; Muon ends at {muon[-1][2]:.3f}",
            )
        )
    return rows


def measure(*, quick: bool, full: bool = False) -> list[Row]:
    """Two rows a size."""
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
        for size, (layers, width) in list((FULL if full else SIZES).items())[: 1 if quick else None]:
            both = [curve(folder, config, one, layers, width) for one in ("adamw", "muon")]
            rows += compare(size, *both)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true", help="longer runs, and a larger network")
    options = parser.parse_args()
    print(markdown(measure(quick=options.quick, full=options.full)))


if __name__ == "__main__":
    main()
