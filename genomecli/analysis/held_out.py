"""Codons against amino acids through a rotation that never saw them.

Leave one amino acid out is the evidence: all codons of one amino acid, and the amino acid itself, are kept
out of means, axes and rotation, then scored against all amino acids. Leave one codon out is shown only
beside its null: where codons cluster by synonym it reaches .97 with random amino-acid vectors, because the
training pairs already name the cluster.

All folds of all permutations are solved together: for a fold, only the block sums of its training codons
enter Y X^T, so a permutation of amino acids among blocks costs one small matrix product and one SVD.

Legend: F folds, n codons, A amino acids, k axes, P permutations in a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Booleans, Floats, Integers, as_vectors
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.permutations import NullMRR
from genomecli.analysis.procrustes import in_own_span
from genomecli.analysis.ranks import Gold, RankResult, rank_matrix
from genomecli.errors import InputError

_ROUNDING = 1e-10
# Items that spread less than this share of their size along an axis: rounding, since squares lose digits.
_FLAT = 1e-7
_TIE = 1e-9
_CHUNK_VALUES = 4_000_000


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Scores of items that the rotation never saw.

    Args:
        similarity: float64[n, A], cosine of each codon, held out, with each amino acid.
        forward: codon to amino acid, one rank a codon.
        backward: amino acid to the best of its held-out codons among all codons, one rank a fold.
    """

    similarity: Floats
    forward: RankResult
    backward: RankResult


@dataclass(frozen=True, eq=False)
class _Problem:
    """Everything that does not depend on the permutation."""

    gold: CodonGold
    held: Booleans  # [F, n]: codons out of the training pairs
    block: Integers  # [F]: block that loses all its codons, -1 none
    owner: Integers  # [F]: block of the held-out codons
    codons: Floats  # [F, n, k]: codons on each fold's axes
    sums: Floats  # [F, A, k]: training codons summed by block
    aminos: Floats  # [A + 1, A, k]: amino acids on the axes of "all but a", and of all (last)


def leave_one_amino_acid_out(
    codons: ArrayLike, amino_acids: ArrayLike, gold: CodonGold, axes: int = 12
) -> HeldOut:
    """The headline: each amino acid scored by a rotation fitted without it and without its codons.

    Args:
        codons: [n, D], rows as in ``gold``.
        amino_acids: [A, D'], rows as in ``gold.letters``.
        gold: the code that counts as right.
        axes: principal axes on each side.

    Raises:
        InputError: shapes do not fit the gold, or fewer than three amino acids have codons.
    """
    return _observed(_prepare(codons, amino_acids, gold, axes, "amino_acid"))


def leave_one_codon_out(
    codons: ArrayLike, amino_acids: ArrayLike, gold: CodonGold, axes: int = 12
) -> HeldOut:
    """One codon out at a time; arguments and errors are those of :func:`leave_one_amino_acid_out`.

    No evidence of alignment: give it with its null only.

    Returns:
        Scores with one fold, and so one rank in ``backward``, a codon.
    """
    return _observed(_prepare(codons, amino_acids, gold, axes, "codon"))


def held_out_null(
    codons: ArrayLike,
    amino_acids: ArrayLike,
    gold: CodonGold,
    permutations: Integers,
    axes: int = 12,
    *,
    leave: str = "amino_acid",
    among: Booleans | None = None,
) -> NullMRR:
    """Held-out MRR, all folds refitted, under each permutation of amino acids among codon blocks.

    Args:
        codons: [n, D].
        amino_acids: [A, D'].
        gold: the code that counts as right.
        permutations: int64[P, A] from :func:`~genomecli.analysis.permutations.block_permutations`.
        axes: principal axes on each side.
        leave: ``amino_acid`` or ``codon``.
        among: bool[n], codons that ask in ``forward``; all by default.

    Raises:
        InputError: shapes do not fit the gold, or fewer than three amino acids have codons.
        ValueError: ``leave`` is neither of the two.
    """
    problem = _prepare(codons, amino_acids, gold, axes, leave)
    folds, n, amino = *problem.held.shape, len(gold.letters)
    size = max(1, _CHUNK_VALUES // (folds * n * amino))
    forward, backward = [], []
    for start in range(0, len(permutations), size):
        dealt_PA = permutations[start : start + size]
        cosine_PFnA = _cosines(problem, dealt_PA)
        forward.append(_forward_null(problem, cosine_PFnA, dealt_PA, among))
        backward.append(_backward_null(problem, cosine_PFnA, dealt_PA))
    return NullMRR(np.concatenate(forward), np.concatenate(backward))


def _prepare(codons: ArrayLike, amino_acids: ArrayLike, gold: CodonGold, axes: int, leave: str) -> _Problem:
    x_nD, y_AD = as_vectors(codons, "codons"), as_vectors(amino_acids, "amino acids")
    _check(x_nD, y_AD, gold)
    sizes = gold.block_sizes
    if leave == "amino_acid":
        owner = np.flatnonzero(sizes)
        held, block = gold.classes[None, :] == owner[:, None], owner
    elif leave == "codon":
        held, owner = np.eye(gold.n, dtype=np.bool_), gold.classes
        block = np.where(sizes[owner] == 1, owner, -1)
    else:
        raise ValueError(f"leave must be amino_acid or codon, not {leave!r}")
    codons_Fnk = _project_all(x_nD, ~held, axes)
    training = np.where(held[:, :, None], 0.0, codons_Fnk)
    sums = np.matmul(gold.mask.T.astype(np.float64)[None], training)
    amino = len(gold.letters)
    kept = np.vstack([~np.eye(amino, dtype=np.bool_), np.ones((1, amino), dtype=np.bool_)])
    return _Problem(gold, held, block, owner, codons_Fnk, sums, _project_all(y_AD, kept, axes))


def _check(codons: Floats, amino_acids: Floats, gold: CodonGold) -> None:
    if len(codons) != gold.n or len(amino_acids) != len(gold.letters):
        raise InputError(
            f"{len(codons)} codon and {len(amino_acids)} amino-acid vectors, "
            f"but the gold has {gold.n} and {len(gold.letters)}"
        )
    if np.count_nonzero(gold.block_sizes) < 3:
        raise InputError("fewer than three amino acids have a codon vector", fix="use a larger corpus")


def _project_all(items: Floats, training: Booleans, axes: int) -> Floats:
    """Items [m, D] on means and axes fitted on the training items of each fold [F, m]; float64[F, m, k]."""
    flat = in_own_span(items)
    share = training / training.sum(axis=1, keepdims=True)
    centred = flat[None] - (share @ flat)[:, None]
    # Principal axes from the scatter matrix: half the time of a singular value decomposition of the items.
    scattered = np.where(training[:, :, None], centred, 0.0)
    spread, vectors = np.linalg.eigh(np.matmul(np.swapaxes(scattered, 1, 2), scattered))
    leading = vectors[:, :, ::-1][:, :, :axes]
    real = spread[:, ::-1][:, None, :axes] > (_FLAT * np.linalg.norm(items)) ** 2
    placed: Floats = np.matmul(centred, leading * real)
    return placed


def _cosines(problem: _Problem, dealt_PA: Integers) -> Floats:
    """Cosine of every codon with every amino acid in every fold of every permutation; [P, F, n, A]."""
    amino = len(problem.gold.letters)
    variant_PF = np.where(problem.block >= 0, dealt_PA[:, problem.block], amino)
    targets_PFAk = problem.aminos[variant_PF]
    dealt_targets = np.take_along_axis(targets_PFAk, dealt_PA[:, None, :, None], axis=2)
    cross = np.matmul(np.swapaxes(dealt_targets, 2, 3), problem.sums[None])
    u, _, vt = np.linalg.svd(cross, full_matrices=False)
    rotated_PFAk = np.matmul(_units(targets_PFAk), np.matmul(u, vt))
    cosines: Floats = np.matmul(_units(problem.codons)[None], np.swapaxes(rotated_PFAk, 2, 3))
    return cosines


def _units(vectors: Floats) -> Floats:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    real = norms > _ROUNDING * norms.max(initial=0.0)
    units: Floats = np.divide(vectors, norms, out=np.zeros_like(vectors), where=real)
    return units


def _forward_null(
    problem: _Problem, cosine_PFnA: Floats, dealt_PA: Integers, among: Booleans | None
) -> Floats:
    fold, codon = np.nonzero(problem.held if among is None else problem.held & among)
    scores_PHA = cosine_PFnA[:, fold, codon]
    right_PH = dealt_PA[:, problem.gold.classes[codon]]
    best = np.take_along_axis(scores_PHA, right_PH[:, :, None], axis=2)
    above = np.count_nonzero(scores_PHA > best + _TIE, axis=2)
    level = np.count_nonzero(scores_PHA >= best - _TIE, axis=2) - 1  # less the right one itself
    reciprocal = 1.0 / (1.0 + 0.5 * (above + level))
    mean: Floats = reciprocal.mean(axis=1)
    return mean


def _backward_null(problem: _Problem, cosine_PFnA: Floats, dealt_PA: Integers) -> Floats:
    asked_PF = dealt_PA[:, problem.owner]
    scores_PFn = np.take_along_axis(cosine_PFnA, asked_PF[:, :, None, None], axis=3)[..., 0]
    own_Fn = problem.gold.classes[None, :] == problem.owner[:, None]
    best = np.where(problem.held, scores_PFn, -np.inf).max(axis=2, keepdims=True)
    wrong = np.where(own_Fn, -np.inf, scores_PFn)
    above = np.count_nonzero(wrong > best + _TIE, axis=2)
    level = np.count_nonzero(wrong >= best - _TIE, axis=2)
    mean: Floats = (1.0 / (1.0 + 0.5 * (above + level))).mean(axis=1)
    return mean


def _observed(problem: _Problem) -> HeldOut:
    gold = problem.gold
    identity = np.arange(len(gold.letters), dtype=np.int64)[None]
    cosine_FnA = _cosines(problem, identity)[0]
    fold, codon = np.nonzero(problem.held)
    similarity = np.empty((gold.n, len(gold.letters)))
    similarity[codon] = cosine_FnA[fold, codon]
    asked = cosine_FnA[np.arange(len(cosine_FnA)), :, problem.owner]
    ignored = (gold.classes[None, :] == problem.owner[:, None]) & ~problem.held
    return HeldOut(
        similarity,
        rank_matrix(similarity, Gold.single(gold.classes), tolerance=_TIE),
        rank_matrix(asked, Gold.mask(problem.held, ignored=ignored), tolerance=_TIE),
    )
