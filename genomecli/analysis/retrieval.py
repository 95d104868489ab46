"""Genes and their proteins: retrieval on pooled vectors, directly or by a rotation fitted on other genes.

Legend: G pairs, D width, k axes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Integers, as_vectors
from genomecli.analysis.procrustes import fit_alignment
from genomecli.analysis.ranks import Gold, RankResult, rank_vectors
from genomecli.errors import InputError


def retrieve(
    queries: ArrayLike, database: ArrayLike, gold: Gold, *, similarity: str = "cosine"
) -> RankResult:
    """Rank a database [N, D] for queries [Q, D] of the same space: proteins for proteins, or genes of a
    model in which both languages share one space.

    Args:
        queries: [Q, D].
        database: [N, D].
        gold: what is right; :meth:`~genomecli.analysis.candidates.Gold.classes` for families.
        similarity: ``cosine``, ``dot`` or ``csls``.
    """
    return rank_vectors(queries, database, gold, similarity=similarity)


def folds_of(count: int, folds: int, rng: np.random.Generator, groups: ArrayLike | None = None) -> Integers:
    """A fold for each of ``count`` items; int64[count]. Items of one group share a fold.

    Args:
        count: items.
        folds: number of folds.
        rng: source of randomness.
        groups: int[count], family of each item; each alone by default. Without this, a paralog in the
            training set gives its held-out sister away.
    """
    labels = np.arange(count) if groups is None else np.asarray(groups)
    _, member, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    loads = np.zeros(folds, dtype=np.int64)
    fold_of_group = np.zeros(len(sizes), dtype=np.int64)
    # Large families first, each to the lightest fold; equal ones in random order.
    for group in sorted(rng.permutation(len(sizes)).tolist(), key=lambda g: -int(sizes[g])):
        fold_of_group[group] = int(np.argmin(loads))
        loads[fold_of_group[group]] += sizes[group]
    spread: Integers = fold_of_group[member]
    return spread


def retrieve_held_out(
    x: ArrayLike,
    y: ArrayLike,
    rng: np.random.Generator,
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    axes: int = 64,
    similarity: str = "cosine",
) -> RankResult:
    """Rank all proteins for each gene through a rotation fitted on the genes of the other folds.

    Args:
        x: [G, D], pooled vectors of genes.
        y: [G, D'], pooled vectors of their proteins, row by row a pair.
        rng: source of randomness for the folds.
        groups: int[G], gene family; a family is never on both sides of a fold.
        folds: number of folds.
        axes: principal axes on each side, fitted on the training genes; fewer where there are fewer.
        similarity: ``cosine`` or ``csls``, in the common plane.

    Raises:
        InputError: shapes do not fit, or there are fewer families than folds.
    """
    genes, proteins = as_vectors(x, "genes"), as_vectors(y, "proteins")
    if len(genes) != len(proteins):
        raise InputError(f"{len(genes)} genes for {len(proteins)} proteins: they must pair row by row")
    fold = folds_of(len(genes), folds, rng, groups)
    if len(np.unique(fold)) < folds:
        raise InputError(f"fewer than {folds} gene families", fix="use fewer folds or a larger corpus")
    ranks, precisions = np.full(len(genes), np.nan), np.full(len(genes), np.nan)
    for number in range(folds):
        held = np.flatnonzero(fold == number)
        train = np.flatnonzero(fold != number)
        fit = fit_alignment(genes[train], proteins[train], min(axes, genes.shape[1], proteins.shape[1]))
        mapped = fit.map_x(genes[held])
        found = rank_vectors(mapped, fit.map_y(proteins), Gold.single(held), similarity=similarity)
        ranks[held], precisions[held] = found.ranks, found.average_precision
    return RankResult(ranks, precisions)
