"""Which codons stop: those after which the gene ends wherever they occur.

A sense codon ends a gene no oftener than any other codon of it, one time in the length of a gene. A stop
does it nearly always; what is left over is readthrough, selenocysteine and annotation.

Legend: R genes, G groups of genes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.decipherment.pairs import Text

ERROR = 0.05
"""Share of a stop's occurrences that may lie inside genes."""

LEAST = 0.01
"""Share of all genes that a codon must end to be called a stop. UAG ends 7 % of the genes of E. coli, and no
sense codon ends one of 16,000 annotated genes of five species; ends that were found are less exact."""


@dataclass(frozen=True, eq=False)
class Ends:
    """What stands inside genes and what ends them, by group of genes, so that genes can be drawn anew.

    Args:
        inside: float64[G, 64], occurrences inside genes.
        last: float64[G, 64], genes that each codon ends.
        known: ``last`` was counted; otherwise only what stands inside speaks.
        exact: what stands inside does so for certain; if not, and no end is known, nothing speaks.
    """

    inside: Floats
    last: Floats
    known: bool
    exact: bool = True

    def drawn(self, groups: Integers | Floats) -> Ends:
        """The same with each group as often as int64[G] or float64[G] says."""
        weights = groups[:, None].astype(np.float64)
        return Ends(self.inside * weights, self.last * weights, self.known, self.exact)

    def log_odds(self) -> Floats:
        """float64[64]: log odds that a codon is a stop and not sense (natural log)."""
        if not (self.known or self.exact):
            return np.zeros(64)
        return stop_log_odds(self.inside.sum(axis=0), self.last.sum(axis=0), known=self.known)

    def stops(self) -> Booleans:
        """bool[64]: codons that stop."""
        return find_stops(self.inside.sum(axis=0), self.last.sum(axis=0), known=self.known)


def count_ends(text: Text, ends: Integers, group_of: Integers, *, known: bool, exact: bool = True) -> Ends:
    """Count codons by group of genes.

    Args:
        text: the inside of the genes.
        ends: int64[R], the codon that ends each; -1 where it is not known.
        group_of: int64[R], the group of each gene.
        known: what ends genes counts.
        exact: the text begins and ends where genes do.
    """
    groups = int(group_of.max(initial=-1)) + 1
    group = np.repeat(group_of, text.lengths)
    last = ends if known else np.full(len(ends), -1, dtype=np.int64)
    return Ends(_by_group(group, text.tokens, groups), _by_group(group_of, last, groups), known, exact)


def _by_group(group: Integers, codons: Integers, groups: int) -> Floats:
    """float64[G, 64]: how often each codon stands in each group; -1 is none."""
    good = codons >= 0
    keys = group[good] * 64 + codons[good]
    found: Floats = np.bincount(keys, minlength=groups * 64).reshape(groups, 64).astype(np.float64)
    return found


def stop_log_odds(inside: Integers | Floats, last: Integers | Floats, *, known: bool) -> Floats:
    """float64[64]: log odds that a codon is a stop and not sense (natural log).

    Args:
        inside: [64], occurrences inside genes.
        last: [64], genes that each codon ends.
        known: ``last`` was counted; otherwise only what stands inside speaks.
    """
    genes = max(float(last.sum()), 1.0)
    chance = genes / (max(float(inside.sum()), 1.0) + genes) if known else 0.0
    found = inside * (np.log(ERROR) - np.log1p(-chance))
    if known:
        found = found + last * (np.log1p(-ERROR) - np.log(chance))
    result: Floats = found
    return result


def find_stops(inside: Integers | Floats, last: Integers | Floats, *, known: bool) -> Booleans:
    """bool[64]: codons that stop. None where the corpus did not keep what ends a gene."""
    if not known:
        return np.zeros(64, dtype=np.bool_)
    found: Booleans = (
        (stop_log_odds(inside, last, known=known) > 0) & (last >= LEAST * last.sum()) & (last > 0)
    )
    return found


def code_stop_odds(odds: Floats, letters: str, dual: Sequence[int] = ()) -> float:
    """The log odds of one code's stops, nats; codons that are both sense and stop say nothing.

    Args:
        odds: float64[64] of :func:`stop_log_odds`.
        letters: 64, what the code reads each codon as, ``*`` for a stop.
        dual: indices of codons that are both.
    """
    return float(sum(odds[i] for i, letter in enumerate(letters) if letter == "*" and i not in dual))
