"""A one-parameter model of choice: how far similarities may be trusted, learned where the answer is known.

P(a | codon) = (1 - e) softmax(b s)_a + e / A over the options: b is fitted to codons whose amino acid no
genetic code disputes, so vectors without signal give b near 0 and every option the same probability. The
lapse e = 1 / (1 + known codons) is the rule of succession: what few codons show cannot make one more certain.

Legend: n known codons, A options.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, Integers

# Slopes tried, in units of 1 / (spread of similarities within a codon).
_SLOPES = np.concatenate([[0.0], np.geomspace(0.05, 50.0, 120)])


@dataclass(frozen=True, slots=True)
class ChoiceModel:
    """Turns similarities into log odds against no information.

    Args:
        slope: trust in similarities, 0 where they say nothing.
        lapse: share of codons that may be wrong whatever their similarity.
    """

    slope: float
    lapse: float

    def log_odds(self, scores: ArrayLike) -> Floats:
        """log(A P(a | codon)) over the last axis; -inf scores are no options. Bounded by the lapse."""
        table = np.asarray(scores, dtype=np.float64)
        options = np.isfinite(table)
        count = options.sum(axis=-1, keepdims=True)
        share = _softmax(np.where(options, table, 0.0) * self.slope, options)
        odds: Floats = np.log((1.0 - self.lapse) * share * count + self.lapse)
        return np.where(options, odds, -np.inf)


def fit_choice(scores: ArrayLike, right: ArrayLike) -> ChoiceModel:
    """Fit by maximum likelihood on codons whose amino acid is known.

    Args:
        scores: [n, A] similarities of each codon, left out of its own class; -inf is no option.
        right: int[n], the right option of each.
    """
    table = np.asarray(scores, dtype=np.float64)
    answer: Integers = np.asarray(right, dtype=np.int64)
    lapse = 1.0 / (1.0 + len(table))
    spread = _spread(table)
    if spread == 0.0:
        return ChoiceModel(0.0, lapse)
    rows = np.arange(len(table))
    models = [ChoiceModel(float(slope / spread), lapse) for slope in _SLOPES]
    fits = [float(model.log_odds(table)[rows, answer].sum()) for model in models]
    return models[int(np.argmax(fits))]


def _spread(table: Floats) -> float:
    """Root mean square of similarities around each codon's mean."""
    options = np.isfinite(table)
    filled = np.where(options, table, 0.0)
    means = filled.sum(axis=1, keepdims=True) / np.maximum(options.sum(axis=1, keepdims=True), 1)
    squares = np.where(options, (filled - means) ** 2, 0.0)
    return float(np.sqrt(squares.sum() / max(1, int(options.sum()))))


def _softmax(scores: Floats, options: np.ndarray) -> Floats:
    top = np.where(options, scores, -np.inf).max(axis=-1, keepdims=True)
    weights = np.where(options, np.exp(np.minimum(scores - top, 0.0)), 0.0)
    share: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return share
