"""Vectors of two languages whose relation is known, for the tests of comparisons."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.places import Place, VectorPair, make_pair
from genomecli.analysis.settings import CompareSettings
from genomecli.sequences.codes import genetic_code

QUICK = CompareSettings(permutations=39, draws=40, bootstrap=50, gene_bootstrap=5)


def planted_pair(code: int = 1, noise: float = 0.3, seed: int = 0, place: Place | None = None) -> VectorPair:
    """Codons that are a rotated, noisy copy of their amino acids under ``code``."""
    rng = np.random.default_rng(seed)
    amino = rng.normal(size=(20, 8)) @ rng.normal(size=(8, 24))
    rotation, _ = np.linalg.qr(rng.normal(size=(24, 24)))
    codons = rng.normal(size=(64, 24))
    for codon, letter in enumerate(genetic_code(code).amino):
        if letter != "*":
            codons[codon] = amino[AMINO_LETTERS.index(letter)] @ rotation.T + noise * rng.normal(size=24)
    return make_toy_pair(codons, amino, code, place)


def random_pair(seed: int = 0, place: Place | None = None) -> VectorPair:
    """Vectors that know nothing of each other."""
    rng = np.random.default_rng(seed)
    return make_toy_pair(rng.normal(size=(64, 24)), rng.normal(size=(20, 24)), 1, place)


def make_toy_pair(codons: np.ndarray, amino: np.ndarray, code: int, place: Place | None) -> VectorPair:
    """The pair of these vectors, every word seen ten times or more."""
    counts = np.arange(10, 74)
    pair = make_pair(
        place or Place("run", "bug", layer=1), genetic_code(code), codons, amino, counts, counts[:20]
    )
    assert pair is not None
    return pair
