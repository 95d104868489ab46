"""How near a codon lies to the codons of each amino acid, itself left out: meaning read from DNA alone.

Legend: n codons, A amino acids.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Booleans, Floats
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.ranks import Gold, RankResult, rank_matrix


def class_similarity(similarity: ArrayLike, members: ArrayLike) -> Floats:
    """Mean similarity of each codon with the members of each class, itself left out; float64[n, A].

    The mean of pairs, not the similarity to the class's mean vector: that one grows with the size of the
    class. A class without any other member is -inf: it cannot be the answer.

    Args:
        similarity: [n, n] among codons.
        members: [n, A], 1 where the codon is a member of the class, 0 where not; a whole number above 1
            counts a member as often (bootstrap).
    """
    table = np.asarray(similarity, dtype=np.float64)
    weights = np.asarray(members, dtype=np.float64)
    own = np.diag(table)[:, None] * weights
    sizes = weights.sum(axis=0)[None, :] - weights
    means = np.full(weights.shape, -np.inf)
    np.divide(table @ weights - own, sizes, out=means, where=sizes > 0)
    return means


def codon_class_similarity(similarity: ArrayLike, gold: CodonGold) -> Floats:
    """:func:`class_similarity` with the synonyms of ``gold`` as classes; float64[n, A]."""
    return class_similarity(similarity, gold.mask)


def class_ranks(class_table: ArrayLike, gold: CodonGold) -> RankResult:
    """Rank of each codon's own amino acid among the classes; NaN for a codon without synonyms.

    Args:
        class_table: [n, A] of :func:`codon_class_similarity`, -inf for a class without any other codon.
        gold: the code that counts as right.
    """
    table = np.asarray(class_table, dtype=np.float64)
    alone: Booleans = np.isneginf(table[np.arange(gold.n), gold.classes])
    return rank_matrix(table, Gold.single(np.where(alone, -1, gold.classes)))
