from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.baselines import (
    WEIGHTINGS,
    best_spelling_baseline,
    frequency_similarity,
    frequency_synonym_similarity,
    spelling_baseline,
)
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.ranks import Gold, rank_matrix
from genomecli.analysis.spelling import bases, nucleotide_similarity, without_spelling
from genomecli.sequences.codes import CODONS, genetic_code

STANDARD = CodonGold.of(genetic_code(1))


def test_nucleotide_similarity_letter_by_letter():
    found = nucleotide_similarity(np.arange(64), (3, 2, 1), 0.5)
    transitions = {"AG", "GA", "CT", "TC"}
    for i in (0, 7, 33, 63):
        for j in range(64):
            pairs = list(zip(CODONS[i], CODONS[j], strict=True))
            worth = [1.0 if a == b else 0.5 if a + b in transitions else 0.0 for a, b in pairs]
            assert found[i, j] == pytest.approx(np.dot(worth, (3, 2, 1)) / 6)


def test_spelling_alone_reaches_99_percent_on_all_synonyms_and_little_between_blocks():
    assert best_spelling_baseline(STANDARD).mrr > 0.99
    assert spelling_baseline(STANDARD, "equal").mrr < 0.3
    assert best_spelling_baseline(STANDARD, between_blocks=True).mrr < 0.4
    assert all(0 < spelling_baseline(STANDARD, name).mrr <= 1 for name in WEIGHTINGS)


def test_frequency_alone_matches_what_is_equally_frequent():
    counts = np.array([1, 10, 100])
    assert frequency_similarity(counts, counts).argmax(axis=1).tolist() == [0, 1, 2]
    assert np.isfinite(frequency_similarity([0, 5], [3, 0])).all()
    similar = frequency_synonym_similarity(counts)
    np.testing.assert_array_equal(similar, similar.T)
    rng = np.random.default_rng(0)
    usage = rng.integers(1, 1000, 61)
    amino = np.bincount(STANDARD.classes, weights=usage, minlength=20)
    plain = rank_matrix(frequency_similarity(usage, amino), Gold.single(STANDARD.classes)).mrr
    told = rank_matrix(frequency_similarity(usage, amino, STANDARD), Gold.single(STANDARD.classes)).mrr
    assert plain < told < 0.6


def test_spelling_is_taken_off_and_meaning_stays():
    rng = np.random.default_rng(1)
    codons = STANDARD.codons
    meaning = (STANDARD.classes[:, None] == STANDARD.classes[None, :]) * 0.7
    shared = nucleotide_similarity(codons, (2, 3, 1), 0.3)
    noise = rng.normal(size=(61, 61)) * 0.01
    table = meaning + shared + noise + noise.T
    different = STANDARD.classes[:, None] != STANDARD.classes[None, :]
    adjusted = without_spelling(table, codons, different)
    off = ~np.eye(61, dtype=bool)
    assert np.abs(adjusted - meaning)[off & different].max() < 0.08
    assert np.abs(adjusted - meaning)[off].mean() < 0.03
    np.testing.assert_array_equal(np.diag(adjusted), np.diag(table))


def test_bases_of_a_codon():
    assert ["".join("ACGT"[b] for b in row) for row in bases(np.arange(64))] == list(CODONS)
