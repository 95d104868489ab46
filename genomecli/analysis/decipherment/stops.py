"""Which codons stop: those after which the gene ends wherever they occur.

A sense codon ends a gene no oftener than any other codon of it, one time in the length of a gene. A stop
does it nearly always; what is left over is readthrough, selenocysteine and annotation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genomecli.analysis.arrays import Booleans, Floats, Integers

ERROR = 0.05
"""Share of a stop's occurrences that may lie inside genes."""

LEAST = 0.05
"""Share of all genes that a codon must end to be called a stop."""


def stop_log_odds(inside: Integers, last: Integers, *, known: bool) -> Floats:
    """float64[64]: log odds that a codon is a stop and not sense (natural log).

    Args:
        inside: int64[64], occurrences inside genes.
        last: int64[64], genes that each codon ends.
        known: ``last`` was counted; otherwise only what stands inside speaks.
    """
    genes = max(int(last.sum()), 1)
    chance = genes / max(int(inside.sum()) + genes, 1) if known else 0.0
    found = inside * (np.log(ERROR) - np.log1p(-chance))
    if known:
        found = found + last * (np.log1p(-ERROR) - np.log(chance))
    result: Floats = found
    return result


def find_stops(inside: Integers, last: Integers, *, known: bool) -> Booleans:
    """bool[64]: codons that stop. None where the corpus did not keep what ends a gene."""
    if not known:
        return np.zeros(64, dtype=np.bool_)
    found: Booleans = (
        (stop_log_odds(inside, last, known=known) > 0) & (last >= LEAST * last.sum()) & (last > 0)
    )
    return found


def code_stop_odds(odds: Floats, letters: str, dual: Sequence[int] = ()) -> float:
    """The log odds of one code's stops; codons that are both sense and stop say nothing."""
    return float(sum(odds[i] for i, letter in enumerate(letters) if letter == "*" and i not in dual))
