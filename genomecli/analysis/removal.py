"""What GC3 and codon usage explain of the codons' vectors, and what is left when they are taken off.

Genes differ in the G and C of third bases (GC3), and common codons differ from rare ones. Codons alike in
either stand together, whatever they mean. So two things are asked: how much of the similarity of two codons
follows from such a property alone, and how well codons find synonyms and amino acids when a linear regression
has taken the property off their vectors. Synonyms between blocks differ in first bases; where third bases
are what made them alike, they fall.

Legend: n codons, D width, q properties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.baselines import log_shares
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.held_out import leave_one_amino_acid_out
from genomecli.analysis.nulls import synonym_chance
from genomecli.analysis.permutations import p_value
from genomecli.analysis.places import VectorPair
from genomecli.analysis.ranks import RankResult
from genomecli.analysis.rows import BETWEEN_BLOCKS, CODON_TO_AMINO, CODON_TO_SYNONYM, rank_rows, row
from genomecli.analysis.settings import CompareSettings
from genomecli.analysis.spelling import bases
from genomecli.analysis.statistics import Interval, block_bootstrap
from genomecli.analysis.synonyms import box_permutations, codon_similarity, synonym_ranks
from genomecli.analysis.synonymy import synonym_null
from genomecli.analysis.tidy import Measure

EXPLAINED = "explained"
"""Statistic: share of the variance of codon-codon similarity that a property of the two codons explains."""

_G_OR_C = np.array([0, 1, 1, 0])  # A C G T


def gc3(codons: ArrayLike) -> Floats:
    """1 where the third base is G or C, else 0; float64[n]."""
    found: Floats = _G_OR_C[bases(codons)[:, 2]].astype(np.float64)
    return found


def properties(gold: CodonGold, counts: ArrayLike, names: Sequence[str]) -> Floats:
    """The named properties (``gc3``, ``frequency``) of each codon; float64[n, q]."""
    made = {"gc3": gc3(gold.codons), "frequency": log_shares(counts)}
    return np.stack([made[name] for name in names], axis=1)


def without(vectors: ArrayLike, removed: ArrayLike, fitted: Booleans | None = None) -> Floats:
    """Vectors less what a linear regression on the properties predicts; float64[n, D].

    The mean stays. Ordinary least squares with an intercept; properties that do not vary take nothing off.

    Args:
        vectors: [n, D].
        removed: [n, q].
        fitted: bool[n], the codons that the regression is fitted to; all by default. Prediction is taken off
            every codon.
    """
    x, z = np.asarray(vectors, dtype=np.float64), np.asarray(removed, dtype=np.float64)
    chosen = np.ones(len(x), dtype=np.bool_) if fitted is None else fitted
    z = z - z[chosen].mean(axis=0)
    slopes, *_ = np.linalg.lstsq(z[chosen], x[chosen] - x[chosen].mean(axis=0), rcond=None)
    left: Floats = x - z @ slopes
    return left


def left_out_without(pair: VectorPair, removed: Floats, axes: int) -> RankResult:
    """Left-out amino acids, with the regression, too, fitted without the codons that are scored.

    Args:
        pair: the vectors.
        removed: float64[n, q].
        axes: principal axes of the rotation.
    """
    ranks, precision = np.full(pair.gold.n, np.nan), np.full(pair.gold.n, np.nan)
    for letter in np.unique(pair.gold.classes):
        held = pair.gold.classes == letter
        codons = without(pair.codons, removed, ~held)
        found = leave_one_amino_acid_out(codons, pair.amino, pair.gold, axes).forward
        ranks[held], precision[held] = found.ranks[held], found.average_precision[held]
    return RankResult(ranks, precision)


def pair_properties(gold: CodonGold, counts: ArrayLike) -> Mapping[str, Floats]:
    """What two codons share, float64[n, n] by name: GC3, third base, usage, first two bases, meaning."""
    letters, usage = bases(gold.codons), log_shares(counts)

    def same(values: Integers | Floats) -> Floats:
        equal: Floats = (values[:, None] == values[None, :]).astype(np.float64)
        return equal

    return {
        "gc3": same(gc3(gold.codons)),
        "third_base": same(letters[:, 2]),
        "frequency": -np.abs(usage[:, None] - usage[None, :]),
        "first_two_bases": same(gold.codons // 4),
        "meaning": same(gold.classes),
    }


def explained(similarity: ArrayLike, shared: ArrayLike) -> float:
    """Squared correlation over pairs of different codons; 0 where one does not vary.

    Args:
        similarity: [n, n], symmetric.
        shared: [n, n], likewise.
    """
    upper = np.triu_indices(len(np.asarray(similarity)), 1)
    x, y = (np.asarray(table, dtype=np.float64)[upper] for table in (similarity, shared))
    x, y = x - x.mean(), y - y.mean()
    size = float((x @ x) * (y @ y))
    return float(x @ y) ** 2 / size if size > 0 else 0.0


def removal_rows(pair: VectorPair, settings: CompareSettings, source: np.random.Generator) -> list[Measure]:
    """What properties explain, and both endpoints with those of ``settings.remove`` taken off.

    Args:
        pair: the vectors.
        settings: what is taken off: each alone, and all together; permutations, bootstrap draws, axes.
        source: of randomness.

    Returns:
        Rows ``explained`` with the property as scope; rows of MRR with the scope that :func:`scope_of` names.
        Nothing where nothing is to be taken off.
    """
    if not settings.remove:
        return []
    rows = _explained_rows(pair, settings.permutations, source)
    sets: list[tuple[str, ...]] = [(name,) for name in settings.remove]
    sets += [settings.remove] if len(settings.remove) > 1 else []
    for names in sets:
        removed = properties(pair.gold, pair.codon_counts, names)
        rows += _synonym_rows(pair, removed, scope_of(names), settings, source)
        if not pair.alone and "procrustes" in settings.similarities:
            rows += _left_out_rows(pair, removed, scope_of(names), settings, source)
    return rows


def scope_of(names: Sequence[str]) -> str:
    """``without_gc3``, ``without_gc3_and_frequency``; ``between_blocks_`` stands before it between blocks."""
    return f"without_{'_and_'.join(names)}"


def _explained_rows(pair: VectorPair, permutations: int, source: np.random.Generator) -> list[Measure]:
    table = codon_similarity(pair.codons, "centred")
    dealt = [source.permutation(pair.gold.n) for _ in range(permutations)]
    rows = []
    for name, shared in pair_properties(pair.gold, pair.codon_counts).items():
        value = explained(table, shared)
        null = np.array([explained(table[np.ix_(order, order)], shared) for order in dealt])
        rows.append(
            row(
                pair.place,
                CODON_TO_SYNONYM,
                "centred",
                value,
                scope=name,
                statistic=EXPLAINED,
                chance=float(null.mean()),
                null95=float(np.quantile(null, 0.95)),
                p=p_value(value, null),
                n=pair.gold.n,
            )
        )
    return rows


def _synonym_rows(
    pair: VectorPair,
    removed: Floats,
    scope: str,
    settings: CompareSettings,
    source: np.random.Generator,
) -> list[Measure]:
    table = codon_similarity(without(pair.codons, removed), "centred")
    moved = box_permutations(settings.permutations, source)
    rows: list[Measure] = []
    for between in (False, True):
        ranks = synonym_ranks(table, pair.gold, between_blocks=between)
        null = synonym_null(table, pair.gold, moved, between_blocks=between) if ranks.n else np.zeros(0)
        null = null[~np.isnan(null)]
        if not null.size:
            continue
        rows += rank_rows(
            pair.place,
            CODON_TO_SYNONYM,
            "centred",
            ranks,
            scope=BETWEEN_BLOCKS + "_" + scope if between else scope,
            interval=_interval(pair, ranks, settings, source),
            chance=synonym_chance(pair.gold, between_blocks=between),
            null95=float(np.quantile(null, 0.95)),
            p=p_value(ranks.mrr, null),
        )
    return rows


def _left_out_rows(
    pair: VectorPair, removed: Floats, scope: str, settings: CompareSettings, source: np.random.Generator
) -> list[Measure]:
    ranks = left_out_without(pair, removed, settings.axes)
    interval = _interval(pair, ranks, settings, source)
    return rank_rows(pair.place, CODON_TO_AMINO, "procrustes", ranks, scope=scope, interval=interval)


def _interval(
    pair: VectorPair, ranks: RankResult, settings: CompareSettings, source: np.random.Generator
) -> Interval | None:
    if not settings.bootstrap:
        return None
    return block_bootstrap(ranks.reciprocal, pair.gold.classes, source, draws=settings.bootstrap)
