"""Embedding a proteome with one set of weights: ``genomecli embed`` beside two loops over transformers.

    python -m scripts.bench.embedding_speed

The network is a modern BERT of 6 layers and width 256 whose weights were trained for one step: speed does not
depend on them. Ours runs once a round, beside both peers. The goals are about the work: of the peers their
loops alone are timed, of ours the whole command less that of one short protein, measured just before. A last
row says what the command takes with its start.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from scripts.bench.harness import Row, compared, genomecli, last_number, markdown, rounds, run
from scripts.bench.made import write_proteins

THREADS = 2
GOALS = {"naive": 5.0, "extract": 2.0}
PEERS = {
    "naive": "transformers, batches of 8 in the order of the file",
    "extract": "transformers, as esm-extract: by length, 4096 tokens",
}
CONFIG = """
tokenize:
  species: [{{name: made, sources: [{{kind: protein, path: {folder}/some.fa}}]}}]
pretrain:
  corpus: {folder}/corpus
  model: {{preset: null, layers: 6, width: 256, context: 2600}}
  reading: {{molecules: [protein], context: 512, tokens_per_batch: 2048, tokens_per_step: 2048}}
  steps: 1
"""


def agree(first: Path, second: Path) -> float:
    """Least cosine between our vectors and the peer's."""
    ours, theirs = np.load(first).astype(np.float64), np.load(second).astype(np.float64)
    sizes = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return float(((ours * theirs).sum(axis=1) / sizes).min())


def measure(*, quick: bool, repeats: int = 2) -> list[Row]:
    """Both peers; the vectors must agree."""
    megabytes, repeats = (0.1, 1) if quick else (0.2, repeats)
    rows = []
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as name:
        folder = Path(name)
        proteins = write_proteins(folder / "all.fa", megabytes)
        one = folder / "one.fa"
        one.write_text(">one\nMKTAYIAKQR\n", encoding="ascii")
        write_proteins(folder / "some.fa", 0.1)
        config = folder / "c.yaml"
        config.write_text(CONFIG.format(folder=folder), encoding="utf-8")
        genomecli("tokenize", "-q", "-c", str(config), "-o", f"{folder}/corpus")
        genomecli("pretrain", "-q", "-c", str(config), "-o", f"{folder}/run")
        out = folder / "vectors.npy"

        starts: list[float] = []

        def command(fasta: Path, vectors: Path) -> float:
            begin = time.perf_counter()
            arguments = ["--model", f"{folder}/run", str(fasta), "-o", str(vectors), "--force", "-q"]
            genomecli("embed", *arguments, "--set", f"threads={THREADS}", threads=THREADS)
            return time.perf_counter() - begin

        def ours() -> float:
            starts.append(command(one, folder / "one.npy"))
            return command(proteins, out) - starts[-1]

        targets = {"naive": folder / "theirs.npy", "extract": folder / "theirs"}
        loop = [sys.executable, "-m", "scripts.bench.peers.embed_loops", f"{folder}/run", str(proteins)]
        theirs = [
            lambda c=(*loop, str(targets[way]), "--way", way): last_number(run(c, threads=THREADS))
            for way in PEERS
        ]
        both = rounds([ours, *theirs], repeats)
        for (way, peer), pairs in zip(PEERS.items(), both, strict=True):
            least = agree(out, targets[way]) if way == "naive" else None
            note = f"{megabytes:g} M residues, 6 layers, width 256, {THREADS} threads, starts left out"
            if least is not None:
                note += f", cosine to theirs at least {least:.4f}"
            rows.append(
                compared(
                    pairs,
                    benchmark="embedding",
                    what="mean vectors of a proteome",
                    unit="s",
                    peer=peer,
                    least=GOALS[way],
                    smaller=True,
                    note=note,
                )
            )
        whole = [mine + start for (mine, _), start in zip(both[0], starts, strict=True)]
        what = "the whole command, its start included"
        rows.append(Row("embedding", what, "s", statistics.median(whole), repeats=repeats))
    return rows


if __name__ == "__main__":
    print(markdown(measure(quick="--quick" in sys.argv)))
