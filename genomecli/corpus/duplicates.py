"""Equal sequences within a species and molecule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.numbering import distinct, first_rows, numbered


def originals(
    species: NDArray[Any], molecule: NDArray[Any], length: NDArray[Any], digest: NDArray[Any]
) -> NDArray[np.int64]:
    """int64[n]: the first sequence that each equals in species, molecule, length and digest, [n] each; itself
    where it is the first. One without a digest is known to be like no other."""
    first = first_rows(numbered((species, molecule, length, digest)))
    return np.where(digest == "", np.arange(len(first)), first)


def repeated_ids(species: NDArray[Any], molecule: NDArray[Any], ids: NDArray[Any]) -> int:
    """How many rows have an id that an earlier row of their species and molecule has already."""
    return len(ids) - distinct(numbered((species, molecule, ids)))
