"""What shared bases alone make of codons: similarity by spelling, and its removal from other similarities.

Legend: n codons.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Booleans, Floats, Integers

# A 0, C 1, G 2, T 3: purines A and G are 0, pyrimidines C and T are 1.
_PYRIMIDINE = np.array([0, 1, 0, 1])


def bases(codons: ArrayLike) -> Integers:
    """The three bases of each codon index; int64[n, 3]."""
    index = np.asarray(codons, dtype=np.int64)
    letters: Integers = np.stack([index // 16, index // 4 % 4, index % 4], axis=1)
    return letters


def nucleotide_vectors(
    codons: ArrayLike, weights: Sequence[float] = (1, 1, 1), transition: float = 0.0
) -> Floats:
    """Vectors whose products are nucleotide similarities; float64[n, 18].

    Args:
        codons: int[n] codon indices.
        weights: worth of an equal base at positions 1, 2 and 3.
        transition: share of that worth for a transition (A-G or C-T), 0 to 1.
    """
    parts = []
    for letters, weight in zip(bases(codons).T, weights, strict=True):
        parts.append(np.sqrt(weight * (1.0 - transition)) * np.eye(4)[letters])
        parts.append(np.sqrt(weight * transition) * np.eye(2)[_PYRIMIDINE[letters]])
    vectors: Floats = np.concatenate(parts, axis=1)
    return vectors


def nucleotide_similarity(
    codons: ArrayLike, weights: Sequence[float] = (1, 1, 1), transition: float = 0.0
) -> Floats:
    """Weighted share of equal bases of every two codons, 1 for a codon with itself; float64[n, n]."""
    vectors = nucleotide_vectors(codons, weights, transition)
    similarity: Floats = vectors @ vectors.T / sum(weights)
    return similarity


def without_spelling(similarity: ArrayLike, codons: ArrayLike, reference: Booleans) -> Floats:
    """Similarity less what shared bases predict; float64[n, n], the diagonal untouched.

    A linear model (equal base and transition at each position, and first two bases equal) is fitted to
    the reference pairs and its prediction taken off every pair. With pairs of different amino acids as
    reference, spelling goes and what synonyms share beyond it stays.

    Args:
        similarity: [n, n], symmetric.
        codons: int[n] codon indices.
        reference: bool[n, n], pairs that fit the model; the diagonal is ignored.
    """
    table = np.asarray(similarity, dtype=np.float64)
    features = _pair_features(codons)
    pairs = reference & ~np.eye(len(table), dtype=np.bool_)
    design = features[pairs]
    # A trace of ridge: a feature that no reference pair shows gets weight 0.
    gram = design.T @ design + 1e-6 * np.eye(design.shape[1])
    weights = np.linalg.solve(gram, design.T @ table[pairs])
    adjusted: Floats = table - features @ weights
    np.fill_diagonal(adjusted, np.diag(table))
    return adjusted


def _pair_features(codons: ArrayLike) -> Floats:
    """float64[n, n, 8]: one, equal base at 1, 2, 3, transition at 1, 2, 3, first two equal."""
    letters = bases(codons)
    equal = letters[:, None] == letters[None]
    transition = (_PYRIMIDINE[letters][:, None] == _PYRIMIDINE[letters][None]) & ~equal
    one = np.ones((*equal.shape[:2], 1))
    both = equal[..., :1] & equal[..., 1:2]
    features: Floats = np.concatenate([one, equal, transition, both], axis=2).astype(np.float64)
    return features
