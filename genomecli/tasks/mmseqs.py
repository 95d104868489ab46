"""Clusters by the program ``mmseqs``, run as a subprocess in a folder that is removed afterwards."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from genomecli.corpus.genes import in_order
from genomecli.errors import RunError
from genomecli.runtime import thread_count
from genomecli.tasks.examples import Ints, SequenceColumn

COVERAGE = 0.8
"""Part of the shorter sequence that an alignment covers."""


def mmseqs_clusters(column: SequenceColumn, identity: float) -> Ints:
    """The cluster of each sequence: int64[n], numbered by first row.

    Args:
        column: n sequences.
        identity: least identity of two sequences that are joined.

    Raises:
        RunError: if mmseqs fails.
    """
    with tempfile.TemporaryDirectory(prefix="genomecli-mmseqs-") as folder:
        fasta = Path(folder) / "sequences.fasta"
        _write(fasta, column)
        _run(Path(folder), fasta, identity, column.alphabet)
        return _read(Path(folder) / "found_cluster.tsv", len(column))


def _write(path: Path, column: SequenceColumn) -> None:
    with path.open("w", encoding="ascii") as handle:
        for row in range(len(column)):
            handle.write(f">{row}\n{column.text(row)}\n")


def _run(folder: Path, fasta: Path, identity: float, alphabet: str) -> None:
    kind = "2" if alphabet == "dna" else "1"
    command = ["mmseqs", "easy-cluster", str(fasta), str(folder / "found"), str(folder / "scratch")]
    command += ["--dbtype", kind, "--min-seq-id", f"{identity:g}", "-c", str(COVERAGE), "--cov-mode", "1"]
    if alphabet == "dna":  # the usual words of 15 bases miss copies that differ in a tenth of their letters
        command += ["-k", "11", "--kmer-per-seq", "1000"]
    command += ["--cluster-mode", "1", "--threads", str(thread_count()), "-v", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        raise RunError(f"mmseqs failed: {said}", fix="set split.method to kmer")


def _read(path: Path, rows: int) -> Ints:
    leader = np.arange(rows, dtype=np.int64)
    for line in path.read_text(encoding="ascii").splitlines():
        first, _, member = line.partition("\t")
        leader[int(member)] = int(first)
    return in_order(leader)
