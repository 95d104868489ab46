"""Array types and the one check that every function of this room makes on vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genomecli.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def as_vectors(values: ArrayLike, name: str = "vectors") -> Floats:
    """``values`` as float64[n, D].

    Raises:
        InputError: not two-dimensional, or a value is not finite (a diverged model, an item never seen).
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise InputError(f"expected a table of vectors, got an array of shape {array.shape}", where=name)
    if not np.isfinite(array).all():
        rows = np.flatnonzero(~np.isfinite(array).all(axis=1))
        raise InputError(
            f"{len(rows)} of {len(array)} vectors hold values that are not finite, first row {rows[0]}",
            where=name,
            fix="leave out items that were never seen, or use a checkpoint that did not diverge",
        )
    return array
