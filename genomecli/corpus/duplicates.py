"""Equal sequences within a species and molecule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def repeated(species: NDArray[Any], molecule: NDArray[Any], digest: NDArray[Any]) -> NDArray[np.bool_]:
    """bool[n]: rows whose sequence an earlier row of their species and molecule has already."""
    seen: set[tuple[str, str, str]] = set()
    result = np.zeros(len(digest), dtype=bool)
    for row, mark in enumerate(zip(species.tolist(), molecule.tolist(), digest.tolist(), strict=True)):
        if mark in seen:
            result[row] = True
        seen.add(mark)
    return result


def repeated_ids(species: NDArray[Any], molecule: NDArray[Any], ids: NDArray[Any]) -> int:
    """How many rows have an id that an earlier row of their species and molecule has already."""
    marks = set(zip(species.tolist(), molecule.tolist(), ids.tolist(), strict=True))
    return len(ids) - len(marks)
