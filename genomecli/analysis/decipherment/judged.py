"""A decipherment beside the code that the corpus states: how much of it is right, and of what is decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genomecli.analysis.decipherment.decipher import Deciphered
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.ranks import Gold, rank_matrix
from genomecli.sequences.codes import CODONS


@dataclass(frozen=True)
class Judged:
    """Figures against the stated code; codons that it reads as stops are left out.

    Args:
        mrr: mean reciprocal rank of the stated amino acid among all 20, by the evidence of each reading.
        codons: codons asked.
        right: of those, the ones whose best reading is the stated one.
        right_tokens: the same, as a share of their occurrences.
        decided: codons decided.
        decided_tokens: the same, as a share of occurrences.
        wrong: codons decided otherwise than stated.
        wrong_tokens: their share of the occurrences of decided codons.
    """

    mrr: float
    codons: int
    right: int
    right_tokens: float
    decided: int
    decided_tokens: float
    wrong: tuple[str, ...]
    wrong_tokens: float


def judge(found: Deciphered) -> Judged:
    """Compare with the stated code."""
    letters = found.sources.code.amino
    asked = np.array([c for c in found.asked.tolist() if letters[c] != "*"], dtype=np.int64)
    gold = np.array([AMINO_LETTERS.index(letters[c]) for c in asked], dtype=np.int64)
    right = found.solution.labels[asked] == gold
    decided = np.array([found.decided(c) for c in asked.tolist()], dtype=np.bool_)
    counts = found.counts[asked].astype(np.float64)
    everything, sure = max(counts.sum(), 1.0), max(counts[decided].sum(), 1.0)
    ranks = rank_matrix(found.scores[asked], Gold.mask(gold[:, None] == np.arange(len(AMINO_LETTERS))))
    return Judged(
        float(ranks.mrr),
        len(asked),
        int(right.sum()),
        float(counts[right].sum() / everything),
        int(decided.sum()),
        float(counts[decided].sum() / everything),
        tuple(CODONS[c] for c in asked[decided & ~right].tolist()),
        float(counts[decided & ~right].sum() / sure),
    )
