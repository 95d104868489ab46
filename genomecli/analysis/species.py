"""Species against species: do their codons find each other, and do their amino acids?

Codons have two golds: the same codon, and any codon of the same amino acid (each under its own species'
code). Amino acids have one: the same amino acid. Species that share a vocabulary and a model are compared
directly; separate models through a rotation of the one language that is fitted with one amino acid left out,
with all its codons on both sides.

Legend: n codons of species a, m codons of species b, A and B their amino acids, D width, k axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, as_vectors
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.nulls import expected_reciprocal_rank
from genomecli.analysis.procrustes import fit_alignment, in_own_span
from genomecli.analysis.ranks import Gold, RankResult, rank_matrix
from genomecli.analysis.similarity import cosine, similarity
from genomecli.errors import InputError


@dataclass(frozen=True, eq=False)
class SpeciesScores:
    """Codons of one species looked up among the codons of another.

    Args:
        same_codon: the right one is the same codon; NaN where the other species has no vector for it.
        same_amino: the right ones are all codons of the same amino acid.
        similarity: float64[n, m].
    """

    same_codon: RankResult
    same_amino: RankResult
    similarity: Floats


def species_ranks(
    a: ArrayLike,
    gold_a: CodonGold,
    b: ArrayLike,
    gold_b: CodonGold,
    *,
    how: str = "cosine",
    axes: int = 12,
    neighbours: int = 5,
) -> SpeciesScores:
    """Rank the codons of species b for every codon of species a.

    Args:
        a: [n, D], rows as in ``gold_a``.
        gold_a: the code of species a.
        b: [m, D'], rows as in ``gold_b``.
        gold_b: the code of species b.
        how: a name in SIMILARITIES (shared space), or ``procrustes``.
        axes: principal axes of the rotation.
        neighbours: K of CSLS.

    Raises:
        InputError: a rotation is asked for and too few codons are shared to fit it.
    """
    if how == "procrustes":
        table = _rotated(as_vectors(a), gold_a, as_vectors(b), gold_b, axes)
    else:
        table = similarity(how, a, b, neighbours)
    right_amino = np.array(list(gold_a.amino))[:, None] == np.array(list(gold_b.amino))[None, :]
    right_codon = gold_a.codons[:, None] == gold_b.codons[None, :]
    return SpeciesScores(
        rank_matrix(table, Gold.mask(right_codon)),
        rank_matrix(table, Gold.mask(right_amino)),
        table,
    )


def species_chance(gold_a: CodonGold, gold_b: CodonGold) -> tuple[float, float]:
    """Exact chance of (same codon, same amino acid) for independent ranks."""
    shared = expected_reciprocal_rank(gold_b.n)
    sizes = [gold_b.amino.count(letter) for letter in gold_a.amino]
    found = [expected_reciprocal_rank(gold_b.n, size) for size in sizes if size]
    return shared, float(np.mean(found)) if found else float("nan")


def _rotated(a: Floats, gold_a: CodonGold, b: Floats, gold_b: CodonGold, axes: int) -> Floats:
    """Cosine of each codon of a, out of the fit with its amino acid, with all codons of b; [n, m]."""
    flat_a, flat_b = in_own_span(a), in_own_span(b)
    row_b = {int(codon): row for row, codon in enumerate(gold_b.codons)}
    pairs = np.array([(row, row_b[c]) for row, c in enumerate(gold_a.codons.tolist()) if c in row_b])
    if len(pairs) < 3:
        raise InputError(f"{len(pairs)} codons have vectors in both species: too few for a rotation")
    amino_a, amino_b = np.array(list(gold_a.amino)), np.array(list(gold_b.amino))
    similarity = np.zeros((gold_a.n, gold_b.n))
    for letter in sorted(set(gold_a.amino)):
        held = amino_a == letter
        # A codon that either species reads as the held-out amino acid would let it in.
        train = pairs[(amino_a[pairs[:, 0]] != letter) & (amino_b[pairs[:, 1]] != letter)]
        fit = fit_alignment(flat_a[train[:, 0]], flat_b[train[:, 1]], axes)
        similarity[held] = cosine(fit.map_x(flat_a[held]), fit.map_y(flat_b))
    return similarity


def amino_ranks(
    a: ArrayLike,
    letters_a: str,
    b: ArrayLike,
    letters_b: str,
    *,
    how: str = "cosine",
    axes: int = 12,
    neighbours: int = 5,
) -> RankResult:
    """Rank the amino acids of species b for every amino acid of species a; the right one is the same.

    Args:
        a: [A, D], rows as in ``letters_a``.
        letters_a: amino acids of species a that have a vector.
        b: [B, D'], rows as in ``letters_b``.
        letters_b: those of species b.
        how: a name in SIMILARITIES (shared space), or ``procrustes``.
        axes: principal axes of the rotation.
        neighbours: K of CSLS.

    Raises:
        InputError: a rotation is asked for and too few amino acids are shared to fit it.
    """
    table = (
        _rotated_amino(as_vectors(a), letters_a, as_vectors(b), letters_b, axes)
        if how == "procrustes"
        else similarity(how, a, b, neighbours)
    )
    right = np.array(list(letters_a))[:, None] == np.array(list(letters_b))[None, :]
    return rank_matrix(table, Gold.mask(right))


def _rotated_amino(a: Floats, letters_a: str, b: Floats, letters_b: str, axes: int) -> Floats:
    """Cosine of each amino acid of a, itself out of the fit, with all of b; [A, B]."""
    flat_a, flat_b = in_own_span(a), in_own_span(b)
    shared = [letter for letter in letters_a if letter in letters_b]
    if len(shared) < 4:
        raise InputError(f"{len(shared)} amino acids have vectors in both species: too few for a rotation")
    found = np.zeros((len(a), len(b)))
    for row, held in enumerate(letters_a):
        train = [letter for letter in shared if letter != held]
        x = flat_a[[letters_a.index(letter) for letter in train]]
        y = flat_b[[letters_b.index(letter) for letter in train]]
        fit = fit_alignment(x, y, axes)
        found[row] = cosine(fit.map_x(flat_a[row : row + 1]), fit.map_y(flat_b))[0]
    return found


def amino_null(
    a: ArrayLike,
    letters_a: str,
    b: ArrayLike,
    letters_b: str,
    draws: int,
    rng: np.random.Generator,
    *,
    how: str = "cosine",
    axes: int = 12,
    neighbours: int = 5,
) -> Floats:
    """MRR with the vectors of b dealt anew among its amino acids, any rotation refitted; float64[draws].

    Args: as :func:`amino_ranks`, and ``draws`` permutations from ``rng``.
    """
    vectors, found = as_vectors(b), np.empty(draws)
    for draw in range(draws):
        dealt = vectors[rng.permutation(len(vectors))]
        ranks = amino_ranks(a, letters_a, dealt, letters_b, how=how, axes=axes, neighbours=neighbours)
        found[draw] = ranks.mrr
    return found


def species_null(
    a: ArrayLike,
    gold_a: CodonGold,
    b: ArrayLike,
    gold_b: CodonGold,
    draws: int,
    rng: np.random.Generator,
    *,
    how: str = "cosine",
    axes: int = 12,
    neighbours: int = 5,
) -> tuple[Floats, Floats]:
    """MRR with the vectors of b dealt anew among its codons, any rotation refitted each time.

    Args: as :func:`species_ranks`, and ``draws`` permutations from ``rng``.

    Returns:
        (same codon, same amino acid), float64[draws] each.
    """
    vectors = as_vectors(b)
    found = np.empty((2, draws))
    for draw in range(draws):
        dealt = vectors[rng.permutation(len(vectors))]
        scores = species_ranks(a, gold_a, dealt, gold_b, how=how, axes=axes, neighbours=neighbours)
        found[:, draw] = scores.same_codon.mrr, scores.same_amino.mrr
    return found[0], found[1]
