"""Vectors with a known truth, for the tests of this room."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.gold import CodonGold
from genomecli.sequences.codes import genetic_code


class Planted:
    """Makes vectors whose relation to a genetic code is known."""

    standard = CodonGold.of(genetic_code(1))

    @staticmethod
    def unrelated(rng, gold=standard, width=64):
        """Codon and amino-acid vectors that know nothing of each other."""
        return rng.normal(size=(gold.n, width)), rng.normal(size=(len(gold.letters), width))

    @staticmethod
    def clustered(rng, gold=standard, width=64, noise=0.15):
        """Codon vectors around one random centre an amino acid; noise relative to the centres."""
        centres = rng.normal(size=(len(gold.letters), width))
        return centres[gold.classes] + noise * rng.normal(size=(gold.n, width))

    @staticmethod
    def rotated_copy(rng, gold=standard, width=64, dimensions=8, noise=0.1):
        """Amino acids on few axes, and codons that are a rotated copy: an alignment that cosine misses."""
        amino = rng.normal(size=(len(gold.letters), dimensions)) @ rng.normal(size=(dimensions, width))
        rotation, _ = np.linalg.qr(rng.normal(size=(width, width)))
        codons = amino[gold.classes] @ rotation.T + noise * rng.normal(size=(gold.n, width))
        return codons, amino


@pytest.fixture(scope="session")
def planted() -> type[Planted]:
    return Planted
