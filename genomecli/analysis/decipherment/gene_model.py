"""Where a genome codes, told by nothing but that codons of one reading are used unlike all else.

A hidden Markov model walks along the genome in steps of three bases. It is between genes, or inside one in
one of six readings, or on the one codon that ends a gene. Inside a gene, the triplet in its reading is drawn
from one table of 64 frequencies, the same for all readings; between genes, the triplets at all three places
are drawn from another. Both tables, that of the ends, and how states follow each other are learned by
expectation and maximisation (Baum and Welch). No genetic code, no start, no stop is given: that some triplets
are absent inside genes and stand at their ends is found.

Like the self-training gene finders (GeneMarkS, Besemer, Lomsadze and Borodovsky 2001), without their
knowledge of start and stop codons.

Legend: S rows, T steps, K states: 0 between genes, 1 to 3 inside on the forward strand with their codons 0, 1
and 2 bases behind the step, 4 to 6 inside on the reverse strand, 7 to 12 the ends of these six.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.decipherment.genome import GAP, UNKNOWN

Singles = NDArray[np.float32]

INSIDE, STATES = 7, 13
"""States without and with the ends."""

_INDEX = np.arange(64)
TURNED: Integers = (3 - _INDEX % 4) * 16 + (3 - _INDEX // 4 % 4) * 4 + 3 - _INDEX // 16
"""int64[64]: the codon that stands on the other strand, by index in the order of CODONS."""

_PSEUDO = 0.5
_ENOUGH_GAINED = 3e-6
_NEVER = -1e4


def _classes() -> Integers:
    """int64[K, K]: transitions that share one probability have one number; -1 where there is none.

    A gene's end belongs to its own reading: on the forward strand it comes behind the inside, on the reverse
    strand before it.
    """
    kinds = "N" + "P" * 3 + "M" * 3 + "Q" * 3 + "R" * 3
    found, names = np.full((STATES, STATES), -1, dtype=np.int64), dict[tuple[str, str, bool], int]()
    for i, one in enumerate(kinds):
        for j, other in enumerate(kinds):
            own = bool(i and j) and (i - 1) % 3 == (j - 1) % 3 and one + other in ("PP", "MM", "PQ", "RM")
            if (one == "R" or other == "Q") and not own:
                continue
            found[i, j] = names.setdefault((one, other, own), len(names))
    return found


_CLASSES = _classes()


@dataclass(frozen=True, eq=False)
class GeneModel:
    """What the genome is drawn from.

    Args:
        inside: float64[64], share of each codon inside genes.
        between: float64[64], share of each triplet elsewhere, on both strands.
        steps: float64[K, K], how states follow each other.
        ends: float64[64], share of each codon at the ends of genes; None in a model without ends.
    """

    inside: Floats
    between: Floats
    steps: Floats
    ends: Floats | None = None

    @property
    def states(self) -> int:
        """K."""
        return len(self.steps)


@dataclass(frozen=True, eq=False)
class Walk:
    """What a model says of some rows.

    Args:
        states: float32[T, S, K], probability of each state.
        value: log likelihood of the rows, nats.
        steps: float64[K, K], expected transitions.
    """

    states: Singles
    value: float
    steps: Floats


def beginning(tokens: NDArray[np.uint8], rng: np.random.Generator) -> GeneModel:
    """A random start without ends: the genome's triplets, the bases of the three places weighted at random.

    Args:
        tokens: uint8[3, T, S] of :meth:`~genomecli.analysis.decipherment.genome.Genome.tokens`.
        rng: source of randomness.
    """
    share = _shares(np.bincount(tokens.ravel(), minlength=GAP + 1)[:64].astype(np.float64))
    between = (share + share[TURNED]) / 2
    tilt = rng.normal(0, 0.5, (3, 4))
    inside = between * np.exp(tilt[0, _INDEX // 16] + tilt[1, _INDEX // 4 % 4] + tilt[2, _INDEX % 4])
    return from_codons(_shares(inside * 1e6), between)


def from_codons(inside: Floats, between: Floats) -> GeneModel:
    """A start without ends from a table of codons: genes of some 300 codons, 80 between them.

    Args:
        inside: float64[64], share of each codon inside genes.
        between: float64[64], share of each triplet elsewhere.
    """
    steps = np.full((INSIDE, INSIDE), 3e-4)
    steps[0], steps[1:, 0] = 2e-3, 3e-3
    np.fill_diagonal(steps, 0)
    np.fill_diagonal(steps, 1 - steps.sum(axis=1))
    return GeneModel(inside, between, steps)


def with_ends(model: GeneModel) -> GeneModel:
    """The same model, with ends that are as yet like any triplet between genes."""
    steps = np.zeros((STATES, STATES))
    steps[:INSIDE, :INSIDE] = model.steps
    steps[0, 10:] = steps[0, 4:7] / 2
    steps[0, 4:7] /= 2
    for frame in range(3):
        steps[1 + frame, 7 + frame] = steps[1 + frame, 0] / 2
        steps[1 + frame, 0] /= 2
        steps[1 + frame, 10:] = 1e-5
        steps[4 + frame, 10:] = 1e-4
        steps[7 + frame] = [0.7, *[0.05] * 6, *[0.0] * 3, *[0.05] * 3]
        steps[10 + frame, 4 + frame] = 1
    return GeneModel(
        model.inside, model.between, steps / steps.sum(axis=1, keepdims=True), model.between.copy()
    )


def emissions(tokens: NDArray[np.uint8], model: GeneModel) -> Singles:
    """float32[T, S, K]: natural log of the probability of each step's triplet in every state.

    Between genes it is the mean over the three places, so that all states draw three bases a step.

    Args:
        tokens: uint8[3, T, S].
        model: of K states.
    """
    found = np.empty((*tokens.shape[1:], model.states), dtype=np.float32)
    found[..., 0] = _log(model.between, 0.0)[tokens].mean(axis=0)
    tables = [model.inside] if model.ends is None else [model.inside, model.ends]
    for place, table in enumerate(tables):
        forward, reverse = _log(table, _NEVER), _log(table[TURNED], _NEVER)
        for frame in range(3):
            found[..., 6 * place + 1 + frame] = forward[tokens[frame]]
            found[..., 6 * place + 4 + frame] = reverse[tokens[frame]]
    return found


def _log(shares: Floats, gap: float) -> Singles:
    """float32[66]: logs of the 64 shares; an unknown triplet says nothing, and no gene crosses a gap."""
    found = np.empty(GAP + 1, dtype=np.float32)
    found[:64], found[UNKNOWN], found[GAP] = np.log(shares), 0.0, gap
    return found


def walk(tokens: NDArray[np.uint8], model: GeneModel) -> Walk:
    """Forward and backward over all rows at once, scaled at each step (Rabiner 1989).

    Args:
        tokens: uint8[3, T, S].
        model: what the rows are drawn from; each begins in any state with the same chance.
    """
    log = emissions(tokens, model)
    top = log.max(axis=2, keepdims=True)
    seen = np.exp(log - top)
    del log
    steps = model.steps.astype(np.float32)
    count, rows, states = seen.shape
    ahead, scale = np.empty_like(seen), np.empty((count, rows), dtype=np.float32)
    now = np.full((rows, states), 1 / states, dtype=np.float32) * seen[0]
    for t in range(count):
        if t:
            now = (now @ steps) * seen[t]
        scale[t] = np.maximum(now.sum(axis=1), 1e-30)
        now = now / scale[t, :, None]
        ahead[t] = now
    back, after = np.empty_like(seen), np.ones((rows, states), dtype=np.float32)
    back[-1] = after
    turned = np.ascontiguousarray(steps.T)
    for t in range(count - 2, -1, -1):
        after = ((seen[t + 1] * after) @ turned) / scale[t + 1, :, None]
        back[t] = after
    value = float(np.log(scale).sum(dtype=np.float64) + top.sum(dtype=np.float64))
    weighed = (seen[1:] * back[1:] / scale[1:, :, None]).reshape(-1, states)
    moved = model.steps * (ahead[:-1].reshape(-1, states).T @ weighed)
    return Walk(ahead * back, value, moved)


def learned(tokens: NDArray[np.uint8], found: Walk) -> GeneModel:
    """The model that explains best what a walk expects, with half a triplet added to each of the 64.

    Args:
        tokens: uint8[3, T, S], those of the walk.
        found: the walk; with states of ends, the model has ends.
    """
    inside, between, ends = (np.zeros(64, dtype=np.float64) for _ in range(3))
    for frame in range(3):
        flat = tokens[frame].ravel()
        for state, table in ((1, inside), (7, ends)):
            if state < found.states.shape[2]:
                table[:] += _tally(flat, found.states[..., state + frame])
                table[:] += _tally(flat, found.states[..., state + 3 + frame])[TURNED]
        seen = _tally(flat, found.states[..., 0])
        between += seen + seen[TURNED]
    steps = _shared(found.steps)
    return GeneModel(
        *(_shares(inside), _shares(between), steps), _shares(ends) if len(steps) == STATES else None
    )


def _tally(flat: NDArray[np.uint8], weights: Singles) -> Floats:
    found: Floats = np.bincount(flat, weights.ravel(), GAP + 1)[:64].astype(np.float64)
    return found


def _shares(counts: Floats) -> Floats:
    found: Floats = (counts + _PSEUDO) / (counts + _PSEUDO).sum()
    return found


def _shared(moved: Floats) -> Floats:
    """float64[K, K]: transitions, the same for all readings of a strand."""
    classes = _CLASSES[: len(moved), : len(moved)]
    steps = np.zeros_like(moved)
    for number in np.unique(classes[classes >= 0]):
        mine = classes == number
        steps[mine] = moved[mine].mean() + 1e-3
    found: Floats = steps / steps.sum(axis=1, keepdims=True)
    return found


def fitted(
    tokens: NDArray[np.uint8], model: GeneModel, rounds: int, least: float = _ENOUGH_GAINED
) -> tuple[GeneModel, float]:
    """The model after some rounds of learning.

    Args:
        tokens: uint8[3, T, S].
        model: to begin with.
        rounds: at most so many.
        least: a round that gains less than this share of the log likelihood is the last one.

    Returns:
        The model, and the log likelihood before its last round.
    """
    value = -np.inf
    for _ in range(rounds):
        found = walk(tokens, model)
        model, before, value = learned(tokens, found), value, found.value
        if value - before < least * abs(value):
            break
    return model, value
