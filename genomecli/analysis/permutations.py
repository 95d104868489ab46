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

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.gold import CodonGold


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


def block_permutation_null(
    similarity: ArrayLike, gold: CodonGold, permutations: Integers, *, among: Booleans | None = None
) -> NullMRR:
    """MRR of a fixed codon by amino-acid similarity under each permutation.

    Args:
        similarity: [n, A].
        gold: the code that counts as right.
        permutations: int64[P, A] from :func:`block_permutations`.
        among: bool[n], codons that ask in ``forward``; all by default.
    """
    table = np.asarray(similarity, dtype=np.float64)
    tolerance = 1e-12 * float(np.abs(table).max(initial=0.0))
    forward_nA = _reciprocal(table[:, None, :], table[:, :, None], 1, tolerance)
    asking = np.arange(gold.n) if among is None else np.flatnonzero(among)
    forward = forward_nA[asking, permutations[:, gold.classes[asking]]].mean(axis=1)
    present = np.flatnonzero(gold.block_sizes)
    # Reciprocal rank of the best codon of block b when amino acid a asks for it; other codons are wrong.
    own_bn = gold.classes[None, :] == present[:, None]
    best_Ab = np.where(own_bn, table.T[:, None, :], -np.inf).max(axis=2)
    wrong_Abn = np.where(own_bn, -np.inf, table.T[:, None, :])
    backward_Ab = _reciprocal(wrong_Abn, best_Ab[:, :, None], 0, tolerance)
    backward = backward_Ab[permutations[:, present], np.arange(len(present))].mean(axis=1)
    return NullMRR(forward, backward)


def _reciprocal(scores: Floats, right: Floats, own: int, tolerance: float) -> Floats:
    """1 / rank of scores among those of the last axis, ties at mean rank; ``own`` of these are themselves."""
    above = np.count_nonzero(scores > right + tolerance, axis=-1)
    level = np.count_nonzero(scores >= right - tolerance, axis=-1) - own
    reciprocal: Floats = 1.0 / (1.0 + 0.5 * (above + level))
    return reciprocal


def p_value(observed: float, null: ArrayLike) -> float:
    """Share of null draws at least as large, (1 + #) / (1 + P): never 0 (Phipson and Smyth 2010).

    Args:
        observed: the figure; draws within 1e-12 of it count as equal.
        null: float[P], without NaN.
    """
    draws = np.asarray(null, dtype=np.float64)
    return float((1 + np.count_nonzero(draws >= observed - 1e-12)) / (1 + draws.size))
