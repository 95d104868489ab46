"""Do synonymous codons find each other? MRR from a codon to the best of its synonyms, in DNA alone.

Codons without synonyms (Met, Trp in the standard code) ask nothing. Between blocks only synonyms that do
not share the first two bases count, and those that do are out of the ranking: there neither shared bases
nor the third position's composition (GC3) can explain a hit.

Legend: n codons, D width, P permutations.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.ranks import Gold, RankResult, rank_matrix
from genomecli.analysis.similarity import centre, cosine, csls_from_cosine


def codon_similarity(codons: ArrayLike, similarity: str = "cosine", neighbours: int = 5) -> Floats:
    """Similarity of codons [n, D] among themselves; float64[n, n].

    Args:
        codons: [n, D].
        similarity: ``cosine``, ``centred``, ``csls`` or ``csls_centred``.
        neighbours: K of CSLS; a codon is no neighbour of itself.

    Raises:
        InputError: a value is not finite.
        ValueError: no such similarity.
    """
    if similarity not in ("cosine", "centred", "csls", "csls_centred"):
        raise ValueError(f"similarity {similarity!r} is not one of cosine, centred, csls, csls_centred")
    vectors = centre(codons) if similarity in ("centred", "csls_centred") else codons
    cosines = cosine(vectors, vectors)
    return csls_from_cosine(cosines, neighbours, same=True) if "csls" in similarity else cosines


def synonym_ranks(similarity: ArrayLike, gold: CodonGold, *, between_blocks: bool = False) -> RankResult:
    """Rank of each codon's best synonym among all other codons; NaN for codons without one.

    Args:
        similarity: [n, n], rows as in ``gold``.
        gold: the code that counts as right.
        between_blocks: only synonyms that do not share the first two bases are right; the others are
            neither right nor wrong.
    """
    right = gold.synonyms(between_blocks=between_blocks)
    same = gold.synonyms() | np.eye(gold.n, dtype=np.bool_)
    return rank_matrix(similarity, Gold.mask(right, ignored=same & ~right))


def box_permutations(count: int, rng: np.random.Generator) -> Integers:
    """Random permutations of the sixteen boxes (first two bases), the third base kept; int64[count, 64]."""
    boxes = np.argsort(rng.random((count, 16)), axis=1)
    moved: Integers = (4 * boxes[:, :, None] + np.arange(4)).reshape(count, 64)
    return moved
