"""How long until something happens: ``--help``, ``info``, the first training step.

python -m scripts.bench.start_speed
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from scripts.bench.harness import Row, genomecli, markdown
from scripts.bench.made import write_genes

CONFIG = """
tokenize:
  species: [{{name: made, sources: [{{kind: cds, path: {folder}/genes.fa}}]}}]
pretrain: {{corpus: {folder}/corpus, steps: 1, log_every: 1, reading: {{molecules: [cds]}}}}
"""


def _times(*arguments: str, repeats: int) -> float:
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        genomecli(*arguments)
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def _row(what: str, seconds: float, goal: float, repeats: int) -> Row:
    text = f"under {goal:g} s"
    return Row("start", what, "s", seconds, repeats=repeats, goal=text, met=seconds < goal)


def measure(*, quick: bool, repeats: int = 5) -> list[Row]:
    """Seconds of whole processes, medians."""
    repeats = 2 if quick else repeats
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as name:
        folder = Path(name)
        write_genes(folder / "genes.fa", 4000)
        config = folder / "c.yaml"
        config.write_text(CONFIG.format(folder=folder), encoding="utf-8")
        rows = [_row("`genomecli --help`", _times("--help", repeats=repeats), 0.3, repeats)]
        genomecli("tokenize", "-q", "-c", str(config), "-o", f"{folder}/corpus")
        rows.append(
            _row("`genomecli info CORPUS`", _times("info", f"{folder}/corpus", repeats=repeats), 1, repeats)
        )
        begins = []
        for _ in range(max(1, repeats // 2)):
            begin = time.time()
            genomecli("pretrain", "-q", "-c", str(config), "-o", f"{folder}/run", "--force")
            line = json.loads((folder / "run" / "metrics.jsonl").read_text().splitlines()[0])
            begins.append(line["time"] - begin if "time" in line else time.time() - begin)
        what = "`genomecli pretrain`, a step, its checkpoint and figures"
        rows.append(_row(what, statistics.median(begins), 10, len(begins)))
    return rows


if __name__ == "__main__":
    print(markdown(measure(quick="--quick" in sys.argv)))
