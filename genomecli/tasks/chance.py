"""How many k-mers two unrelated sequences may share by chance, by their lengths and composition.

The model is that of BLAST (Karlin and Altschul 1990): letters are drawn independently, so two places match
with probability q, the sum over letters of the product of their shares. Of A pairs of places, A q^k begin a
shared k-mer, and as matches go on with probability q, shared k-mers come in clumps of geometric size. Their
number is compound Poisson (Polya-Aeppli). Its tail is summed exactly up to a mean of ``FEW``, and bounded by
Chernoff's inequality beyond. Repeats that letters drawn independently do not have are not in the model.
p pairs.
"""

from __future__ import annotations

import numpy as np

from genomecli.tasks.examples import Floats, Ints

FEW = 20.0

_STEPS = 40
"""Bisections: the bound is exact to far less than one k-mer."""


def most_by_chance(expected: Floats, match: Floats, probability: float) -> Ints:
    """The number of shared k-mers that chance reaches with at most that probability, int64[p].

    Args:
        expected: float64[p], k-mers that the pair shares by chance on average.
        match: float64[p], probability that two letters match, in 0 to 1.
        probability: of a pair, above 0 and below 1.
    """
    q = np.clip(match, 1e-3, 0.95)
    clumps = np.maximum(expected, 0.0) * (1 - q)
    found: Ints = np.zeros(len(q), dtype=np.int64)
    few = expected <= FEW
    found[few] = _exactly(clumps[few], q[few], probability)
    found[~few] = _bounded(clumps[~few], q[~few], probability)
    return found


def _exactly(clumps: Floats, q: Floats, probability: float) -> Ints:
    """The least s with P(S > s) of at most the probability, by Polya-Aeppli's recursion."""
    before, now = np.zeros_like(q), np.exp(-clumps)
    tail = 1 - now
    found: Ints = np.zeros(len(q), dtype=np.int64)
    s = 0
    while (tail > probability).any():
        s += 1
        before, now = now, ((clumps * (1 - q) + 2 * q * (s - 1)) * now - q**2 * (s - 2) * before) / s
        found[tail > probability] = s
        tail = tail - now
    return found


def _bounded(clumps: Floats, q: Floats, probability: float) -> Ints:
    low, high = np.ones_like(q), 1 / q
    for _ in range(_STEPS):
        x = (low + high) / 2
        room = np.maximum(1 - q * x, 1e-12)
        # log E[x^S] - s log x at the s where it is least.
        bound = clumps * ((x - 1) / room - (1 - q) * x * np.log(x) / room**2)
        enough = bound <= np.log(probability)
        high, low = np.where(enough, x, high), np.where(enough, low, x)
    room = np.maximum(1 - q * high, 1e-12)
    found: Ints = np.ceil(clumps * (1 - q) * high / room**2).astype(np.int64)
    return found
