"""Made-up files with the sizes of real ones: genomes, coding sequences, proteins; the same for a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

LINE = 60
CONTIG = 50_000_000
CODONS = np.array([a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"])
STOPS = ("TAA", "TAG", "TGA")
# Shares of the residues in UniProtKB/Swiss-Prot, ARNDCQEGHILKMFPSTWYV, in percent.
SHARES = (8.3, 5.5, 4.1, 5.5, 1.4, 3.9, 6.7, 7.1, 2.3, 5.9, 9.6, 5.8, 2.4, 3.9, 4.7, 6.6, 5.4, 1.1, 2.9, 6.9)
RESIDUES = "ARNDCQEGHILKMFPSTWYV"


def lengths(count: int, seed: int = 0) -> np.ndarray:
    """int64[count]: residues of proteins, log-normal with median 270 as in a bacterial proteome."""
    random = np.random.default_rng(seed)
    return np.clip(np.exp(random.normal(np.log(270), 0.6, count)), 30, 2400).astype(np.int64)


def write_genome(path: Path, megabases: float, seed: int = 0) -> Path:
    """Random bases in contigs of at most 50 Mb, 60 a line."""
    random = np.random.default_rng(seed)
    left, number = int(megabases * 1e6), 0
    with open(path, "wb") as out:
        while left > 0:
            number += 1
            size = min(left, CONTIG)
            out.write(b">contig%d\n" % number)
            _write_lines(out, random.choice(np.frombuffer(b"ACGT", np.uint8), size))
            left -= size
    return path


def write_proteins(path: Path, megabytes: float, seed: int = 0) -> Path:
    """Proteins with the lengths of a proteome and the composition of Swiss-Prot."""
    random = np.random.default_rng(seed)
    sizes = lengths(int(megabytes * 1e6 / 320) + 1, seed)
    letters = random.choice(
        np.frombuffer(RESIDUES.encode(), np.uint8), int(sizes.sum()), p=np.array(SHARES) / sum(SHARES)
    )
    with open(path, "wb") as out:
        begin = 0
        for number, size in enumerate(sizes.tolist()):
            out.write(b">p%d\n" % number)
            _write_lines(out, letters[begin : begin + size])
            begin += size
    return path


def write_genes(path: Path, count: int, seed: int = 0) -> Path:
    """Coding sequences of such lengths: ATG, sense codons with one and the same neighbour rule, TAA.

    A codon depends on the one before it, so that there is something to learn.
    """
    random = np.random.default_rng(seed)
    sense = np.array([codon for codon in CODONS if codon not in STOPS])
    usage = random.dirichlet(np.ones(len(sense)), size=len(sense))
    steps = usage.cumsum(axis=1)
    with open(path, "w", encoding="ascii") as out:
        for number, size in enumerate(lengths(count, seed).tolist()):
            codon, drawn = 0, random.random(size)
            words = []
            for value in drawn:
                codon = min(int(np.searchsorted(steps[codon], value)), len(sense) - 1)
                words.append(sense[codon])
            out.write(f">g{number}\nATG{''.join(words)}TAA\n")
    return path


def _write_lines(out, letters: np.ndarray) -> None:
    whole = len(letters) // LINE * LINE
    lines = np.full((whole // LINE, LINE + 1), ord("\n"), np.uint8)
    lines[:, :LINE] = letters[:whole].reshape(-1, LINE)
    out.write(lines.tobytes())
    if whole < len(letters):
        out.write(letters[whole:].tobytes() + b"\n")
