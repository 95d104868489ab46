"""Equal sequences within a species and molecule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.numbering import distinct, first_rows, numbered


def repeated(species: NDArray[Any], molecule: NDArray[Any], digest: NDArray[Any]) -> NDArray[np.bool_]:
    """bool[n]: rows whose sequence an earlier row of their species and molecule has already."""
    numbers = numbered((species, molecule, digest))
    result: NDArray[np.bool_] = first_rows(numbers) != np.arange(len(numbers))
    return result


def repeated_ids(species: NDArray[Any], molecule: NDArray[Any], ids: NDArray[Any]) -> int:
    """How many rows have an id that an earlier row of their species and molecule has already."""
    return len(ids) - distinct(numbered((species, molecule, ids)))
