"""A genome as triplets: against slicing, and what a redrawn one keeps."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.decipherment.genome import GAP, STEPS, UNKNOWN, Genome, genome_of
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.codes import CODONS

CONTIGS = ("ATGAAACCCG", "CCATNGGATACAT", "TT", "GATTACA")


def _genome() -> Genome:
    return genome_of([(f"c{i}", 100 * i, DNA.encode(text)) for i, text in enumerate(CONTIGS)])


def test_the_triplet_at_every_base_is_that_of_the_contig() -> None:
    genome = _genome()
    tokens = genome.tokens(np.array([0]))
    assert tokens.shape == (3, STEPS, 1)
    for number, text in enumerate(CONTIGS):
        for place in range(len(text)):
            at = int(genome.starts[number]) + place
            codon = text[place : place + 3]
            expected = CODONS.index(codon) if codon in CODONS else UNKNOWN
            assert tokens[at % 3, at // 3, 0] == expected
        assert (tokens[:, (int(genome.starts[number]) + len(text) + 2) // 3, 0] == GAP).all()
    assert (tokens[:, len(genome.bases) // 3 :, 0] == GAP).all()
    assert (genome.starts % 3 == 0).all()
    assert genome.contig_of(genome.starts).tolist() == [0, 1, 2, 3]


def test_rows_follow_one_another() -> None:
    rng = np.random.default_rng(1)
    genome = genome_of([("c", 0, rng.integers(0, 4, 3 * STEPS + 50).astype(np.uint8))])
    assert genome.rows == 2
    both = genome.tokens(np.array([1, 0]))
    codons = genome.bases[: 3 * STEPS + 48].reshape(-1, 3) @ np.array([16, 4, 1])
    assert np.array_equal(both[0, :, 1], codons[:STEPS])
    assert np.array_equal(both[0, :16, 0], codons[STEPS:])


def test_a_redrawn_genome_keeps_trinucleotides_and_unknown_bases_alone() -> None:
    rng = np.random.default_rng(2)
    bases = np.tile(np.array([0, 1, 2, 3, 3, 0, 2], dtype=np.uint8), 30_000)
    noisy = np.where(rng.random(len(bases)) < 0.3, rng.integers(0, 4, len(bases)), bases).astype(np.uint8)
    noisy[1000:1010] = 9
    genome = genome_of([("c", 0, noisy)])
    again = genome.redrawn(np.random.default_rng(3))
    assert np.array_equal(again.bases >= 4, genome.bases >= 4)
    shares = []
    for one in (genome, again):
        tokens = one.tokens(np.arange(one.rows))
        shares.append(np.bincount(tokens.ravel(), minlength=66)[:64] / (tokens < 64).sum())
    assert np.abs(shares[0] - shares[1]).max() < 0.004
    assert (again.bases[:200_000] == genome.bases[:200_000]).mean() < 0.5
