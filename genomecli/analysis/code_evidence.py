"""Evidence on contested codons: from DNA alone, or through a rotation to amino-acid vectors.

Legend: m codons with vectors, c contested among them, B draws.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.choice_model import Gate, fit_choice, fit_gate
from genomecli.analysis.class_similarity import class_similarity
from genomecli.analysis.code_tables import Readings
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.procrustes import fit_alignment, in_own_span
from genomecli.analysis.similarity import centre, cosine
from genomecli.analysis.spelling import without_spelling
from genomecli.errors import InputError

STRANGERS = 500
"""Vectors drawn that mean nothing."""


def _anchor_pairs(readings: Readings) -> Booleans:
    """bool[m, m]: pairs of anchors of two different amino acids."""
    kind = readings.anchor_class
    pairs: Booleans = (kind[:, None] >= 0) & (kind[None, :] >= 0) & (kind[:, None] != kind[None, :])
    return pairs


def resampled_anchors(members: Booleans, rng: np.random.Generator, draws: int) -> Integers:
    """Anchors (bool[m, 20]) drawn anew within each amino acid; int64[draws, m, 20] counts."""
    counts = np.zeros((draws, *members.shape), dtype=np.int64)
    for column in np.flatnonzero(members.any(axis=0)):
        rows = np.flatnonzero(members[:, column])
        counts[:, rows, column] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=draws)
    return counts


def strangers(codons: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """Vectors that mean nothing, as those of codons too rare to tell may be; float64[draws, D].

    Gaussian, with the mean and the covariance of the codons' own vectors.
    """
    mean = codons.mean(axis=0)
    drawn: Floats = mean + rng.standard_normal((draws, len(codons))) @ (codons - mean) / np.sqrt(len(codons))
    return drawn


def _best_reading(scores: Floats, readings: Readings) -> Floats:
    """float64[..., c]: the best of float64[..., c, 20] over the amino acids that codes give the codon."""
    options = np.zeros(scores.shape[-2:], dtype=np.bool_)
    for place, row in enumerate(readings.contested.tolist()):
        options[place, list(readings.choices(row))] = True
    best: Floats = np.where(options, scores, -np.inf).max(axis=-1)
    return best


class DnaEvidence:
    """Nearness of contested codons to the anchors of each amino acid.

    Args:
        codons: float64[m, D].
        readings: what the codes say of these codons.
        rng: source of randomness.
        adjust_spelling: take off what shared bases predict, learned on anchors of different amino acids.
    """

    def __init__(
        self, codons: Floats, readings: Readings, rng: np.random.Generator, *, adjust_spelling: bool = True
    ) -> None:
        vectors = centre(codons)
        plain = cosine(vectors, vectors)
        similarity = plain
        if adjust_spelling:
            similarity = without_spelling(plain, readings.codons, _anchor_pairs(readings))
        self._vectors, self._similarity, self._spelling = vectors, similarity, plain - similarity
        self._readings = readings
        self._scores = class_similarity(similarity, readings.members)
        kind = readings.anchor_class
        with_others = readings.members.sum(axis=0)[kind] > 1
        self._anchors = np.flatnonzero((kind >= 0) & with_others)
        self._model = fit_choice(self._scores[self._anchors], kind[self._anchors])
        self._strangers = self._of_strangers(strangers(vectors, rng, STRANGERS))
        own = self._scores[self._anchors, kind[self._anchors]]
        self._gate = fit_gate(own, _best_reading(self._strangers, readings), len(own))

    @property
    def trust(self) -> float:
        """Slope of the choice model."""
        return self._model.slope

    def contested(self) -> Floats:
        """float64[c, 20]: log odds of each amino acid."""
        return self._odds(self._scores[self._readings.contested])

    def _odds(self, scores: Floats) -> Floats:
        telling = self._gate.telling(_best_reading(scores, self._readings))
        return self._model.log_odds(scores, telling)

    def resampled(self, rng: np.random.Generator, draws: int) -> Floats:
        """float64[B, c, 20]: the same with the anchors of each amino acid drawn anew."""
        members = resampled_anchors(self._readings.members, rng, draws)
        tables = [class_similarity(self._similarity, chosen)[self._readings.contested] for chosen in members]
        return self._odds(np.stack(tables))

    def known(self) -> tuple[Floats, Floats]:
        """Log odds of every wrong and of the right reading of the anchors, each left out; float64[pairs]."""
        odds = self._model.log_odds(self._scores[self._anchors])
        kind = self._readings.anchor_class[self._anchors]
        right = odds[np.arange(len(kind)), kind]
        wrong = np.isfinite(odds)
        wrong[np.arange(len(kind)), kind] = False
        row, column = np.nonzero(wrong)
        return odds[row, column], right[row]

    def meaningless(self) -> Floats:
        """float64[B, c, 20]: log odds with strangers in the place of each contested codon."""
        return self._odds(self._strangers)

    def _of_strangers(self, vectors: Floats) -> Floats:
        """float64[B, c, 20]: similarity of strangers, in the place of each contested codon, with anchors."""
        drawn = cosine(vectors, self._vectors)
        found = np.full((len(drawn), len(self._readings.contested), len(AMINO_LETTERS)), -np.inf)
        for place, row in enumerate(self._readings.contested.tolist()):
            members = self._readings.members.astype(np.float64)
            members[row] = 0.0
            held = np.flatnonzero(members.any(axis=0))
            share = members[:, held] / members[:, held].sum(axis=0)
            found[:, place, held] = (drawn - self._spelling[row]) @ share
        return found


class AminoEvidence:
    """Nearness of contested codons to amino-acid vectors through a rotation that saw neither.

    For each contested codon the rotation is fitted on anchors of all amino acids but its own readings, so
    that all readings are strangers alike; trust is learned from pairs of amino acids left out likewise.

    Args:
        codons: float64[m, D].
        amino_acids: float64[20, D'].
        readings: what the codes say of these codons.
        rng: source of randomness.
        axes: principal axes of the rotation.

    Raises:
        InputError: if there are not 20 amino-acid vectors.
    """

    def __init__(
        self,
        codons: Floats,
        amino_acids: Floats,
        readings: Readings,
        rng: np.random.Generator,
        axes: int = 12,
    ) -> None:
        if len(amino_acids) != len(AMINO_LETTERS):
            raise InputError(f"{len(amino_acids)} amino-acid vectors, not {len(AMINO_LETTERS)}")
        self._codons, self._amino = in_own_span(codons), in_own_span(amino_acids)
        self._readings, self._axes = readings, axes
        self._pair_scores = self._left_out_pairs()
        self._model = fit_choice(self._pair_scores, np.zeros(len(self._pair_scores), np.int64))
        self._anchors = np.flatnonzero(readings.anchor_class >= 0)
        self._strangers = self._of_strangers(strangers(self._codons, rng, STRANGERS))
        best = _best_reading(self._strangers, readings)
        self._gate: Gate = fit_gate(self._pair_scores[:, 0], best, len(self._anchors))

    @property
    def trust(self) -> float:
        """Slope of the choice model."""
        return self._model.slope

    def contested(self) -> Floats:
        """float64[c, 20]: log odds of each reading, -inf for other amino acids."""
        return self._odds(self._contested_scores(self._anchors))

    def _odds(self, scores: Floats) -> Floats:
        telling = self._gate.telling(_best_reading(scores, self._readings))
        return self._model.log_odds(scores, telling)

    def resampled(self, rng: np.random.Generator, draws: int) -> Floats:
        """float64[B, c, 20]: the same with the anchors of each amino acid drawn anew."""
        members = resampled_anchors(self._readings.members, rng, draws).sum(axis=2)
        rows = np.arange(members.shape[1])
        scores = [self._contested_scores(np.repeat(rows, counts)) for counts in members]
        return self._odds(np.stack(scores))

    def known(self) -> tuple[Floats, Floats]:
        """Log odds of the wrong and the right reading for every pair of amino acids; float64[pairs]."""
        odds = self._model.log_odds(self._pair_scores)
        return odds[:, 1], odds[:, 0]

    def meaningless(self) -> Floats:
        """float64[B, c, 20]: log odds with strangers in the place of each contested codon."""
        return self._odds(self._strangers)

    def _of_strangers(self, drawn: Floats) -> Floats:
        """float64[B, c, 20]: cosine of strangers, in the place of each contested codon, with each reading."""
        found = np.full((len(drawn), len(self._readings.contested), len(AMINO_LETTERS)), -np.inf)
        cache: dict[tuple[int, ...], Floats] = {}
        for place, row in enumerate(self._readings.contested.tolist()):
            choices = self._readings.choices(row)
            if choices not in cache:
                cache[choices] = self._cosines_without(choices, self._anchors, drawn)
            found[:, place, list(choices)] = cache[choices][:, list(choices)]
        return found

    def _contested_scores(self, anchors: Integers) -> Floats:
        """float64[c, 20]: cosine with each reading, -inf for other amino acids."""
        contested = self._readings.contested
        scores = np.full((len(contested), len(AMINO_LETTERS)), -np.inf)
        cache: dict[tuple[int, ...], Floats] = {}
        for place, row in enumerate(contested):
            choices = self._readings.choices(int(row))
            if choices not in cache:
                cache[choices] = self._cosines_without(choices, anchors, self._codons)
            scores[place, list(choices)] = cache[choices][row, list(choices)]
        return scores

    def _cosines_without(self, left_out: tuple[int, ...], anchors: Integers, codons: Floats) -> Floats:
        """Cosine of ``codons`` [n, D] and amino acids after a fit without some of these; float64[n, 20]."""
        kind = self._readings.anchor_class
        train = anchors[~np.isin(kind[anchors], left_out)]
        types = np.delete(self._amino, list(left_out), axis=0)
        fit = fit_alignment(self._codons[train], self._amino[kind[train]], self._axes, y_types=types)
        return cosine(fit.map_x(codons), fit.map_y(self._amino))

    def _left_out_pairs(self) -> Floats:
        """Cosines of anchors with the right and with a wrong amino acid, both left out; float64[pairs, 2]."""
        kind = self._readings.anchor_class
        anchors = np.flatnonzero(kind >= 0)
        scores = []
        for pair in combinations(np.unique(kind[anchors]).tolist(), 2):
            cosines = self._cosines_without(pair, anchors, self._codons)
            for right, wrong in (pair, pair[::-1]):
                scores.append(cosines[kind == right][:, [right, wrong]])
        return np.concatenate(scores)
