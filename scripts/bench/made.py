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

YEAST_SHARES = (0.0, 0.01, *(step / 20 for step in range(1, 20)), 0.99, 1.0)
YEAST_LENGTHS = (
    *(16, 48, 96, 125, 158, 197, 228, 263, 297, 328, 364, 399),
    *(438, 475, 520, 569, 624, 696, 800, 945, 1216, 1796, 4910),
)
"""Residues of the 6,002 proteins of *Saccharomyces cerevisiae* at these shares of them, shortest first: the
lowest, 1 %, 5 %, and so on to 95 %, 99 %, the longest. Measured."""


def lengths(count: int, seed: int = 0) -> np.ndarray:
    """int64[count]: residues of proteins, log-normal with median 270 as in a bacterial proteome."""
    random = np.random.default_rng(seed)
    return np.clip(np.exp(random.normal(np.log(270), 0.6, count)), 30, 2400).astype(np.int64)


def yeast_lengths(count: int, seed: int = 0) -> np.ndarray:
    """int64[count]: residues of proteins, drawn between the quantiles of the yeast proteome."""
    drawn = np.random.default_rng(seed).random(count)
    return np.exp(np.interp(drawn, YEAST_SHARES, np.log(YEAST_LENGTHS))).round().astype(np.int64)


def texts_of(residues: np.ndarray, context: int) -> np.ndarray:
    """int64[N]: tokens of proteins' texts, with ``[CLS]`` and ``[SEP]``, cropped to the context."""
    return np.minimum(residues + 2, context)


def keys_seen(tokens: np.ndarray) -> float:
    """Tokens of the text that a token stands in, on average: the length-weighted mean.

    It is what attention's operations a token grow with; the plain mean would count too few.
    """
    return float((tokens.astype(np.float64) ** 2).sum() / tokens.sum())


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
    """Proteins with the lengths of a bacterial proteome and the composition of Swiss-Prot."""
    return write_proteins_of(path, lengths(int(megabytes * 1e6 / 320) + 1, seed), seed)


def write_proteins_of(path: Path, sizes: np.ndarray, seed: int = 0) -> Path:
    """Proteins of these lengths, int64[N], with the composition of Swiss-Prot."""
    random = np.random.default_rng(seed)
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
