"""Pretraining beside Hugging Face's Trainer, at its defaults and well tuned: real tokens a second.

    python -m scripts.bench.training_speed

The network is BERT of 4 layers and width 256 (classic-mini) on both sides, texts are coding sequences with
the lengths of a bacterial proteome. Each side runs as its own command, as its users run it, in turns; ours
once a round, beside both of Trainer's ways. The first steps are not counted.
"""

from __future__ import annotations

import functools
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from scripts.bench.harness import Row, compared, genomecli, last_number, markdown, rounds, run
from scripts.bench.made import write_genes, write_proteins

LAYERS, WIDTH, HEADS, CONTEXT = 4, 256, 4, 512
TOKENS = 16_384
THREADS = 2
GOALS = {False: 5.0, True: 1.8}
STEPS = 9
"""Of ours, three of which are not counted."""

MINUTES = {False: 0.25, True: 0.4}
"""Of Trainer, with its start; tuned its steps are as large as ours, and longer."""


CONFIG = """
tokenize:
  species: [{{name: made, sources: [{{kind: {kind}, path: {path}}}]}}]
pretrain:
  corpus: {folder}/{kind}.corpus
  model: {{preset: classic-mini, layers: {layers}, width: {width}, heads: {heads}, context: {context}}}
  reading:
    molecules: [{kind}]
    context: {context}
    tokens_per_batch: {tokens}
    tokens_per_step: {tokens}
  objectives: {{mlm: {{rate: 0.15}}}}
  log_every: 1
  steps: 1
"""


def prepared(folder: Path, kind: str, path: Path) -> Path:
    """A config, its corpus made."""
    config = folder / f"{kind}.yaml"
    values = {"layers": LAYERS, "width": WIDTH, "heads": HEADS, "context": CONTEXT, "tokens": TOKENS}
    config.write_text(CONFIG.format(kind=kind, path=path, folder=folder, **values), encoding="utf-8")
    genomecli("tokenize", "-q", "-c", str(config), "-o", f"{folder}/{kind}.corpus")
    return config


def our_rate(folder: Path, config: Path, steps: int, warm: int) -> float:
    """Real tokens a second of ``genomecli pretrain`` after the first steps."""
    out = folder / "run"
    genomecli(
        "pretrain",
        "-q",
        "-c",
        str(config),
        "-o",
        str(out),
        "--force",
        "--set",
        f"pretrain.steps={steps}",
        "--set",
        f"threads={THREADS}",
        threads=THREADS,
    )
    lines = [json.loads(line) for line in (out / "speed.jsonl").read_text().splitlines()]
    return statistics.median(line["tokens_per_second"] for line in lines[warm:])


def peer_rate(path: Path, kind: str, minutes: float, *, tuned: bool) -> Callable[[], float]:
    """The same of Trainer."""
    command = [sys.executable, "-m", "scripts.bench.peers.trainer", str(path), "--molecule", kind]
    command += ["--layers", str(LAYERS), "--width", str(WIDTH), "--heads", str(HEADS)]
    command += ["--context", str(CONTEXT), "--minutes", str(minutes), "--warm", "2"]
    # Sequences of about 280 tokens: as many tokens a step as ours.
    command += ["--tuned", "--batch", str(TOKENS // 280)] if tuned else []
    return lambda: last_number(run(command, threads=THREADS))


def measure(*, quick: bool, repeats: int = 3) -> list[Row]:
    """Coding sequences and proteins, beside Trainer at its defaults and tuned."""
    steps, repeats = (6, 1) if quick else (STEPS, repeats)
    rows = []
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as name:
        folder = Path(name)
        files = {
            "cds": write_genes(folder / "genes.fa", 1500),
            "protein": write_proteins(folder / "p.fa", 0.6),
        }
        for kind, path in files.items():
            config = prepared(folder, kind, path)
            what = f"pretraining on {'coding sequences' if kind == 'cds' else 'proteins'}"
            theirs = [peer_rate(path, kind, MINUTES[tuned], tuned=tuned) for tuned in (False, True)]
            ours = functools.partial(our_rate, folder, config, steps, 3)
            for tuned, pairs in zip((False, True), rounds([ours, *theirs], repeats), strict=True):
                peer = f"Trainer, {'tuned' if tuned else 'at its defaults'}"
                rows.append(
                    compared(
                        pairs,
                        benchmark="training",
                        what=what,
                        unit="tokens/s",
                        peer=peer,
                        least=GOALS[tuned],
                        note=f"BERT, {LAYERS} layers, width {WIDTH}, {THREADS} threads",
                    )
                )
    return rows


if __name__ == "__main__":
    print(markdown(measure(quick="--quick" in sys.argv)))
