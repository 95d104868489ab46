"""Intervals over genes or loci: which of them were read is drawn anew, and every measure made again.

Of a genome, both strands of a stretch and its neighbouring windows are drawn together: they are no
independent texts.
"""

from __future__ import annotations

import math
from itertools import repeat

import numpy as np

from genomecli.analysis.held_out import leave_one_amino_acid_out
from genomecli.analysis.places import VectorPair
from genomecli.analysis.rows import CODON_TO_AMINO, CODON_TO_SYNONYM, LEAVE_AMINO, row
from genomecli.analysis.statistics import bootstrap_gene_means, percentiles
from genomecli.analysis.synonyms import codon_similarity, synonym_ranks
from genomecli.analysis.tidy import Measure

GENE_STATISTIC = "mrr_over_genes"


def gene_rows(pair: VectorPair, draws: int, axes: int, source: np.random.Generator) -> list[Measure]:
    """Primary endpoint and synonymous codons with an interval over genes or loci (rows ``mrr_over_genes``).

    Genes and proteins are drawn apart, since the two languages come from different texts.

    Args:
        pair: vectors with their sums by bucket; no rows without those, or with one bucket alone.
        draws: resamples.
        axes: of the Procrustes map.
        source: of randomness.
    """
    if pair.genes is None or draws < 2 or len(pair.genes.codons) < 2:
        return []
    if not pair.alone and len(pair.genes.amino) < 2:
        return []
    note = f"{len(pair.genes.codons)} groups of {pair.genes.unit}"
    codons = bootstrap_gene_means(pair.genes.codons, pair.genes.codon_counts, source, draws)
    amino = bootstrap_gene_means(pair.genes.amino, pair.genes.amino_counts, source, draws)
    texts = zip(codons, repeat(pair.amino) if pair.alone else amino, strict=False)
    found = np.array([_both(pair, x, y, axes) for x, y in texts])
    values = _both(pair, pair.codons, pair.amino, axes)
    endpoints = ((CODON_TO_AMINO, "procrustes", LEAVE_AMINO), (CODON_TO_SYNONYM, "centred", "all"))
    return [
        row(
            *(pair.place, direction, similarity, values[number]),
            scope=scope,
            statistic=GENE_STATISTIC,
            interval=percentiles(found[:, number], values[number]),
            note=note,
        )
        for number, (direction, similarity, scope) in enumerate(endpoints)
        if not (pair.alone and direction == CODON_TO_AMINO)
    ]


def _both(pair: VectorPair, codons: np.ndarray, amino: np.ndarray, axes: int) -> tuple[float, float]:
    """Left-out amino acids (NaN where there are none) and synonymous codons."""
    alone = pair.alone
    left = math.nan if alone else leave_one_amino_acid_out(codons, amino, pair.gold, axes).forward.mrr
    return left, synonym_ranks(codon_similarity(codons, "centred"), pair.gold).mrr
