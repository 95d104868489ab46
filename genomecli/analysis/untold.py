"""Runs that were told what some codons mean, scored on the codons that they were not told.

Code-switching and back-translation show a network the meaning of some codons. Over all codons a figure then
says how well it keeps what it was told; only the others say what it found. The rotation may be fitted on
codons that were told, never on those that are scored.
"""

from __future__ import annotations

import numpy as np

from genomecli.analysis.arrays import Booleans, Integers
from genomecli.analysis.held_out import held_out_null, leave_one_amino_acid_out
from genomecli.analysis.permutations import NullMRR, block_permutation_null, block_permutations, p_value
from genomecli.analysis.places import VectorPair
from genomecli.analysis.ranks import Gold, RankResult, rank_matrix
from genomecli.analysis.rows import CODON_TO_AMINO, UNTOLD, UNTOLD_LEFT_OUT, rank_rows
from genomecli.analysis.runs import OpenRun
from genomecli.analysis.settings import CompareSettings
from genomecli.analysis.similarity import similarity as similarity_of
from genomecli.analysis.statistics import block_bootstrap
from genomecli.analysis.tidy import Measure
from genomecli.corpus.anchors import choose_anchors
from genomecli.corpus.reading_settings import TOLD
from genomecli.sequences.codes import CODONS, GeneticCode


def told_codons(run: OpenRun, species: str, code: GeneticCode) -> Integers:
    """int64[n]: indices of the codons whose meaning a run was shown in training; empty for most runs.

    Args:
        run: with its reading settings.
        species: one that it knows.
        code: its genetic code, which drawn anchors are drawn from.
    """
    reading = run.reading
    if reading.relation not in TOLD:
        return np.zeros(0, dtype=np.int64)
    anchors = choose_anchors(reading.anchors, {species: code.table})[species]
    return np.array(sorted({CODONS.index(codon) for codon, _ in anchors}), dtype=np.int64)


def untold_rows(
    pair: VectorPair, told: Integers, settings: CompareSettings, rng: np.random.Generator
) -> list[Measure]:
    """Codon to amino acid over the codons that were not told: by a rotation, and by plain cosine.

    Args:
        pair: the vectors.
        told: int64[n], codon indices, see :func:`told_codons`.
        settings: of the comparison.
        rng: of permutations and the bootstrap.

    Returns:
        No rows where nothing was told, or no codon is left to ask for.
    """
    asked = ~np.isin(pair.gold.codons, told)
    if not len(told) or not asked.any():
        return []
    dealt = block_permutations(pair.gold, settings.permutations, rng)
    rows: list[Measure] = []
    if "procrustes" in settings.similarities:
        vectors = pair.codons, pair.amino, pair.gold
        found = leave_one_amino_acid_out(*vectors, settings.axes).forward
        null = held_out_null(*vectors, dealt, settings.axes, among=asked)
        rows += _rows(pair, "procrustes", UNTOLD_LEFT_OUT, _only(found, asked), null, settings, rng)
    if "cosine" in settings.similarities:
        table = similarity_of("cosine", pair.codons, pair.amino, settings.csls_k)
        ranks = rank_matrix(table, Gold.single(pair.gold.classes))
        null = block_permutation_null(table, pair.gold, dealt, among=asked)
        rows += _rows(pair, "cosine", UNTOLD, _only(ranks, asked), null, settings, rng)
    return rows


def _only(ranks: RankResult, asked: Booleans) -> RankResult:
    """The ranks with NaN, which counts nowhere, for codons that are not asked for."""
    return RankResult(np.where(asked, ranks.ranks, np.nan), np.where(asked, ranks.average_precision, np.nan))


def _rows(
    pair: VectorPair,
    similarity: str,
    scope: str,
    ranks: RankResult,
    null: NullMRR,
    settings: CompareSettings,
    rng: np.random.Generator,
) -> list[Measure]:
    interval = None
    if settings.bootstrap:
        interval = block_bootstrap(ranks.reciprocal, pair.gold.classes, rng, draws=settings.bootstrap)
    return rank_rows(
        pair.place,
        CODON_TO_AMINO,
        similarity,
        ranks,
        scope=scope,
        interval=interval,
        chance=float(null.forward.mean()),
        null95=float(np.quantile(null.forward, 0.95)),
        p=p_value(ranks.mrr, null.forward),
    )
