"""Intervals over genes or loci: which of them were read is drawn anew, and every measure made again.

Of a genome, both strands of a stretch and its neighbouring windows are drawn together: they are no
independent texts.
"""

from __future__ import annotations

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
    if pair.genes is None or draws < 2 or min(len(pair.genes.codons), len(pair.genes.amino)) < 2:
        return []
    codons = bootstrap_gene_means(pair.genes.codons, pair.genes.codon_counts, source, draws)
    amino = bootstrap_gene_means(pair.genes.amino, pair.genes.amino_counts, source, draws)
    found = np.array([_both(pair, x, y, axes) for x, y in zip(codons, amino, strict=True)])
    left_out, synonyms = _both(pair, pair.codons, pair.amino, axes)
    buckets = f"{len(pair.genes.codons)} groups of {pair.genes.unit}"
    return [
        row(
            pair.place,
            CODON_TO_AMINO,
            "procrustes",
            left_out,
            scope=LEAVE_AMINO,
            statistic=GENE_STATISTIC,
            interval=percentiles(found[:, 0], left_out),
            note=buckets,
        ),
        row(
            pair.place,
            CODON_TO_SYNONYM,
            "centred",
            synonyms,
            statistic=GENE_STATISTIC,
            interval=percentiles(found[:, 1], synonyms),
            note=buckets,
        ),
    ]


def _both(pair: VectorPair, codons: np.ndarray, amino: np.ndarray, axes: int) -> tuple[float, float]:
    left_out = leave_one_amino_acid_out(codons, amino, pair.gold, axes).forward.mrr
    return left_out, synonym_ranks(codon_similarity(codons, "centred"), pair.gold).mrr
