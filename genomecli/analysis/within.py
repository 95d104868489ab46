"""Codons against the amino acids of one species: every similarity and direction, with chance and intervals.

The null of a row (``null95``) comes from random vectors of the same widths under the same similarity; its
p-value from dealing the amino acids anew among the codon blocks of the very vectors that were measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.cka import codon_amino_cka
from genomecli.analysis.held_out import HeldOut, held_out_null, leave_one_amino_acid_out, leave_one_codon_out
from genomecli.analysis.nulls import chance_amino_to_codon, chance_codon_to_amino, random_vector_null
from genomecli.analysis.permutations import NullMRR, block_permutation_null, block_permutations, p_value
from genomecli.analysis.places import Place, VectorPair
from genomecli.analysis.ranks import Gold, RankResult, rank_matrix
from genomecli.analysis.rows import AMINO_TO_CODON, CODON_TO_AMINO, LEAVE_AMINO, LEAVE_CODON, rank_rows, row
from genomecli.analysis.settings import NEEDS_NO_SPACE, CompareSettings
from genomecli.analysis.similarity import similarity as similarity_of
from genomecli.analysis.statistics import Interval, block_bootstrap
from genomecli.analysis.synonymy import synonym_rows
from genomecli.analysis.tidy import Measure
from genomecli.runtime import rng

CONTROL_SHARE = 5
"""Controls and single-codon folds get this many times fewer permutations than what is claimed."""


@dataclass
class Within:
    """Measures pairs of languages; simulated nulls depend on sizes alone and are kept for the next pair.

    Args:
        settings: of the comparison.
        seed: of everything random.
    """

    settings: CompareSettings
    seed: int
    _nulls: dict[object, NullMRR] = field(default_factory=dict)

    def measure(self, pair: VectorPair, *, full: bool = True) -> list[Measure]:
        """All rows about one pair of languages.

        Args:
            pair: the vectors.
            full: with all permutations, intervals and leave one codon out; else the cheaper control's part.
        """
        count = self.settings.permutations
        count = count if full else max(19, count // CONTROL_SHARE)
        dealt = block_permutations(pair.gold, count, self._rng("deal", pair.place))
        rows = self.held_out_rows(pair, dealt, full=full)
        for name in self.settings.similarities:
            if name in NEEDS_NO_SPACE or pair.apart or pair.alone:
                continue
            rows += self._similarity_rows(pair, name, dealt)
        if "cka" in self.settings.similarities and not pair.alone:
            rows += _cka_rows(pair, dealt)
        rows += synonym_rows(pair, self.settings, count, self._rng("synonyms", pair.place))
        return rows

    def held_out_rows(self, pair: VectorPair, dealt: Integers, *, full: bool) -> list[Measure]:
        """Leave one amino acid out, the headline; with ``full`` also leave one codon out beside its null.

        Args:
            pair: the vectors.
            dealt: int64[P, A] of :func:`~genomecli.analysis.permutations.block_permutations`; the first
                fifth, 19 at least, serves single codons.
            full: with single codons.

        Returns:
            Nothing where ``procrustes`` is not asked for or there are no amino acids.
        """
        if "procrustes" not in self.settings.similarities or pair.alone:
            return []
        axes = self.settings.axes
        found = leave_one_amino_acid_out(pair.codons, pair.amino, pair.gold, axes)
        null = held_out_null(pair.codons, pair.amino, pair.gold, dealt, axes)
        rows = self._held_rows(pair, found, null, self.simulated(pair, "procrustes"), LEAVE_AMINO)
        if full:
            few = dealt[: max(19, len(dealt) // CONTROL_SHARE)]
            found = leave_one_codon_out(pair.codons, pair.amino, pair.gold, axes)
            null = held_out_null(pair.codons, pair.amino, pair.gold, few, axes, leave="codon")
            rows += self._held_rows(pair, found, null, null, LEAVE_CODON)
        return rows

    def _held_rows(
        self, pair: VectorPair, found: HeldOut, null: NullMRR, chance: NullMRR, scope: str
    ) -> list[Measure]:
        rows: list[Measure] = []
        sides = (
            (CODON_TO_AMINO, found.forward, null.forward, chance.forward),
            (AMINO_TO_CODON, found.backward, null.backward, chance.backward),
        )
        for direction, ranks, own, random in sides:
            rows += rank_rows(
                pair.place,
                direction,
                "procrustes",
                ranks,
                scope=scope,
                interval=self._interval(pair, ranks, direction),
                chance=float(random.mean()),
                null95=_top(random),
                p=p_value(ranks.mrr, own),
            )
            rows.append(
                row(
                    pair.place,
                    direction,
                    "procrustes",
                    _top(own),
                    scope=scope,
                    statistic="permutation_null95",
                )
            )
        return rows

    def _similarity_rows(self, pair: VectorPair, name: str, dealt: Integers) -> list[Measure]:
        table = similarity_of(name, pair.codons, pair.amino, self.settings.csls_k)
        null = block_permutation_null(table, pair.gold, dealt)
        random = self.simulated(pair, name)
        ranks = (
            rank_matrix(table, Gold.single(pair.gold.classes)),
            rank_matrix(table.T, Gold.mask(pair.gold.mask.T)),
        )
        chance = (chance_codon_to_amino(pair.gold), chance_amino_to_codon(pair.gold))
        rows: list[Measure] = []
        for side, direction in enumerate((CODON_TO_AMINO, AMINO_TO_CODON)):
            rows += rank_rows(
                pair.place,
                direction,
                name,
                ranks[side],
                interval=self._interval(pair, ranks[side], direction),
                chance=chance[side],
                null95=_top((random.forward, random.backward)[side]),
                p=p_value(ranks[side].mrr, (null.forward, null.backward)[side]),
            )
        return rows

    def simulated(self, pair: VectorPair, similarity: str) -> NullMRR:
        """The null of random vectors of this pair's sizes."""
        gold = pair.gold
        key = (similarity, gold.codons.tobytes(), gold.classes.tobytes(), gold.letters, *pair.widths)
        if key not in self._nulls:
            self._nulls[key] = random_vector_null(
                gold,
                similarity,
                pair.widths,
                self.settings.draws,
                rng(self.seed, "random vectors", similarity),
                axes=self.settings.axes,
                neighbours=self.settings.csls_k,
            )
        return self._nulls[key]

    def _interval(self, pair: VectorPair, ranks: RankResult, direction: str) -> Interval | None:
        if not self.settings.bootstrap:
            return None
        forward = direction == CODON_TO_AMINO
        blocks = pair.gold.classes if forward else np.arange(len(ranks.ranks))
        source = self._rng("bootstrap", pair.place, direction)
        return block_bootstrap(ranks.reciprocal, blocks, source, draws=self.settings.bootstrap)

    def _rng(self, what: str, place: Place, *more: str) -> np.random.Generator:
        keys = (place.run, place.species, place.vectors, place.frame, place.layer, place.tokens)
        return rng(self.seed, what, *keys, *more)


def _top(null: Floats) -> float:
    return float(np.quantile(null, 0.95))


def _cka_rows(pair: VectorPair, dealt: Integers) -> list[Measure]:
    rows = []
    for debiased in (False, True):
        value, null = codon_amino_cka(pair.codons, pair.amino, pair.gold, dealt, debiased=debiased)
        rows.append(
            row(
                pair.place,
                CODON_TO_AMINO,
                "cka",
                value,
                statistic="cka_debiased" if debiased else "cka",
                chance=float(null.mean()),
                null95=_top(null),
                p=p_value(value, null),
                n=pair.gold.n,
            )
        )
    return rows
