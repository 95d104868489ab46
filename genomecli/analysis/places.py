"""Which vectors a number speaks of, and the vectors of the two languages of one species."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.gold import AMINO_LETTERS, CodonGold
from genomecli.sequences.codes import GeneticCode

Vectors = Literal["static", "contextual", "untrained", "word2vec", "ppmi", "frequency", "spelling"]

STATIC_LAYER = -1
"""Layer number of static rows."""


@dataclass(frozen=True, order=True)
class Place:
    """Where vectors come from.

    Args:
        run: name of the run, or of a baseline.
        species: whose languages.
        vectors: rows of the embedding, contextual means, those of the network before training, or a
            baseline's.
        frame: reading frame of the genes.
        layer: 0 after the embedding, up to the last; -1 for static rows.
        tokens: tokens seen in training, or size of a baseline's corpus; -1 if not known.
        seed: of the run; -1 if not known.
    """

    run: str
    species: str
    vectors: Vectors = "contextual"
    frame: int = 0
    layer: int = STATIC_LAYER
    tokens: int = -1
    seed: int = -1

    def at(self, layer: int) -> Place:
        """The same at another layer."""
        return replace(self, layer=layer)


@dataclass(frozen=True, eq=False)
class GeneSums:
    """Word sums by bucket of genes or loci, for a bootstrap over them.

    Args:
        codons: float32[G, n, D].
        codon_counts: int64[G, n].
        amino: float32[H, A, D']; proteins have buckets of their own.
        amino_counts: int64[H, A].
        unit: what the buckets of DNA are made of, in words: ``genes``, or stretches of the genome.
    """

    codons: NDArray[np.float32]
    codon_counts: Integers
    amino: NDArray[np.float32]
    amino_counts: Integers
    unit: str = "genes"


@dataclass(frozen=True, eq=False)
class VectorPair:
    """Vectors of the codons and amino acids of one species at one place.

    Args:
        place: where they come from.
        gold: the species' code, rows as below.
        codons: float64[n, D].
        amino: float64[A, D']; D' is D where one network reads both, 0 where none reads proteins.
        codon_counts: int64[n], occurrences behind each vector; empty where unknown.
        amino_counts: int64[A].
        seen: int64[m], every codon with a vector, those that the code calls stops included.
        seen_codons: float64[m, D].
        genes: sums by bucket, if they were asked for.
        apart: codons and amino acids are of two networks, which share no space: only what needs none (a
            fitted rotation, CKA) says anything about them.
    """

    place: Place
    gold: CodonGold
    codons: Floats
    amino: Floats
    codon_counts: Integers
    amino_counts: Integers
    seen: Integers
    seen_codons: Floats
    genes: GeneSums | None = None
    apart: bool = False

    @property
    def alone(self) -> bool:
        """There are codons only: the network reads no proteins. The amino acids' vectors have no width."""
        return not self.amino.shape[1]

    @property
    def widths(self) -> tuple[int, int]:
        """Width of the codons' and of the amino acids' vectors."""
        return self.codons.shape[1], self.amino.shape[1]


def make_pair(
    place: Place,
    code: GeneticCode,
    codons: NDArray[np.floating],
    amino: NDArray[np.floating] | None,
    codon_counts: Integers,
    amino_counts: Integers | None,
    *,
    min_count: int = 1,
    genes: GeneSums | None = None,
    apart: bool = False,
) -> VectorPair | None:
    """Keep sense codons and amino acids that have a vector: one that is finite, of a word seen often enough.

    Args:
        place: where the vectors come from.
        code: the species' genetic code.
        codons: [64, D], by codon index.
        amino: [20, D'], in the order of the alphabet; None for a network that reads no proteins.
        codon_counts: int64[64].
        amino_counts: int64[20], None likewise.
        min_count: words seen less often have no vector.
        genes: sums over the same 64 and 20 words by bucket.
        apart: the amino acids are of another network.

    Returns:
        None where fewer than three of the amino acids that are kept keep a codon.
    """
    if amino is None or amino_counts is None:
        amino, amino_counts, seen_amino = np.empty((20, 0)), np.zeros(20, dtype=np.int64), list(range(20))
    else:
        seen_amino = [a for a in range(20) if amino_counts[a] >= min_count and np.isfinite(amino[a]).all()]
    letters = "".join(AMINO_LETTERS[a] for a in seen_amino)
    seen = [c for c in range(64) if codon_counts[c] >= min_count and np.isfinite(codons[c]).all()]
    gold = CodonGold.of(code, seen, letters=letters)
    if np.count_nonzero(gold.block_sizes) < 3:
        return None
    kept = gold.codons
    return VectorPair(
        place,
        gold,
        codons[kept].astype(np.float64),
        amino[seen_amino].astype(np.float64),
        codon_counts[kept].astype(np.int64),
        amino_counts[seen_amino].astype(np.int64),
        np.array(seen, dtype=np.int64),
        codons[seen].astype(np.float64),
        None if genes is None else _select(genes, kept, seen_amino),
        apart,
    )


def _select(genes: GeneSums, codons: Integers, amino: list[int]) -> GeneSums:
    return GeneSums(
        genes.codons[:, codons],
        genes.codon_counts[:, codons],
        genes.amino[:, amino],
        genes.amino_counts[:, amino],
        genes.unit,
    )
