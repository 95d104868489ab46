"""Which of NCBI's genetic codes explains the vectors best, and how sure that is.

Codons that all codes read alike are anchors: they say where each amino acid lies. A contested codon is
scored against the anchors of each of its readings; the score of a code is the sum, over contested codons,
of the log odds of its reading against no information (a stop says nothing: 0). So each codon's evidence
is readable by itself, codes are compared on the same codons, and a code that differs from another only at
codons without a vector ties with it.

Two sources of evidence:

* DNA alone: centred cosine with the anchors of each amino acid, after what shared bases predict is taken
  off (otherwise UGA is near UGG, and CUG near CUA, in any model that knows spelling).
* With amino-acid vectors: cosine after a rotation fitted on the anchors of all amino acids but those
  between which the codon is contested.

How far similarities may be trusted is learned on the anchors themselves, each left out in turn, and so is
whether a codon's vector says anything at all (:mod:`~genomecli.analysis.choice_model`): rare codons lie
anywhere, and must not elect the reading that is nearest by accident.

Each class of codes has its distance behind the best, with the interval of resampled anchors and a p-value:
how often anchors read wrongly on purpose, one codon in ten replaced by a vector that means nothing, would
show such a distance, times the number of rivals (Bonferroni). A class is beaten where that is at most 0.05
and the interval begins at log odds of 1 or more; the others are kept. The question is decided when no kept
class gives a codon another amino acid than the best does. Codes that differ only in which codons stop are
told apart only where a codon's vector is clear: that takes terminal codons.

Legend: m codons with vectors, D width, B draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, Integers, as_vectors
from genomecli.analysis.code_evidence import AminoEvidence, DnaEvidence
from genomecli.analysis.code_tables import STOP, Readings, TableClass
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.statistics import Interval, percentiles
from genomecli.errors import InputError
from genomecli.sequences.codes import GeneticCode, all_codes

__all__ = ["CodeRanking", "CodonEvidence", "RankedClass", "rank_codes"]

_NULL_DRAWS = 5000
_MEANINGLESS = 0.1

LEAST_LEAD = 1.0
"""Log odds by which a class must be behind, at the lower end of the interval, to be called beaten."""


@dataclass(frozen=True)
class CodonEvidence:
    """What the vectors say of one contested codon.

    Args:
        codon: the codon.
        scores: letter to log odds against no information (natural log), for every reading that a code gives.
        tables: letter to the codes that read the codon so; a stop is 0.
    """

    codon: str
    scores: dict[str, float]
    tables: dict[str, tuple[int, ...]]

    @property
    def best(self) -> str:
        """The reading with the highest score: a stop, if some code has one, where all others are below 0."""
        return max(self.scores, key=lambda letter: (self.scores[letter], letter))


@dataclass(frozen=True)
class RankedClass:
    """Codes that the vectors cannot tell apart, their score, and how far they are behind the best.

    Args:
        codes: the class.
        score: sum of the log odds of its readings.
        behind: the best class's score less this one's, with its interval.
        p: how often wrong readings of anchors show such a distance, corrected for the number of rivals.
        same_sense: it differs from the best class, if at all, only in which codons stop.
    """

    codes: TableClass
    score: float
    behind: Interval
    p: float
    same_sense: bool

    @property
    def kept(self) -> bool:
        """Not clearly beaten by the best class."""
        return not (self.p <= 0.05 and self.behind.low >= LEAST_LEAD)


@dataclass(frozen=True)
class CodeRanking:
    """The codes by how well they explain the vectors.

    Args:
        classes: best first; ties by lowest number.
        evidence: one entry a contested codon.
        basis: ``dna`` or ``amino_acids``.
        trust: slope of the choice model; 0 where the vectors carry no signal.
    """

    classes: tuple[RankedClass, ...]
    evidence: tuple[CodonEvidence, ...]
    basis: str
    trust: float

    @property
    def rival(self) -> RankedClass | None:
        """The best class that gives some codon another amino acid than the best class does."""
        return next((ranked for ranked in self.classes if not ranked.same_sense), None)

    @property
    def margin(self) -> Interval:
        """How far the rival is behind, with its interval; 0 without a rival."""
        return self.rival.behind if self.rival else Interval(0.0, 0.0, 0.0)

    @property
    def p(self) -> float:
        """The rival's p-value; 1 without a rival."""
        return self.rival.p if self.rival else 1.0

    @property
    def decided(self) -> bool:
        """There are rivals, and none that reads a codon as another amino acid is kept."""
        return self.rival is not None and all(found.same_sense for found in self.classes if found.kept)

    @property
    def verdict(self) -> str:
        """``undecided``, or the codes kept, by number: ``12``; ``1, 11, 23`` differ only in stops."""
        kept = sorted(table for found in self.kept for table in found.codes.tables)
        return ", ".join(map(str, kept)) if self.decided else "undecided"

    @property
    def kept(self) -> tuple[RankedClass, ...]:
        """The classes that are not clearly beaten, best first."""
        return tuple(found for found in self.classes if found.kept)

    def possible(self, codon: str) -> frozenset[str]:
        """How the classes that are not clearly beaten read a codon; empty for one that no code disputes."""
        places = [place for place, entry in enumerate(self.evidence) if entry.codon == codon]
        return frozenset(found.codes.letters[place] for found in self.kept for place in places)

    def position(self, table: int) -> int:
        """Place (from 1) of the class that holds this code. Raises KeyError for a code not ranked."""
        for place, ranked in enumerate(self.classes, start=1):
            if table in ranked.codes.tables:
                return place
        raise KeyError(table)


class _Evidence(Protocol):
    """Log odds of contested codons and of anchors, from one source."""

    @property
    def trust(self) -> float:
        """How far the similarities may be trusted; 0 where they say nothing."""
        ...

    def contested(self) -> Floats:
        """float64[contested, 20]: log odds, -inf where the letter is no option."""
        ...

    def resampled(self, rng: np.random.Generator, draws: int) -> Floats:
        """float64[B, contested, 20] with the anchors resampled."""
        ...

    def known(self) -> tuple[Floats, Floats]:
        """Log odds of (wrong, right) readings of anchors left out, pair by pair; float64[pairs] each."""
        ...

    def meaningless(self) -> Floats:
        """float64[B, contested, 20]: log odds of vectors that mean nothing."""
        ...


def rank_codes(
    codons: ArrayLike,
    codon_ids: ArrayLike,
    *,
    rng: np.random.Generator,
    amino_acids: ArrayLike | None = None,
    codes: Sequence[GeneticCode] | None = None,
    draws: int = 200,
    axes: int = 12,
    adjust_spelling: bool = True,
) -> CodeRanking:
    """Rank genetic codes by how well they explain the vectors.

    Args:
        codons: [m, D], only codons that were seen often enough to have a vector.
        codon_ids: int[m], their indices (0..63).
        rng: source of randomness.
        amino_acids: [20, D'] in the order of AMINO_LETTERS; None for evidence from DNA alone.
        codes: the codes to rank, all of NCBI's by default.
        draws: resamples of the anchors for the interval.
        axes: principal axes of the rotation.
        adjust_spelling: take off what shared bases predict (DNA alone).

    Raises:
        InputError: fewer than three amino acids have two anchors, or shapes do not fit.
    """
    vectors = as_vectors(codons, "codons")
    readings = Readings.of(codon_ids, all_codes() if codes is None else codes)
    if len(vectors) != len(readings.codons):
        raise InputError(f"{len(vectors)} codon vectors for {len(readings.codons)} codons")
    if np.count_nonzero(readings.members.sum(axis=0) >= 2) < 3:
        raise InputError("fewer than three amino acids have two codons to compare", fix="use a larger corpus")
    source: _Evidence
    if amino_acids is None:
        source = DnaEvidence(vectors, readings, rng, adjust_spelling=adjust_spelling)
    else:
        source = AminoEvidence(vectors, as_vectors(amino_acids, "amino acids"), readings, rng, axes)
    return _rank(source, readings, rng, draws, "dna" if amino_acids is None else "amino_acids")


def _rank(
    source: _Evidence, readings: Readings, rng: np.random.Generator, draws: int, basis: str
) -> CodeRanking:
    odds = source.contested()
    classes = readings.classes()
    columns = [_columns(found.letters) for found in classes]
    scores = [float(_readings_of(odds, letters).sum()) for letters in columns]
    order = sorted(range(len(classes)), key=lambda i: (-round(scores[i], 9), classes[i].tables))
    best = order[0]
    drawn = source.resampled(rng, draws)
    best_draws = _readings_of(drawn, columns[best]).sum(axis=-1)
    null = _Null(source.known(), source.meaningless(), rng)
    ranked = []
    for i in order:
        behind = scores[best] - scores[i]
        gaps = best_draws - _readings_of(drawn, columns[i]).sum(axis=-1)
        p = null.p_value(behind, columns[best], columns[i]) if i != best else 1.0
        ranked.append(
            RankedClass(
                classes[i],
                scores[i],
                percentiles(gaps, behind),
                min(1.0, p * max(1, len(classes) - 1)),
                _same_sense(classes[best].letters, classes[i].letters),
            )
        )
    return CodeRanking(tuple(ranked), _evidence(odds, readings), basis, source.trust)


def _same_sense(first: str, second: str) -> bool:
    return all(a == b or STOP in (a, b) for a, b in zip(first, second, strict=True))


def _columns(letters: str) -> Integers:
    """Column of each letter; the last column, of zeros, for a stop."""
    return np.array(
        [len(AMINO_LETTERS) if a == STOP else AMINO_LETTERS.index(a) for a in letters], dtype=np.int64
    )


def _readings_of(odds: Floats, columns: Integers) -> Floats:
    """Log odds of one reading of each contested codon; float64[..., contested]."""
    widened = np.concatenate([odds, np.zeros((*odds.shape[:-1], 1))], axis=-1)
    found: Floats = widened[..., np.arange(len(columns)), columns]
    return np.where(np.isfinite(found), found, 0.0)


def _evidence(odds: Floats, readings: Readings) -> tuple[CodonEvidence, ...]:
    found = []
    for line, row in zip(odds, readings.contested.tolist(), strict=True):
        letters = sorted(readings.letters[row])
        table = np.append(np.where(np.isfinite(line), line, 0.0), 0.0)
        scores = {
            a: float(table[column]) for a, column in zip(letters, _columns("".join(letters)), strict=True)
        }
        tables = {a: readings.tables_reading(row, a) for a in letters}
        found.append(CodonEvidence(readings.text(row), scores, tables))
    return tuple(found)


class _Null:
    """How far in front a class comes that is wrong.

    Args:
        known: log odds of (wrong, right) readings of anchors; float64[pairs] each.
        meaningless: float64[B, contested, 20], log odds of vectors that mean nothing.
        rng: source of randomness.
    """

    def __init__(self, known: tuple[Floats, Floats], meaningless: Floats, rng: np.random.Generator) -> None:
        self._wrong, self._right = known
        real = np.where(np.isfinite(meaningless), meaningless, 0.0)
        self._meaningless = np.concatenate([real, np.zeros((*real.shape[:-1], 1))], axis=-1)  # a stop last
        self._rng = rng

    def p_value(self, margin: float, first: Integers, second: Integers) -> float:
        """How often the first class would be in front of the second by this margin, were the second true.

        Each codon that they read in two ways is then like a known codon, of which the first's reading is a
        wrong one and the second's the right one; or, one time in ten, a codon that means nothing, as a rare
        one may: nothing stands against a reading that it resembles by accident. A stop scores 0.
        """
        if len(self._wrong) == 0:
            return 1.0
        totals = np.zeros(_NULL_DRAWS)
        stop = len(AMINO_LETTERS)
        for column in np.flatnonzero(first != second):
            pair = self._rng.integers(0, len(self._wrong), _NULL_DRAWS)
            told = self._wrong[pair] * (first[column] < stop) - self._right[pair] * (second[column] < stop)
            one = self._rng.integers(0, len(self._meaningless), _NULL_DRAWS)
            odds = self._meaningless[:, column]
            untold = odds[one, first[column]] - odds[one, second[column]]
            totals += np.where(self._rng.random(_NULL_DRAWS) < _MEANINGLESS, untold, told)
        return float((1 + np.count_nonzero(totals >= margin - 1e-12)) / (1 + _NULL_DRAWS))
