"""Rows about synonymous codons, in DNA alone: all of them, and between blocks only."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.nulls import synonym_chance
from genomecli.analysis.permutations import p_value
from genomecli.analysis.places import VectorPair
from genomecli.analysis.rows import BETWEEN_BLOCKS, CODON_TO_SYNONYM, rank_rows
from genomecli.analysis.settings import CompareSettings
from genomecli.analysis.statistics import block_bootstrap
from genomecli.analysis.synonyms import (
    box_permutations,
    codon_similarity,
    synonym_ranks,
)
from genomecli.analysis.tidy import Measure

_CHUNK = 100

SYNONYM_SIMILARITIES = ("cosine", "centred", "csls", "csls_centred")
"""Those that compare a language with itself; a rotation of it onto itself says nothing."""


def synonym_null(
    similarity: Floats, gold: CodonGold, permutations: Integers, *, between_blocks: bool = False
) -> Floats:
    """Synonymous-codon MRR with the boxes of the code dealt anew, all permutations at once; float64[P].

    A box keeps its four codons and its inner split, so what shared bases explain inside a box stays in
    the null; what is lost is which boxes belong together. A draw in which no codon has a synonym is NaN.

    Args:
        similarity: float64[n, n].
        gold: the code that counts as right.
        permutations: int64[P, 64] of boxes.
        between_blocks: only synonyms that do not share the first two bases.
    """
    class_of = np.full(64, -1, dtype=np.int64)
    class_of[gold.codons] = gold.classes
    tolerance = 1e-12 * float(np.abs(similarity).max(initial=0.0))
    boxes = gold.codons // 4
    other_box = boxes[:, None] != boxes[None, :]
    scores = [
        _dealt_mrr(similarity, class_of[moved[:, gold.codons]], other_box | (not between_blocks), tolerance)
        for moved in np.array_split(permutations, max(1, len(permutations) // _CHUNK))
    ]
    return np.concatenate(scores)


def _dealt_mrr(similarity: Floats, classes_Pn: Integers, allowed: Booleans, tolerance: float) -> Floats:
    real = classes_Pn >= 0
    same = (classes_Pn[:, :, None] == classes_Pn[:, None, :]) & real[:, :, None]
    same |= np.eye(len(similarity), dtype=np.bool_)
    right = same & allowed & ~np.eye(len(similarity), dtype=np.bool_)
    best = np.where(right, similarity, -np.inf).max(axis=2, keepdims=True)
    wrong = np.where(same, -np.inf, similarity)
    above = np.count_nonzero(wrong > best + tolerance, axis=2)
    level = np.count_nonzero(wrong >= best - tolerance, axis=2)
    reciprocal = np.where(right.any(axis=2), 1.0 / (1.0 + 0.5 * (above + level)), np.nan)
    asked = ~np.isnan(reciprocal)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(asked, reciprocal, 0.0).sum(axis=1) / asked.sum(axis=1)
    return mean


def synonym_rows(
    pair: VectorPair, settings: CompareSettings, permutations: int, source: np.random.Generator
) -> list[Measure]:
    """MRR from each codon to its best synonym.

    Args:
        pair: the vectors; only the codons are looked at.
        settings: which similarities, how many bootstrap draws.
        permutations: boxes of the code dealt anew, for null and p-value.
        source: of randomness.
    """
    moved = box_permutations(permutations, source)
    rows: list[Measure] = []
    for name in SYNONYM_SIMILARITIES:
        if name not in settings.similarities:
            continue
        table = codon_similarity(pair.codons, name, settings.csls_k)
        for between in (False, True):
            ranks = synonym_ranks(table, pair.gold, between_blocks=between)
            if not ranks.n:
                continue
            null = synonym_null(table, pair.gold, moved, between_blocks=between)
            null = null[~np.isnan(null)]
            interval = None
            if settings.bootstrap:
                interval = block_bootstrap(
                    ranks.reciprocal, pair.gold.classes, source, draws=settings.bootstrap
                )
            rows += rank_rows(
                pair.place,
                CODON_TO_SYNONYM,
                name,
                ranks,
                scope=BETWEEN_BLOCKS if between else "all",
                interval=interval,
                chance=synonym_chance(pair.gold, between_blocks=between),
                null95=float(np.quantile(null, 0.95)) if null.size else None,
                p=p_value(ranks.mrr, null) if null.size else None,
            )
    return rows
