"""Pairs of both texts, counted by group of records: what every search of a decipherment reads.

Legend: K distances, G groups of records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.decipherment.alike import alike_in_composition
from genomecli.analysis.decipherment.evidence import AMINO, CODONS, Background, Evidence, Weights
from genomecli.analysis.decipherment.pairs import Pairs, Text, count_pairs, deal
from genomecli.analysis.decipherment.search import Schedule, search
from genomecli.analysis.settings import AUTO_BACKGROUND
from genomecli.errors import InputError
from genomecli.runtime import rng

if TYPE_CHECKING:
    from genomecli.analysis.settings import DecipherSettings

LEAST_RECORDS = 2
"""Genes, and proteins, with a pair in them that resamples are drawn from at least."""

LEAST_FAR = 0.25
"""Pairs of residues at the background's distance, a share of the near ones, from which it is known."""


@dataclass(frozen=True, eq=False)
class Counted:
    """Pairs of both texts, near and far, by group of records.

    Args:
        codons, residues: pairs at the distances that are read.
        far_codons, far_residues: the background, pooled; None where none is taken off.
        weights: of the evidence.
    """

    codons: Pairs
    residues: Pairs
    far_codons: Pairs | None
    far_residues: Pairs | None
    weights: Weights

    def evidence(
        self,
        genes: Integers | Floats | None = None,
        proteins: Integers | Floats | None = None,
        share: Floats | None = None,
    ) -> Evidence:
        """The evidence of all records, or of a resample of them.

        Args:
            genes, proteins: how often each group counts, int64[G] or float64[G]; once by default.
            share: how much each distance counts, float64[K]; 1 each by default.
        """
        background = None
        if self.far_codons is not None and self.far_residues is not None:
            far = self.far_codons.total(genes)[0], self.far_residues.total(proteins)[0]
            background = Background(*far)
        near = self.codons.total(genes), self.residues.total(proteins)
        return Evidence(*near, self.weights, share, background)


def count_texts(
    codons: Text, residues: Text, settings: DecipherSettings, seed: int, name: str, *, alike: bool = False
) -> Counted:
    """Count both texts.

    Args:
        codons, residues: the texts.
        settings: of the distances.
        seed: of what is drawn.
        name: of the text, so that each draws its own.
        alike: groups hold records that are alike in composition; by chance otherwise. Either way, two
            records that hold pairs stand in two groups, or no resample would change anything.

    Raises:
        InputError: if a text holds no pair at the distances that are read, or at those of the background.
    """
    distances = range(settings.nearest, settings.farthest + 1)
    texts = []
    for text, size in ((codons, CODONS), (residues, AMINO)):
        holding = text.holding(distances)
        if alike:
            groups = alike_in_composition(text, size, among=holding)
        else:
            groups = deal(text, rng(seed, "decipher", name, size), first=holding)
        texts.append((text, size, groups))
    near = [_pairs(*text, distances, "nearest") for text in texts]
    far: list[Pairs | None] = [None, None]
    background = background_of(settings, residues)
    if background is not None:
        beyond = range(background, 2 * background + 16, 2)
        far = [_pairs(*text, beyond, "background").pooled() for text in texts]
    return Counted(near[0], near[1], far[0], far[1], Weights(settings.pseudo, settings.composition))


def background_of(settings: DecipherSettings, residues: Text) -> int | None:
    """The distance that background begins at; None where none is taken off.

    ``auto`` asks whether the proteins reach so far: of peptides, only a few long ones would, and these few
    pairs say nothing of the rest.
    """
    if settings.background != "auto":
        return settings.background
    return AUTO_BACKGROUND if reach_far(residues, settings.nearest) else None


def reach_far(residues: Text, nearest: int) -> bool:
    """Whether the records are proteins and not peptides: enough of their pairs stand far apart."""
    near = np.maximum(residues.lengths - nearest, 0).sum()
    far = np.maximum(residues.lengths - AUTO_BACKGROUND, 0).sum()
    return bool(far >= LEAST_FAR * near)


def _pairs(text: Text, size: int, group_of: Integers, distances: range, key: str) -> Pairs:
    """Count one text. Raises InputError, with the setting that asks too much, if it holds no pair."""
    pairs = count_pairs(text, size, distances, group_of)
    if not len(pairs.held):
        raise InputError(
            f"no {'gene' if size == CODONS else 'protein'} is long enough for pairs "
            f"{distances[0]} to {distances[-1]} apart",
            where=f"mrr-compare.decipher.{key}",
            fix="lower it" if key == "nearest" else "lower it, or set it to null",
        )
    return pairs


def refuse_few(counted: Counted) -> None:
    """Raise InputError where a text has too few records to be drawn anew: nothing could be doubted.

    Groups are asked, of which there are two wherever two records hold a pair: see :func:`count_texts`.
    """
    for pairs, what in ((counted.codons, "gene"), (counted.residues, "protein")):
        if len(pairs.held) < LEAST_RECORDS:
            raise InputError(
                f"only one {what} is long enough to be read, and resamples need {LEAST_RECORDS}",
                fix=f"give more {what}s",
            )


def evidence_of(codons: Text, residues: Text, settings: DecipherSettings, seed: int, name: str) -> float:
    """Evidence of the best assignment of two texts, nats per thousand pairs.

    Args:
        codons, residues: the texts.
        settings: of the search.
        seed: of what is drawn.
        name: of the text, so that each draws its own.

    Raises:
        InputError: if a text holds no pair.
    """
    evidence = count_texts(codons, residues, settings, seed, name).evidence()
    schedule = Schedule(settings.chains, settings.sweeps)
    solution = search(evidence, schedule, rng(seed, "decipher", "control search", name))
    return 1e3 * solution.value / evidence.pairs
