"""Equal sequences within a species and molecule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.numbering import distinct, first_rows, numbered


def repeated(*columns: NDArray[Any]) -> NDArray[np.bool_]:
    """bool[n]: rows that an earlier row equals in every column, [n] each.

    Sequences are repeated if species, molecule, length and digest are; contigs of a length of their own have
    no digest.
    """
    numbers = numbered(columns)
    result: NDArray[np.bool_] = first_rows(numbers) != np.arange(len(numbers))
    return result


def repeated_ids(species: NDArray[Any], molecule: NDArray[Any], ids: NDArray[Any]) -> int:
    """How many rows have an id that an earlier row of their species and molecule has already."""
    return len(ids) - distinct(numbered((species, molecule, ids)))
