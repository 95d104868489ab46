"""Evidence on contested codons: from DNA alone, or through a rotation to amino-acid vectors.

Legend: m codons with vectors, c contested among them, B draws.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.choice_model import ChoiceModel, fit_choice
from genomecli.analysis.class_similarity import class_similarity
from genomecli.analysis.code_tables import Readings
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.procrustes import fit_alignment, in_own_span
from genomecli.analysis.similarity import centre, cosine
from genomecli.analysis.spelling import without_spelling
from genomecli.errors import InputError


def _anchor_pairs(readings: Readings) -> Booleans:
    """bool[m, m]: pairs of anchors of two different amino acids."""
    kind = readings.anchor_class
    pairs: Booleans = (kind[:, None] >= 0) & (kind[None, :] >= 0) & (kind[:, None] != kind[None, :])
    return pairs


def resampled_anchors(members: Booleans, rng: np.random.Generator, draws: int) -> Integers:
    """Anchors drawn anew within each amino acid; int64[draws, m, 20] counts."""
    counts = np.zeros((draws, *members.shape), dtype=np.int64)
    for column in np.flatnonzero(members.any(axis=0)):
        rows = np.flatnonzero(members[:, column])
        counts[:, rows, column] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=draws)
    return counts


class DnaEvidence:
    """Nearness of contested codons to the anchors of each amino acid.

    Args:
        codons: float64[m, D].
        readings: what the codes say of these codons.
        adjust_spelling: take off what shared bases predict, learned on anchors of different amino acids.
    """

    def __init__(self, codons: Floats, readings: Readings, *, adjust_spelling: bool = True) -> None:
        vectors = centre(codons)
        similarity = cosine(vectors, vectors)
        if adjust_spelling:
            similarity = without_spelling(similarity, readings.codons, _anchor_pairs(readings))
        self._similarity = similarity
        self._readings = readings
        self._scores = class_similarity(similarity, readings.members)
        kind = readings.anchor_class
        with_others = readings.members.sum(axis=0)[kind] > 1
        self._anchors = np.flatnonzero((kind >= 0) & with_others)
        self._model = fit_choice(self._scores[self._anchors], kind[self._anchors])

    @property
    def trust(self) -> float:
        """Slope of the choice model."""
        return self._model.slope

    def contested(self) -> Floats:
        """float64[c, 20]: log odds of each amino acid."""
        return self._model.log_odds(self._scores[self._readings.contested])

    def resampled(self, rng: np.random.Generator, draws: int) -> Floats:
        """float64[B, c, 20]: the same with the anchors of each amino acid drawn anew."""
        members = resampled_anchors(self._readings.members, rng, draws)
        tables = [class_similarity(self._similarity, chosen)[self._readings.contested] for chosen in members]
        return self._model.log_odds(np.stack(tables))

    def known(self) -> tuple[Floats, Floats]:
        """Log odds of every wrong and of the right reading of the anchors, each left out; float64[pairs]."""
        odds = self._model.log_odds(self._scores[self._anchors])
        kind = self._readings.anchor_class[self._anchors]
        right = odds[np.arange(len(kind)), kind]
        wrong = np.isfinite(odds)
        wrong[np.arange(len(kind)), kind] = False
        row, column = np.nonzero(wrong)
        return odds[row, column], right[row]


class AminoEvidence:
    """Nearness of contested codons to amino-acid vectors through a rotation that saw neither.

    For each contested codon the rotation is fitted on anchors of all amino acids but its own readings, so
    that all readings are strangers alike; trust is learned from pairs of amino acids left out likewise.

    Args:
        codons: float64[m, D].
        amino_acids: float64[20, D'].
        readings: what the codes say of these codons.
        axes: principal axes of the rotation.
    """

    def __init__(self, codons: Floats, amino_acids: Floats, readings: Readings, axes: int = 12) -> None:
        if len(amino_acids) != len(AMINO_LETTERS):
            raise InputError(f"{len(amino_acids)} amino-acid vectors, not {len(AMINO_LETTERS)}")
        self._codons, self._amino = in_own_span(codons), in_own_span(amino_acids)
        self._readings, self._axes = readings, axes
        self._pair_scores = self._left_out_pairs()
        self._model: ChoiceModel = fit_choice(self._pair_scores, np.zeros(len(self._pair_scores), np.int64))

    @property
    def trust(self) -> float:
        """Slope of the choice model."""
        return self._model.slope

    def contested(self) -> Floats:
        """float64[c, 20]: log odds of each reading, -inf for other amino acids."""
        kind = self._readings.anchor_class
        return self._model.log_odds(self._contested_scores(np.flatnonzero(kind >= 0)))

    def resampled(self, rng: np.random.Generator, draws: int) -> Floats:
        """float64[B, c, 20]: the same with the anchors of each amino acid drawn anew."""
        members = resampled_anchors(self._readings.members, rng, draws).sum(axis=2)
        rows = np.arange(members.shape[1])
        scores = [self._contested_scores(np.repeat(rows, counts)) for counts in members]
        return self._model.log_odds(np.stack(scores))

    def known(self) -> tuple[Floats, Floats]:
        """Log odds of the wrong and the right reading for every pair of amino acids; float64[pairs]."""
        odds = self._model.log_odds(self._pair_scores)
        return odds[:, 1], odds[:, 0]

    def _contested_scores(self, anchors: Integers) -> Floats:
        """float64[c, 20]: cosine with each reading, -inf for other amino acids."""
        contested = self._readings.contested
        scores = np.full((len(contested), len(AMINO_LETTERS)), -np.inf)
        cache: dict[tuple[int, ...], Floats] = {}
        for place, row in enumerate(contested):
            choices = self._readings.choices(int(row))
            if choices not in cache:
                cache[choices] = self._cosines_without(choices, anchors)
            scores[place, list(choices)] = cache[choices][row, list(choices)]
        return scores

    def _cosines_without(self, left_out: tuple[int, ...], anchors: Integers) -> Floats:
        """Cosine of all codons and amino acids after a fit without some amino acids; float64[m, 20]."""
        kind = self._readings.anchor_class
        train = anchors[~np.isin(kind[anchors], left_out)]
        types = np.delete(self._amino, list(left_out), axis=0)
        fit = fit_alignment(self._codons[train], self._amino[kind[train]], self._axes, y_types=types)
        return cosine(fit.map_x(self._codons), fit.map_y(self._amino))

    def _left_out_pairs(self) -> Floats:
        """Cosines of anchors with the right and with a wrong amino acid, both left out; float64[pairs, 2]."""
        kind = self._readings.anchor_class
        anchors = np.flatnonzero(kind >= 0)
        scores = []
        for pair in combinations(np.unique(kind[anchors]).tolist(), 2):
            cosines = self._cosines_without(pair, anchors)
            for right, wrong in (pair, pair[::-1]):
                scores.append(cosines[kind == right][:, [right, wrong]])
        return np.concatenate(scores)
