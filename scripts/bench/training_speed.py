"""Pretraining beside Hugging Face's Trainer, at its defaults and well tuned: real tokens a second.

    python -m scripts.bench.training_speed

The network is BERT of 4 layers and width 256 (classic-mini) on both sides, texts are coding sequences with
the lengths of a bacterial proteome. Each side runs as its own command, as its users run it, in turns; ours
once a round, beside all of Trainer's ways: at its defaults, with BertConfig's dropout of .1; the same without
dropout, as ours and modern recipes are; tuned. The first steps are not counted.
"""

from __future__ import annotations

import functools
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.bench.harness import Row, compared, genomecli, last_number, markdown, rounds, run
from scripts.bench.made import write_genes, write_proteins

LAYERS, WIDTH, HEADS, CONTEXT = 4, 256, 4, 512
TOKENS = 16_384
THREADS = 2
STEPS = 9
"""Of ours, three of which are not counted."""

MINUTES = 0.25
"""Of Trainer at its defaults, with its start."""

TEXTS = TOKENS // 280
"""Texts of a batch of Trainer, tuned: as many tokens as ours, on average."""

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


@dataclass(frozen=True)
class Way:
    """A way to run Trainer.

    Args:
        name: in words.
        options: of the peer's command, besides those of the network.
        least: how many times as fast ours is to be.
    """

    name: str
    options: tuple[str, ...]
    least: float | None = None


def ways(texts: int) -> list[Way]:
    """Trainer at its defaults, without dropout, and tuned, over ``texts`` texts."""
    timed = ("--minutes", str(MINUTES), "--warm", "2")
    # Lengths fall from batch to batch of a group, so that a fair rate takes all of them.
    group = max(1, min(texts // (TEXTS * 4), 50))
    whole = ("--tuned", "--batch", str(TEXTS), "--warm", "1", "--steps", str(group))
    return [
        Way("Trainer, at its defaults", timed, 5.0),
        Way("Trainer, at its defaults, no dropout", (*timed, "--dropout", "0")),
        Way("Trainer, tuned, no dropout", whole, 1.8),
    ]


def peer_rate(path: Path, kind: str, way: Way) -> Callable[[], float]:
    """Real tokens a second of Trainer."""
    command = [sys.executable, "-m", "scripts.bench.peers.trainer", str(path), "--molecule", kind]
    command += ["--layers", str(LAYERS), "--width", str(WIDTH), "--heads", str(HEADS)]
    command += ["--context", str(CONTEXT), *way.options]
    return lambda: last_number(run(command, threads=THREADS))


def measure(*, quick: bool, repeats: int = 2) -> list[Row]:
    """Coding sequences and proteins, beside all ways of Trainer."""
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
            texts = path.read_bytes().count(b">")
            chosen = ways(texts)
            theirs = [peer_rate(path, kind, way) for way in chosen]
            ours = functools.partial(our_rate, folder, config, steps, 3)
            for way, pairs in zip(chosen, rounds([ours, *theirs], repeats), strict=True):
                rows.append(
                    compared(
                        pairs,
                        benchmark="training",
                        what=what,
                        unit="tokens/s",
                        peer=way.name,
                        least=way.least,
                        note=f"BERT, {LAYERS} layers, width {WIDTH}, context {CONTEXT}, {THREADS} threads",
                    )
                )
    return rows


if __name__ == "__main__":
    print(markdown(measure(quick="--quick" in sys.argv)))
