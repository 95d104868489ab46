"""Block permutations: amino acids dealt anew among the blocks of synonymous codons, and what MRR that gives.

Synonymous codons share bases and so are alike in almost any model; a null that shuffles single codons
ignores this and is too narrow. Here a block keeps its codons and only changes the amino acid it is said to
mean, so whatever codons have in common among themselves is in the null as well.

Legend: P permutations, n codons, A amino acids.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.ranks import Gold, rank_matrix


@dataclass(frozen=True, eq=False)
class NullMRR:
    """MRR under a null, one value a draw.

    Args:
        forward: float64[P], codon to amino acid.
        backward: float64[P], amino acid to the best of its codons.
    """

    forward: Floats
    backward: Floats


def block_permutations(gold: CodonGold, count: int, rng: np.random.Generator) -> Integers:
    """Random assignments of amino-acid rows to blocks; int64[count, A], row ``p`` maps block to amino acid.

    Amino acids are dealt among all blocks that have codons, whatever their size; the others, and a stop
    row (``*``), stay where they are.
    """
    movable = np.flatnonzero((gold.block_sizes > 0) & (np.array(list(gold.letters)) != "*"))
    dealt = np.tile(np.arange(len(gold.letters), dtype=np.int64), (count, 1))
    for row in dealt:
        row[movable] = rng.permutation(movable)
    return dealt


def block_permutation_null(similarity: ArrayLike, gold: CodonGold, permutations: Integers) -> NullMRR:
    """MRR of a fixed codon by amino-acid similarity under each permutation.

    Args:
        similarity: [n, A].
        gold: the code that counts as right.
        permutations: int64[P, A] from :func:`block_permutations`.
    """
    table = np.asarray(similarity, dtype=np.float64)
    amino = np.arange(len(gold.letters))
    forward_nA = np.stack(
        [rank_matrix(table, Gold.single(np.full(gold.n, row))).reciprocal for row in amino], axis=1
    )
    forward = np.stack([forward_nA[np.arange(gold.n), dealt[gold.classes]].mean() for dealt in permutations])
    present = np.flatnonzero(gold.block_sizes)
    # Reciprocal rank of the best codon of block b when amino acid a asks for it.
    backward_AA = np.full((len(amino), len(amino)), np.nan)
    for block in present:
        right = np.tile(gold.classes == block, (len(amino), 1))
        backward_AA[:, block] = rank_matrix(table.T, Gold.mask(right)).reciprocal
    backward = np.stack([backward_AA[dealt[present], present].mean() for dealt in permutations])
    return NullMRR(forward, backward)


def p_value(observed: float, null: ArrayLike) -> float:
    """Share of null draws at least as large, (1 + #) / (1 + P): never 0 (Phipson and Smyth 2010)."""
    draws = np.asarray(null, dtype=np.float64)
    return float((1 + np.count_nonzero(draws >= observed - 1e-12)) / (1 + draws.size))
