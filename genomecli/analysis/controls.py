"""What needs no network: matching by frequency alone, and by shared bases alone."""

from __future__ import annotations

import math
from dataclasses import replace

from genomecli.analysis.baselines import (
    WEIGHTINGS,
    best_spelling_baseline,
    frequency_similarity,
    frequency_synonym_similarity,
    spelling_baseline,
)
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.nulls import chance_amino_to_codon, chance_codon_to_amino, synonym_chance
from genomecli.analysis.places import STATIC_LAYER, Place, VectorPair, Vectors
from genomecli.analysis.ranks import Gold, rank_matrix
from genomecli.analysis.rows import (
    AMINO_TO_CODON,
    BETWEEN_BLOCKS,
    CODON_TO_AMINO,
    CODON_TO_SYNONYM,
    rank_rows,
    row,
)
from genomecli.analysis.synonyms import synonym_ranks
from genomecli.analysis.tidy import Measure


def _bare(place: Place, vectors: Vectors) -> Place:
    return replace(place, run="", vectors=vectors, layer=STATIC_LAYER, tokens=-1, seed=-1)


def frequency_rows(pair: VectorPair) -> list[Measure]:
    """A codon is matched with the amino acid that is as frequent as it, and with equally frequent codons.

    ``frequency`` knows counts alone; ``frequency_blocks`` is told how many codons each amino acid has.
    """
    place = _bare(pair.place, "frequency")
    rows: list[Measure] = []
    chance = (chance_codon_to_amino(pair.gold), chance_amino_to_codon(pair.gold))
    for name, gold in (("frequency", None), ("frequency_blocks", pair.gold)) if not pair.alone else ():
        table = frequency_similarity(pair.codon_counts, pair.amino_counts, gold)
        forward = rank_matrix(table, Gold.single(pair.gold.classes))
        backward = rank_matrix(table.T, Gold.mask(pair.gold.mask.T))
        rows += rank_rows(place, CODON_TO_AMINO, name, forward, chance=chance[0])
        rows += rank_rows(place, AMINO_TO_CODON, name, backward, chance=chance[1])
    table = frequency_synonym_similarity(pair.codon_counts)
    for between in (False, True):
        ranks = synonym_ranks(table, pair.gold, between_blocks=between)
        if ranks.n:
            scope = BETWEEN_BLOCKS if between else "all"
            expected = synonym_chance(pair.gold, between_blocks=between)
            rows += rank_rows(place, CODON_TO_SYNONYM, "frequency", ranks, scope=scope, chance=expected)
    return rows


def spelling_rows(place: Place, gold: CodonGold) -> list[Measure]:
    """Synonymous codons by shared bases alone, under several weightings and under the best of a grid.

    ``mrr_best`` is chosen with the code in hand: the most that spelling can explain.
    """
    bare = _bare(place, "spelling")
    rows: list[Measure] = []
    for between in (False, True):
        scope = BETWEEN_BLOCKS if between else "all"
        expected = synonym_chance(gold, between_blocks=between)
        if math.isnan(expected):  # no codon has such a synonym
            continue
        for name in WEIGHTINGS:
            found = spelling_baseline(gold, name, between_blocks=between)
            rows.append(row(bare, CODON_TO_SYNONYM, name, found.mrr, scope=scope, chance=expected))
        best = best_spelling_baseline(gold, between_blocks=between)
        weights = ":".join(f"{weight:g}" for weight in best.weights)
        rows.append(
            row(
                bare,
                CODON_TO_SYNONYM,
                "best_weighting",
                best.mrr,
                scope=scope,
                statistic="mrr_best",
                chance=expected,
                note=f"weights {weights}, transition {best.transition:g}",
            )
        )
    return rows
