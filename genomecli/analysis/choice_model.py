"""From similarities to log odds of readings, with trust that is learned where the answer is known.

Which reading: P(a | codon) = (1 - e) softmax(b s)_a + e / A over the options. b is fitted to codons whose
amino acid no genetic code disputes, so vectors without signal give b near 0 and every option the same
probability. The lapse e = 1 / (1 + known codons) is the rule of succession: what few codons show cannot make
one more certain.

Whether it reads at all: a choice always has a winner, also for a rare codon whose vector lies anywhere. So
the best similarity of a codon is held against those of known codons with their own amino acid, and against
those of strangers, vectors that mean nothing; a codon that is more like a stranger says little.

Legend: n known codons, A options, B strangers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, Integers

# Slopes tried, in units of 1 / (spread of similarities within a codon).
_SLOPES = np.concatenate([[0.0], np.geomspace(0.05, 50.0, 120)])

_LEAST_WIDTH = 0.25


@dataclass(frozen=True, slots=True)
class ChoiceModel:
    """Turns similarities into log odds against no information.

    Args:
        slope: trust in similarities, 0 where they say nothing.
        lapse: share of codons that may be wrong whatever their similarity.
    """

    slope: float
    lapse: float

    def log_odds(self, scores: ArrayLike, telling: ArrayLike = 1.0) -> Floats:
        """log(1 - t + t A P(a | codon)) over the last axis; -inf scores are no options. Bounded by the lapse.

        Args:
            scores: float[..., A].
            telling: t, float[...]: chance that the codon's vector says anything.

        Returns:
            float64[..., A] in nats: 0 is no information, -inf no option.
        """
        table = np.asarray(scores, dtype=np.float64)
        options = np.isfinite(table)
        count = options.sum(axis=-1, keepdims=True)
        share = _softmax(np.where(options, table, 0.0) * self.slope, options)
        likely = (1.0 - self.lapse) * share * count + self.lapse
        chance = np.asarray(telling, dtype=np.float64)[..., None]
        odds: Floats = np.log(1.0 - chance + chance * likely)
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


@dataclass(frozen=True, slots=True)
class Gate:
    """How likely it is that a vector says anything, by its best similarity.

    Both heaps of similarities are taken as normal, with even chances beforehand. Either is at least a quarter
    of their distance wide, since contested codons are rarer and noisier than known ones.

    Args:
        own: mean and standard deviation of similarities of known codons with their own amino acid.
        strangers: the same of the best similarity of vectors that mean nothing; float[c] each, by codon.
        lapse: share of either heap that belongs to the other.
    """

    own: tuple[float, float]
    strangers: tuple[Floats, Floats]
    lapse: float

    def telling(self, best: ArrayLike) -> Floats:
        """Chance that each of c codons says anything; float64[..., c].

        One half, whatever the similarity, where strangers are on average as similar as known codons, or more.

        Args:
            best: float[..., c], the best similarity of each codon; beyond the mean of either heap it counts
                as that mean.
        """
        mean, width = self.strangers
        gap: Floats = np.maximum(self.own[0] - mean, 1e-12)
        seen = np.clip(np.asarray(best, dtype=np.float64), mean, mean + gap)
        log_own = _log_normal(
            seen, np.full_like(mean, self.own[0]), np.maximum(self.own[1], _LEAST_WIDTH * gap)
        )
        log_none = _log_normal(seen, mean, np.maximum(width, _LEAST_WIDTH * gap))
        keep, slip = np.log1p(-self.lapse), np.log(self.lapse)
        told = np.logaddexp(keep + log_own, slip + log_none)
        untold = np.logaddexp(keep + log_none, slip + log_own)
        chance: Floats = 1.0 / (1.0 + np.exp(untold - told))
        return np.where(self.own[0] > mean, chance, 0.5)


def fit_gate(own: ArrayLike, strangers: ArrayLike, known: int) -> Gate:
    """Learn from known codons and from vectors that mean nothing.

    Args:
        own: float[n], similarity of known codons with their own amino acid, left out of it.
        strangers: float[B, c], best similarity of strangers in the place of each of c codons.
        known: n, on which the lapse depends.
    """
    values = np.asarray(own, dtype=np.float64)
    table = np.asarray(strangers, dtype=np.float64)
    heap = (float(values.mean()), float(values.std())) if values.size else (0.0, 0.0)
    return Gate(heap, (table.mean(axis=0), table.std(axis=0)), 1.0 / (1.0 + known))


def _log_normal(values: Floats, mean: Floats, width: Floats) -> Floats:
    """Log density of a normal distribution, up to a constant."""
    density: Floats = -0.5 * ((values - mean) / width) ** 2 - np.log(width)
    return density
