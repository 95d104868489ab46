"""Chance: computed exactly where queries are independent, simulated for each similarity where they are not.

Exact: without signal every order of the candidates is equally likely, so the best of m right ones among N
has rank r with probability C(N - r, m - 1) / C(N, m).

Legend: Q queries, n codons, A amino acids, P draws.
"""

from __future__ import annotations

import numpy as np

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.held_out import held_out_null
from genomecli.analysis.permutations import NullMRR, block_permutation_null, block_permutations
from genomecli.analysis.similarity import similarity as similarity_of

_PERMUTATIONS_A_DRAW = 20


def rank_probabilities(candidates: int, right: int = 1) -> Floats:
    """Probability of rank 1, 2, ... of the best of ``right`` among ``candidates``; float64[candidates].

    Raises:
        ValueError: ``right`` is below 1 or above ``candidates``.
    """
    if not 1 <= right <= candidates:
        raise ValueError(f"{right} right ones among {candidates} candidates")
    # P(r+1) / P(r) = (N - r - m + 1) / (N - r), from P(1) = m / N.
    rank = np.arange(1, candidates)
    ratios = np.maximum(candidates - rank - right + 1, 0) / (candidates - rank)
    first = np.array([right / candidates], dtype=np.float64)
    probabilities: Floats = np.cumprod(np.concatenate([first, ratios]))
    return probabilities


def expected_reciprocal_rank(candidates: int, right: int = 1) -> float:
    """Exact chance of one query: mean of 1/rank of the best of ``right`` among ``candidates``.

    Raises:
        ValueError: ``right`` is below 1 or above ``candidates``.
    """
    return float(rank_probabilities(candidates, right) @ (1.0 / np.arange(1, candidates + 1)))


def chance_codon_to_amino(gold: CodonGold) -> float:
    """Exact chance MRR from codons to amino acids: 0.180 with 20 of them, 0.174 with a stop row."""
    return expected_reciprocal_rank(len(gold.letters))


def chance_amino_to_codon(gold: CodonGold) -> float:
    """Exact chance MRR from amino acids to the best of their codons: 0.159 with the standard 61."""
    sizes = gold.block_sizes[gold.block_sizes > 0]
    return float(np.mean([expected_reciprocal_rank(gold.n, int(size)) for size in sizes]))


def random_vector_null(
    gold: CodonGold,
    similarity: str,
    widths: tuple[int, int],
    draws: int,
    rng: np.random.Generator,
    *,
    axes: int = 12,
    neighbours: int = 5,
    cluster: float = 0.0,
) -> NullMRR:
    """MRR of random Gaussian vectors under one similarity: chance where it has no closed form.

    Each set of vectors serves twenty block permutations, which random vectors cannot tell apart.

    Args:
        gold: the code that counts as right.
        similarity: a name in SIMILARITIES, or ``procrustes`` (leave one amino acid out).
        widths: (codon, amino-acid) vector widths; equal unless ``procrustes``.
        draws: MRR values wanted.
        rng: source of randomness.
        axes: of ``procrustes``.
        neighbours: K of CSLS.
        cluster: share of the codons' variance that synonyms have in common, 0 to 1.
    """
    forward, backward = [], []
    for start in range(0, draws, _PERMUTATIONS_A_DRAW):
        dealt = block_permutations(gold, min(_PERMUTATIONS_A_DRAW, draws - start), rng)
        codons, amino = _random_vectors(gold, widths, cluster, rng)
        if similarity == "procrustes":
            null = held_out_null(codons, amino, gold, dealt, axes)
        else:
            null = block_permutation_null(similarity_of(similarity, codons, amino, neighbours), gold, dealt)
        forward.append(null.forward)
        backward.append(null.backward)
    return NullMRR(np.concatenate(forward), np.concatenate(backward))


def _random_vectors(
    gold: CodonGold, widths: tuple[int, int], cluster: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    centres = rng.standard_normal((len(gold.letters), widths[0]))[gold.classes]
    own = rng.standard_normal((gold.n, widths[0]))
    codons = np.sqrt(cluster) * centres + np.sqrt(1.0 - cluster) * own
    return codons, rng.standard_normal((len(gold.letters), widths[1]))


def synonym_counts(gold: CodonGold, *, between_blocks: bool = False) -> tuple[Integers, Integers]:
    """(candidates, right ones) of every codon that has such synonyms, for exact chance; int64[q] each.

    A codon's own block is out of the ranking where only synonyms of other blocks count.
    """
    wanted = gold.synonyms(between_blocks=between_blocks).sum(axis=1)
    every = gold.synonyms().sum(axis=1)
    candidates = gold.n - 1 - (every - wanted)
    asked = wanted > 0
    return candidates[asked].astype(np.int64), wanted[asked].astype(np.int64)


def synonym_chance(gold: CodonGold, *, between_blocks: bool = False) -> float:
    """Exact chance of the synonymous-codon MRR; NaN where no codon has such a synonym."""
    candidates, right = synonym_counts(gold, between_blocks=between_blocks)
    pairs = zip(candidates, right, strict=True)
    scores = [expected_reciprocal_rank(int(size), int(m)) for size, m in pairs]
    return float(np.mean(scores)) if scores else float("nan")
