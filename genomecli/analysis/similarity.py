"""Similarities between two sets of vectors, each a full matrix. Legend: n, m items; D width.

A vector without direction (zero, or equal to its language's mean up to rounding) has similarity 0 to
everything: it ties with all, so a collapsed model is never praised for the noise of its last bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, as_vectors

# A norm below this share of the uncentred vectors' norm is rounding, not direction.
_ROUNDING = 1e-10


def unit_rows(vectors: ArrayLike, *, scale: float | None = None) -> Floats:
    """Rows divided by their length; float64[n, D].

    Args:
        vectors: [n, D].
        scale: length that counts as ordinary; rows shorter than 1e-10 of it become zero. The longest
            row's length by default.
    """
    x_nD = as_vectors(vectors)
    norms = np.linalg.norm(x_nD, axis=1, keepdims=True)
    ordinary = norms.max(initial=0.0) if scale is None else scale
    real = norms > _ROUNDING * ordinary
    units: Floats = np.divide(x_nD, norms, out=np.zeros_like(x_nD), where=real & (norms > 0))
    return units


def centre(vectors: ArrayLike) -> Floats:
    """Vectors [n, D] less their mean over types, float64[n, D].

    Rows that equal the mean up to rounding become exactly zero.

    Raises:
        InputError: a value is not finite.
    """
    x_nD = as_vectors(vectors)
    centred: Floats = x_nD - x_nD.mean(axis=0, keepdims=True)
    scale = np.linalg.norm(x_nD, axis=1).max(initial=0.0)
    small = np.linalg.norm(centred, axis=1) <= _ROUNDING * scale
    centred[small] = 0.0
    return centred


def cosine(x: ArrayLike, y: ArrayLike) -> Floats:
    """Cosine of every row of x [n, D] with every row of y [m, D]; float64[n, m]."""
    product: Floats = unit_rows(x) @ unit_rows(y).T
    return product


def centred_cosine(x: ArrayLike, y: ArrayLike) -> Floats:
    """Cosine after each side's own mean (over types, not tokens) is removed; float64[n, m]."""
    return cosine(centre(x), centre(y))


def csls_from_cosine(matrix: Floats, neighbours: int = 5, *, same: bool = False) -> Floats:
    """Cross-domain similarity local scaling, 2 cos - r_T - r_S, of a cosine matrix [n, m].

    r is an item's mean cosine with its K nearest items of the other side, so hubs lose their advantage
    (Conneau et al. 2018, "Word translation without parallel data", eq. 3).

    Args:
        matrix: cosines [n, m].
        neighbours: K; fewer where a side has fewer items.
        same: rows and columns are the same items, so an item is no neighbour of itself.

    Returns:
        float64[n, m], rounded to 12 decimals.
    """
    seen = matrix.copy()
    if same:
        np.fill_diagonal(seen, -np.inf)
    spare = int(same)
    of_rows = _mean_of_largest(seen, min(neighbours, seen.shape[1] - spare))
    of_columns = _mean_of_largest(seen.T, min(neighbours, seen.shape[0] - spare))
    scaled = 2.0 * matrix - of_rows[:, None] - of_columns[None, :]
    # Where all cosines are alike the difference is rounding alone, and rounding must tie.
    rounded: Floats = np.round(scaled, 12)
    return rounded


def _mean_of_largest(matrix: Floats, count: int) -> Floats:
    if count < 1:
        return np.zeros(matrix.shape[0])
    largest = -np.partition(-matrix, count - 1, axis=1)[:, :count]
    mean: Floats = largest.mean(axis=1)
    return mean


def csls(x: ArrayLike, y: ArrayLike, neighbours: int = 5, *, centred: bool = False) -> Floats:
    """CSLS of every row of x [n, D] with every row of y [m, D], on raw or centred cosine; float64[n, m]."""
    cosines = centred_cosine(x, y) if centred else cosine(x, y)
    return csls_from_cosine(cosines, neighbours)


SIMILARITIES = ("cosine", "centred", "csls", "csls_centred")
"""Names that :func:`similarity` knows."""


def similarity(name: str, x: ArrayLike, y: ArrayLike, neighbours: int = 5) -> Floats:
    """Similarity of every row of x [n, D] with every row of y [m, D]; float64[n, m].

    Args:
        name: one of SIMILARITIES.
        x, y: the vectors.
        neighbours: K of CSLS.

    Raises:
        InputError: a value is not finite.
        ValueError: no such name.
    """
    if name not in SIMILARITIES:
        raise ValueError(f"similarity {name!r} is not one of {', '.join(SIMILARITIES)}")
    centred = name in ("centred", "csls_centred")
    if name.startswith("csls"):
        return csls(x, y, neighbours, centred=centred)
    return centred_cosine(x, y) if centred else cosine(x, y)
