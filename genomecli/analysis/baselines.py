"""What needs no language model: matching by frequency alone, and by shared nucleotides alone.

Legend: n codons, A amino acids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.spelling import nucleotide_similarity
from genomecli.analysis.synonyms import synonym_ranks

WEIGHTINGS: Mapping[str, tuple[tuple[float, float, float], float]] = MappingProxyType(
    {
        "equal": ((1, 1, 1), 0.0),
        "first_two": ((1, 1, 0), 0.0),
        "second_first_third": ((2, 3, 1), 0.0),
        "first_two_and_transition": ((3, 3, 1), 0.5),
    }
)
"""Weights of the three positions and worth of a transition, by name."""


def log_shares(counts: ArrayLike) -> Floats:
    """Natural logarithm of each item's share; float64[n]. Half a count each keeps an unseen item finite."""
    shares = np.asarray(counts, dtype=np.float64) + 0.5
    logs: Floats = np.log(shares / shares.sum())
    return logs


def frequency_similarity(
    codon_counts: ArrayLike, amino_counts: ArrayLike, gold: CodonGold | None = None
) -> Floats:
    """Minus the distance of log frequencies, codon by amino acid; float64[n, A].

    Args:
        codon_counts: int[n] and
        amino_counts: int[A], occurrences in the corpora.
        gold: with it, an amino acid's frequency is first divided by its number of codons: a baseline that
            is told the size of each block.
    """
    amino = log_shares(amino_counts)
    if gold is not None:
        amino = amino - np.log(np.maximum(gold.block_sizes, 1))
    similarity: Floats = -np.abs(log_shares(codon_counts)[:, None] - amino[None, :])
    return similarity


def frequency_synonym_similarity(codon_counts: ArrayLike) -> Floats:
    """Minus the distance of log frequencies, codon by codon; float64[n, n]."""
    logs = log_shares(codon_counts)
    similarity: Floats = -np.abs(logs[:, None] - logs[None, :])
    return similarity


@dataclass(frozen=True, slots=True)
class SpellingBaseline:
    """Synonymous-codon MRR of nucleotide similarity under one weighting of positions."""

    mrr: float
    weights: tuple[float, float, float]
    transition: float


def spelling_baseline(gold: CodonGold, name: str, *, between_blocks: bool = False) -> SpellingBaseline:
    """Synonymous-codon MRR of shared nucleotides under a weighting of WEIGHTINGS."""
    weights, transition = WEIGHTINGS[name]
    return _spelling(gold, weights, transition, between_blocks)


def best_spelling_baseline(gold: CodonGold, *, between_blocks: bool = False) -> SpellingBaseline:
    """The best weighting on a grid chosen with the code in hand: the most that spelling can explain."""
    grid = product((1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 3.0, 4.0), (0.0, 0.5, 1.0), (0.0, 0.25, 0.5, 0.75))
    tried = (_spelling(gold, (a, b, c), t, between_blocks) for a, b, c, t in grid)
    return max(tried, key=lambda found: found.mrr)


def _spelling(
    gold: CodonGold, weights: tuple[float, float, float], transition: float, between_blocks: bool
) -> SpellingBaseline:
    similarity = nucleotide_similarity(gold.codons, weights, transition)
    found = synonym_ranks(similarity, gold, between_blocks=between_blocks)
    return SpellingBaseline(found.mrr, weights, transition)
