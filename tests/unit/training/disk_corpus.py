"""A small corpus on disk with a grammar that a network can learn in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from genomecli.corpus.manifest import SpeciesInfo
from genomecli.sequences.codes import genetic_code
from tests.unit.corpus.written import Bytes, write_corpus


def chain_of_codons(generator: np.random.Generator, codons: int) -> Bytes:
    """A gene in which the next codon is, mostly, the one before it plus 5 or 7 among the 61 sense codons."""
    sense = np.array(genetic_code(1).sense)
    steps = generator.choice([5, 7, int(generator.integers(61))], codons)
    chosen = sense[np.cumsum(steps) % len(sense)]
    return np.stack([chosen // 16, chosen // 4 % 4, chosen % 4], axis=1).astype(np.uint8).ravel()


def write_disk_corpus(
    folder: Path, species: tuple[str, ...] = ("yeast",), genes: int = 60, seed: int = 0
) -> Path:
    """Write genes and their proteins of each species; every sixth gene is for validation."""
    generator = np.random.default_rng(seed)
    made = {}
    for name in species:
        dna = [chain_of_codons(generator, int(n)) for n in generator.integers(30, 60, genes)]
        made[SpeciesInfo(name, 1)] = dna, [genetic_code(1).translate(gene) for gene in dna]
    return write_corpus(folder, made, [*["train"] * 5, "valid"])
