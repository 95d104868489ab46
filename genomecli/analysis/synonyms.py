"""Do synonymous codons find each other? MRR from a codon to the best of its synonyms, in DNA alone.

Codons without synonyms (Met, Trp in the standard code) ask nothing. Between blocks only synonyms that do
not share the first two bases count, and those that do are out of the ranking: there neither shared bases
nor the third position's composition (GC3) can explain a hit.

Legend: n codons, D width, P permutations.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.ranks import Gold, RankResult, rank_matrix
from genomecli.analysis.similarity import centre, cosine, csls_from_cosine


def codon_similarity(codons: ArrayLike, similarity: str = "cosine", neighbours: int = 5) -> Floats:
    """Similarity of codons [n, D] among themselves; float64[n, n].

    Args:
        codons: [n, D].
        similarity: ``cosine``, ``centred``, ``csls`` or ``csls_centred``.
        neighbours: K of CSLS; a codon is no neighbour of itself.
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


def synonym_null(
    similarity: ArrayLike, gold: CodonGold, permutations: Integers, *, between_blocks: bool = False
) -> Floats:
    """Synonymous-codon MRR with the boxes of the code dealt anew; float64[P].

    A box keeps its four codons and its inner split, so what shared bases explain inside a box stays in
    the null; what is lost is which boxes belong together. A draw in which no codon has a synonym is NaN.

    Args:
        similarity: [n, n].
        gold: the code that counts as right.
        permutations: int64[P, 64] from :func:`box_permutations`.
        between_blocks: as in :func:`synonym_ranks`.
    """
    table = np.asarray(similarity, dtype=np.float64)
    class_of = np.full(64, -1, dtype=np.int64)
    class_of[gold.codons] = gold.classes
    scores = np.empty(len(permutations))
    for draw, moved in enumerate(permutations):
        classes = class_of[moved[gold.codons]]
        # A codon dealt the place of one without a vector has no meaning in this draw, and no synonym.
        lost = classes < 0
        classes = np.where(lost, len(gold.letters) + np.arange(gold.n), classes)
        dealt = CodonGold(gold.codons, classes, gold.letters)
        scores[draw] = synonym_ranks(table, dealt, between_blocks=between_blocks).mrr
    return scores


def between_block_codons(gold: CodonGold) -> Booleans:
    """bool[n]: codons with a synonym that does not share their first two bases."""
    return np.asarray(gold.synonyms(between_blocks=True).any(axis=1))
