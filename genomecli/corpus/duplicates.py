"""Equal sequences within a species and molecule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.numbering import distinct, first_rows, numbered


def repeated(
    species: NDArray[Any], molecule: NDArray[Any], length: NDArray[Any], digest: NDArray[Any]
) -> NDArray[np.bool_]:
    """bool[n]: sequences that an earlier one equals in species, molecule, length and digest, [n] each.

    One without a digest is known to be like no other.
    """
    numbers = numbered((species, molecule, length, digest))
    result: NDArray[np.bool_] = (first_rows(numbers) != np.arange(len(numbers))) & (digest != "")
    return result


def repeated_ids(species: NDArray[Any], molecule: NDArray[Any], ids: NDArray[Any]) -> int:
    """How many rows have an id that an earlier row of their species and molecule has already."""
    return len(ids) - distinct(numbered((species, molecule, ids)))
