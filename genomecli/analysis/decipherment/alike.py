"""Records dealt to groups that are alike in composition, so that a resample can shift the composition.

Proteins of another species are not drawn from what the genes encode: its proteins hold more lysine, say, and
lysine stands in them where arginine stands in the other. A bootstrap over records asks only what chance did.
A bootstrap over groups of records that are alike in composition, weighted unevenly, asks as well what another
composition would have done, and it takes the shifts that there are among the records at hand: genes high and
low in GC, proteins of membranes and of the cytoplasm.

Records are points as in correspondence analysis (Greenacre 1984, Theory and Applications of Correspondence
Analysis, Academic Press), except that short ones are drawn towards the middle and rare tokens count less.

Legend: T tokens, R records, V vocabulary, n some of the records.
"""

from __future__ import annotations

import numpy as np

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.decipherment.pairs import Text

LEVELS = 5
"""Times that each group is halved: 32 groups."""

SHORT = 50.0
"""Known tokens of a record whose composition counts for half of what it would in an endless record: its
squared distance from the middle is halved."""

RARE = 0.1
"""Of an even share, 1 / V: all tokens rarer than that are scaled as if they had it. Otherwise a token that
only one short record holds would be the first direction."""


def alike_in_composition(
    text: Text, size: int, levels: int = LEVELS, among: Booleans | None = None
) -> Integers:
    """Halve the records again and again across the direction in which their composition varies most.

    Directions are leading principal axes of shares scaled as in a chi-squared statistic, found anew in each
    group. Records are halved at the median, so that sizes of groups differ by one at most. Where two axes
    lead alike (equal eigenvalues), which one is taken, and so the groups, depends on last bits.

    Args:
        text: the records.
        size: V.
        levels: of halving.
        among: bool[R], records that are halved; all others are left in the first group and halve nothing.

    Returns:
        int64[R], each record's group, below 2^levels.
    """
    away = _away(text, size)
    found = np.zeros(len(text.lengths), dtype=np.int64)
    chosen = np.ones(len(found), dtype=np.bool_) if among is None else among
    for level in range(levels):
        for group in range(2**level):
            rows = np.flatnonzero((found == group << (levels - level)) & chosen)
            order = np.argsort(_along(away[rows]), kind="stable") if len(rows) else rows
            found[rows[order[(len(rows) + 1) // 2 :]]] += 1 << (levels - level - 1)
    return found


def _away(text: Text, size: int) -> Floats:
    """float64[R, V]: how far each record's shares are from those of all, scaled as chi-squared distances are.

    They are divided by the square root of the shares of all, or of RARE / V where that is more, and those of
    short records drawn towards 0.
    """
    records, good = len(text.lengths), text.tokens >= 0
    keys = text.owner[good] * size + text.tokens[good]
    counts = np.bincount(keys, minlength=records * size).reshape(records, size).astype(np.float64)
    length = counts.sum(axis=1, keepdims=True)
    shares = counts.sum(axis=0) / max(counts.sum(), 1.0)
    found: Floats = counts / np.maximum(length, 1.0) - shares
    found /= np.sqrt(np.maximum(shares, RARE / size))
    found *= np.sqrt(length / (length + SHORT))
    return found


def _along(rows: Floats) -> Floats:
    """float64[n]: where rows float64[n, V] lie along their leading principal axis; its sign is fixed."""
    centred = rows - rows.mean(axis=0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    found: Floats = centred @ (axis * np.sign(axis[np.abs(axis).argmax()]))
    return found
