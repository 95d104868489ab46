"""The evidence of moves against the evidence of whole assignments, and against its formula in loops."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.decipherment.evidence import (
    NOTHING,
    READINGS,
    Background,
    Evidence,
    Weights,
    one_hot,
    pair_ratios,
)


def _evidence(composition: float = 0.3) -> Evidence:
    rng = np.random.default_rng(5)
    codons = rng.poisson(3.0, (2, 64, 64)).astype(float)
    codons[:, 7], codons[:, :, 7] = 0, 0
    residues = rng.poisson(40.0, (2, 20, 20)).astype(float)
    return Evidence(codons, residues, Weights(2.0, composition), share=np.array([1.0, 0.5]))


def _labels(evidence: Evidence, rows: int) -> np.ndarray:
    labels = np.full((rows, 64), -1)
    labels[:, evidence.seen] = np.random.default_rng(2).integers(0, READINGS, (rows, len(evidence.seen)))
    return labels


def test_the_evidence_is_its_formula() -> None:
    rng = np.random.default_rng(8)
    codons, residues = (
        rng.poisson(2.0, (1, 64, 64)).astype(float),
        rng.poisson(30.0, (1, 20, 20)).astype(float),
    )
    evidence = Evidence(codons, residues, Weights(1.0, 0.0))
    labels = rng.integers(0, 20, 64)
    ratio = pair_ratios(residues, 1.0)[0]
    left, right = codons[0].sum(axis=1) / codons.sum(), codons[0].sum(axis=0) / codons.sum()
    seen = sum(codons[0, c, d] * np.log(ratio[labels[c], labels[d]]) for c in range(64) for d in range(64))
    norm = sum(left[c] * right[d] * ratio[labels[c], labels[d]] for c in range(64) for d in range(64))
    assert evidence.value(labels[None])[0] == pytest.approx(seen - codons.sum() * np.log(norm), rel=1e-10)


def test_a_move_gains_what_the_whole_evidence_gains() -> None:
    evidence = _evidence()
    assert 7 not in evidence.seen
    labels = _labels(evidence, 3)
    hot = one_hot(labels)
    norms = evidence.norms(hot)
    for codon in (0, 11, 63):
        gain, after = evidence.moves(labels, codon, hot, norms)
        np.testing.assert_array_equal(hot, one_hot(labels))
        for letter in (0, 5, 19, NOTHING):
            other = labels.copy()
            other[:, codon] = letter
            whole = evidence.value(other) - evidence.value(labels)
            own = gain[np.arange(3), labels[:, codon]]
            np.testing.assert_allclose(gain[:, letter] - own, whole, rtol=1e-8, atol=1e-7)
            np.testing.assert_allclose(after[:, :, letter], evidence.norms(one_hot(other)), rtol=1e-10)


def test_what_goes_together_far_apart_is_no_evidence() -> None:
    """Genes with two kinds of codon usage: near pairs are far pairs, and no assignment explains anything."""
    rng = np.random.default_rng(3)
    usage = rng.dirichlet(np.full(64, 0.5), size=2)
    codons = 1e5 * sum(np.outer(one, one) for one in usage)
    amino = rng.dirichlet(np.full(20, 2.0), size=2)
    residues = 1e6 * sum(np.outer(one, one) for one in amino)
    labels = rng.integers(0, 20, (20, 64))
    plain = Evidence(codons[None], residues[None], Weights(1.0, 0.0)).value(labels)
    background = Background(8 * codons, 8 * residues)
    taken_off = Evidence(codons[None], residues[None], Weights(1.0, 0.0), background=background).value(labels)
    assert np.abs(plain).max() > 100
    assert np.abs(taken_off).max() < 0.01 * np.abs(plain).max()


def test_nothing_explains_nothing() -> None:
    evidence = _evidence(composition=0.0)
    labels = np.full((1, 64), NOTHING)
    labels[:, 7] = -1
    assert evidence.value(labels)[0] == pytest.approx(0.0, abs=1e-6)


def test_other_codon_usage_is_no_evidence() -> None:
    """Codons that follow each other as often as their frequencies say tell nothing, whatever these are."""
    rng = np.random.default_rng(4)
    usage = rng.dirichlet(np.full(64, 0.5))
    codons = 1e5 * np.outer(usage, usage)[None]
    residues = rng.poisson(50.0, (1, 20, 20)).astype(float)
    evidence = Evidence(codons, residues, Weights(1.0, 0.0))
    values = evidence.value(rng.integers(0, 20, (20, 64)))
    assert (values <= 1e-6).all()


def test_a_distance_without_codons_says_nothing() -> None:
    """Genes shorter than the largest distance: no logarithm of zero, and the evidence of the others."""
    rng = np.random.default_rng(3)
    codons = rng.poisson(2.0, (2, 64, 64)).astype(float)
    residues = rng.poisson(30.0, (2, 20, 20)).astype(float)
    codons[1] = 0
    background = Background(rng.poisson(9.0, (64, 64)) + 0.0, rng.poisson(9.0, (20, 20)) + 0.0)
    with np.errstate(all="raise"):
        found = Evidence(codons, residues, Weights(1.0, 0.0), np.array([0.7, 1.3]), background)
        alone = Evidence(codons[:1], residues[:1], Weights(1.0, 0.0), np.array([0.7]), background)
        labels = _labels(alone, 3)
        np.testing.assert_array_equal(found.value(labels), alone.value(labels))
        hot = one_hot(labels)
        gain, _ = found.moves(labels, 5, hot, found.norms(hot))
    assert np.isfinite(gain).all()
