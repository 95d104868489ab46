"""Finds the assignment of codons to amino acids with the best evidence: annealed Gibbs sampling, a climb.

All chains walk together, one codon at a time, and each draws the codon's reading from the evidence at the
temperature of the moment. A chain that ends in the same place as others says that the place is no accident.

Legend: B chains, A readings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.decipherment.evidence import AMINO, CODONS, Evidence, one_hot

_CLIMB_ROUNDS = 50
_REFRESH = 20


@dataclass(frozen=True)
class Schedule:
    """How long and how hot to search.

    Args:
        chains: random assignments to start from.
        sweeps: times that each codon is drawn anew.
        hot: first temperature, nats a codon of the text.
        cold: last temperature, likewise.
    """

    chains: int = 24
    sweeps: int = 80
    hot: float = 1e-3
    cold: float = 2e-5


@dataclass(frozen=True, eq=False)
class Solution:
    """The best assignment found.

    Args:
        labels: int64[64], amino acid of each codon; -1 for a codon that was not seen.
        value: its evidence, nats.
        reached: share of the chains that ended there.
    """

    labels: Integers
    value: float
    reached: float


def search(
    evidence: Evidence,
    schedule: Schedule,
    rng: np.random.Generator,
    start: Integers | None = None,
) -> Solution:
    """Anneal from random assignments, climb, and keep the best by the evidence alone.

    Args:
        evidence: what is maximised.
        schedule: see there.
        rng: source of randomness.
        start: int64[64], an assignment that is climbed from as well.
    """
    labels = np.full((schedule.chains, CODONS), -1, dtype=np.int64)
    labels[:, evidence.seen] = rng.integers(0, AMINO, (schedule.chains, len(evidence.seen)))
    _anneal(evidence, labels, schedule, rng)
    if start is not None:
        labels = np.concatenate([labels, _completed(start, evidence)[None]])
    climb(evidence, labels)
    values = evidence.value(labels)
    best = int(values.argmax())
    same = np.abs(values[: schedule.chains] - values[best]) <= 1e-9 * max(1.0, abs(values[best]))
    return Solution(labels[best].copy(), float(values[best]), float(same.mean()) if len(same) else 0.0)


def _completed(start: Integers, evidence: Evidence) -> Integers:
    """A start for exactly the codons that were seen: those that had no reading get the first one."""
    found = np.full(CODONS, -1, dtype=np.int64)
    found[evidence.seen] = np.maximum(start[evidence.seen], 0)
    return found


def _anneal(evidence: Evidence, labels: Integers, schedule: Schedule, rng: np.random.Generator) -> None:
    """Walk all chains from hot to cold; changes ``labels``, int64[B, 64]."""
    tokens = evidence.pairs / evidence.distances
    temperatures = tokens * np.geomspace(schedule.hot, schedule.cold, schedule.sweeps)
    hot, rows = one_hot(labels), np.arange(len(labels))
    norms = evidence.norms(hot)
    for sweep, temperature in enumerate(temperatures.tolist()):
        for codon in rng.permutation(evidence.seen).tolist():
            gain, after = evidence.moves(labels, codon, hot, norms)
            drawn = (gain[:, :AMINO] / temperature + rng.gumbel(size=(len(labels), AMINO))).argmax(axis=1)
            norms = _set(labels, hot, codon, drawn, after, rows)
        if sweep % _REFRESH == _REFRESH - 1:
            norms = evidence.norms(hot)


def climb(evidence: Evidence, labels: Integers) -> None:
    """Give each codon in turn its best reading until nothing changes; changes ``labels``, int64[B, 64]."""
    hot, rows = one_hot(labels), np.arange(len(labels))
    for _ in range(_CLIMB_ROUNDS):
        norms, before = evidence.norms(hot), labels.copy()
        for codon in evidence.seen.tolist():
            gain, after = evidence.moves(labels, codon, hot, norms)
            norms = _set(labels, hot, codon, gain[:, :AMINO].argmax(axis=1), after, rows)
        if np.array_equal(before, labels):
            return


def _set(labels: Integers, hot: Floats, codon: int, drawn: Integers, after: Floats, rows: Integers) -> Floats:
    """Give a codon new readings in all chains; the norms float64[K, B] that go with them."""
    labels[:, codon] = drawn
    hot[:, codon] = 0.0
    hot[rows, codon, drawn] = 1.0
    norms: Floats = after[:, rows, drawn]
    return norms


def scores(evidence: Evidence, labels: Integers) -> Floats:
    """float64[64, 20]: evidence of each reading of each codon, all others as in ``labels``, less that of the
    reading it has; nats. Rows of codons that were not seen are 0."""
    hot = one_hot(labels[None])
    norms = evidence.norms(hot)
    found = np.zeros((CODONS, AMINO))
    for codon in evidence.seen.tolist():
        gain = evidence.moves(labels[None], codon, hot, norms)[0][0]
        found[codon] = gain[:AMINO] - gain[labels[codon]]
    return found
