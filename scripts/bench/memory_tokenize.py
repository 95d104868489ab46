"""How much anonymous memory ``genomecli tokenize`` needs for a big genome: it must not grow with the genome.

Makes a FASTA of random bases (with soft-masked stretches and gaps) in a temporary folder, tokenizes it as a
user would, and samples ``RssAnon`` of the process and its children. Mapped file pages do not count.

    python -m scripts.bench.memory_tokenize                # 300 Mb, about a minute
    python -m scripts.bench.memory_tokenize --size 3000    # 3 Gb, needs 10 GB of disk
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from scripts.bench.harness import held

CONTIG = 150_000_000
LINE = 60
LIMIT = 500
"""MiB of anonymous memory that a genome of any size may take."""


def write_fasta(path: Path, megabases: int, seed: int = 0) -> None:
    """Contigs of 150 Mb; a million random bases, repeated with other case and gaps."""
    rng = np.random.default_rng(seed)
    left, number = megabases * 1_000_000, 0
    with open(path, "wb") as out:
        while left > 0:
            number += 1
            out.write(b">chr%d made up\n" % number)
            for _ in range(min(CONTIG, left) // 1_000_000):
                letters = rng.choice(np.frombuffer(b"ACGT", np.uint8), 1_000_020)
                letters[200_000:500_000] |= 32
                letters[900_000:901_000] = ord("N")
                lines = np.full((letters.size // LINE, LINE + 1), ord("\n"), np.uint8)
                lines[:, :LINE] = letters.reshape(-1, LINE)
                out.write(lines.tobytes())
            left -= CONTIG


def measure(folder: Path, fasta: Path, workers: int) -> tuple[float, float]:
    """Peak of ``tokenize`` and its workers together in MiB, and seconds, of one run."""
    config = folder / "tokenize.yaml"
    config.write_text(f"tokenize: {{species: [{{name: big, sources: [{{kind: genome, path: {fasta}}}]}}]}}\n")
    command = [sys.executable, "-m", "genomecli", "tokenize", "-c", str(config), "-o", str(folder / "corpus")]
    started, peak = time.monotonic(), 0.0
    with subprocess.Popen([*command, "--workers", str(workers)]) as process:
        while process.poll() is None:
            peak = max(peak, held(process.pid, children=True) or 0.0)
            time.sleep(0.05)
    if process.returncode:
        raise SystemExit(process.returncode)
    return peak, time.monotonic() - started


def main() -> int:
    """Make, measure, report; 1 if the limit is exceeded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=300, help="megabases (default 300)")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genomecli-memory-") as name:
        folder = Path(name)
        fasta = folder / "big.fa"
        write_fasta(fasta, arguments.size)
        peak, seconds = measure(folder, fasta, arguments.workers)
    rate = arguments.size / seconds
    print(f"{arguments.size} Mb: peak {peak:.0f} MiB anonymous, {seconds:.0f} s, {rate:.0f} Mb/s")
    return int(peak > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
