"""Linear centred kernel alignment between two sets of vectors for the same items, with its null.

CKA = <K, L> / (|K| |L|) of the centred Gram matrices (Kornblith et al. 2019, "Similarity of neural network
representations revisited", eq. 4). With fewer items than dimensions it is high for random vectors, so it
means something only beside its permutation null; the debiased form (Song et al. 2012, eq. 5) is near 0 there.

Legend: n items, D width, P permutations, A amino acids.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, Integers, as_vectors
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.similarity import centre


def linear_cka(x: ArrayLike, y: ArrayLike, *, debiased: bool = False) -> float:
    """CKA of x [n, Dx] and y [n, Dy], row by row the same item; 0 where a side has no spread.

    Args:
        x, y: the vectors.
        debiased: the debiased form, which may be below 0.

    Raises:
        InputError: a value is not finite.
        ValueError: the debiased form of fewer than four items.
    """
    return _alignment(_gram(x), _gram(y), debiased)


def cka_null(x: ArrayLike, y: ArrayLike, permutations: Integers, *, debiased: bool = False) -> Floats:
    """CKA with the rows of y permuted; float64[P] from int64[P, n]. Errors as of :func:`linear_cka`."""
    gram_x, gram_y = _gram(x), _gram(y)
    return np.array([_alignment(gram_x, gram_y[np.ix_(p, p)], debiased) for p in permutations])


def codon_amino_cka(
    codons: ArrayLike,
    amino_acids: ArrayLike,
    gold: CodonGold,
    permutations: Integers,
    *,
    debiased: bool = False,
) -> tuple[float, Floats]:
    """CKA of codons with the amino acids they stand for, and its block-permutation null.

    Args:
        codons: [n, D].
        amino_acids: [A, D'].
        gold: the code that counts as right.
        permutations: int64[P, A] of amino acids among codon blocks.
        debiased: the debiased form.

    Returns:
        (CKA, float64[P] under the permutations).
    """
    gram_x = _gram(codons)
    y_AD = as_vectors(amino_acids, "amino acids")

    def of(classes: Integers) -> float:
        return _alignment(gram_x, _gram(y_AD[classes]), debiased)

    null = np.array([of(dealt[gold.classes]) for dealt in permutations])
    return of(gold.classes), null


def _gram(vectors: ArrayLike) -> Floats:
    centred = centre(vectors)
    gram: Floats = centred @ centred.T
    return gram


def _alignment(gram_x: Floats, gram_y: Floats, debiased: bool) -> float:
    inner = _unbiased if debiased else _plain
    scale = inner(gram_x, gram_x) * inner(gram_y, gram_y)
    return inner(gram_x, gram_y) / float(np.sqrt(scale)) if scale > 0 else 0.0


def _plain(gram_x: Floats, gram_y: Floats) -> float:
    return float(np.vdot(gram_x, gram_y))


def _unbiased(gram_x: Floats, gram_y: Floats) -> float:
    """The unbiased estimate of HSIC, up to the factor n (n - 3) that cancels. Needs n > 3."""
    n = len(gram_x)
    if n < 4:
        raise ValueError("debiased CKA needs at least four items")
    k = gram_x - np.diag(np.diag(gram_x))
    m = gram_y - np.diag(np.diag(gram_y))
    sums = k.sum() * m.sum() / ((n - 1) * (n - 2))
    return float(np.vdot(k, m) + sums - 2.0 * (k.sum(axis=0) @ m.sum(axis=0)) / (n - 2))
