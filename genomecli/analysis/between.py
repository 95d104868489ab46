"""Species against species, run against run, frame against frame.

Models and species that do not share a space are compared through a rotation fitted without the amino acid
that is scored. Pairs of conditions are also compared codon by codon, on their reciprocal ranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np

from genomecli.analysis.arrays import Floats
from genomecli.analysis.cka import cka_null, linear_cka
from genomecli.analysis.held_out import leave_one_amino_acid_out
from genomecli.analysis.nulls import expected_reciprocal_rank
from genomecli.analysis.permutations import p_value
from genomecli.analysis.places import Place, VectorPair
from genomecli.analysis.ranks import RankResult
from genomecli.analysis.rows import (
    AMINO_TO_AMINO,
    CODON_TO_AMINO,
    CODON_TO_CODON,
    CODON_TO_SAME_AMINO,
    CODON_TO_SYNONYM,
    LEAVE_AMINO,
    rank_rows,
    row,
)
from genomecli.analysis.settings import CompareSettings
from genomecli.analysis.species import amino_null, amino_ranks, species_chance, species_null, species_ranks
from genomecli.analysis.statistics import block_bootstrap
from genomecli.analysis.synonyms import codon_similarity, synonym_ranks
from genomecli.analysis.tidy import Measure
from genomecli.errors import InputError
from genomecli.runtime import rng

NULL_DRAWS = 100


def species_rows(
    pairs: Mapping[str, VectorPair], settings: CompareSettings, seed: int, *, shared_space: bool
) -> list[Measure]:
    """Every species' codons and amino acids among every other's, with chance, null and intervals.

    Args:
        pairs: vectors by species, all of one run, vectors, frame and layer (or of runs of their own).
        settings: which similarities.
        seed: of nulls and intervals.
        shared_space: the species share a model, so that their vectors may be compared directly.
    """
    direct = [name for name in settings.similarities if name not in ("procrustes", "cka")]
    ways = (direct if shared_space else []) + ["procrustes"] * ("procrustes" in settings.similarities)
    rows: list[Measure] = []
    for a, b in permutations(sorted(pairs), 2):
        for how in ways:
            rows += _species_way(pairs[a], pairs[b], how, settings, seed)
            rows += protein_rows(pairs[a], pairs[b], how, settings, seed)
    return rows


def _species_way(
    a: VectorPair, b: VectorPair, how: str, settings: CompareSettings, seed: int
) -> list[Measure]:
    sizes = {"axes": settings.axes, "neighbours": settings.csls_k}
    try:
        found = species_ranks(a.codons, a.gold, b.codons, b.gold, how=how, **sizes)
    except InputError:
        return []
    source = rng(seed, "species", a.place.run, a.place.species, b.place.species, how, a.place.layer)
    null = species_null(a.codons, a.gold, b.codons, b.gold, _draws(how), source, how=how, **sizes)
    chance = species_chance(a.gold, b.gold)
    rows: list[Measure] = []
    sides = ((CODON_TO_CODON, found.same_codon), (CODON_TO_SAME_AMINO, found.same_amino))
    for number, (direction, ranks) in enumerate(sides):
        interval = None
        if settings.bootstrap:
            interval = block_bootstrap(ranks.reciprocal, a.gold.classes, source, draws=settings.bootstrap)
        rows += rank_rows(
            a.place,
            direction,
            how,
            ranks,
            other=b.place.species,
            scope=LEAVE_AMINO if how == "procrustes" else "all",
            interval=interval,
            chance=chance[number],
            null95=float(np.quantile(null[number], 0.95)),
            p=p_value(ranks.mrr, null[number]),
            note=_other_run(a, b),
        )
    return rows


def _draws(how: str) -> int:
    """Draws of a null. A rotation is refitted in every draw, twenty times: fewer draws there."""
    return max(19, NULL_DRAWS // 4) if how == "procrustes" else NULL_DRAWS


def _other_run(a: VectorPair, b: VectorPair) -> str:
    return "" if a.place.run == b.place.run else f"candidates from run {b.place.run}"


def protein_rows(
    a: VectorPair, b: VectorPair, how: str, settings: CompareSettings, seed: int, *, label: str | None = None
) -> list[Measure]:
    """Protein to protein: each amino acid of a among those of b, with chance, null and interval.

    Args:
        a: vectors of one species, run or frame.
        b: of another.
        how: similarity; ``procrustes`` where they share no space.
        settings: axes, neighbours, bootstrap draws.
        seed: of null and interval.
        label: what the second one is, for the note; where the candidates are from by default.

    Returns:
        No rows where too few amino acids are shared to fit a rotation, or one side has none.
    """
    if a.alone or b.alone:
        return []
    axes, neighbours = settings.axes, settings.csls_k
    vectors = (a.amino, a.gold.letters, b.amino, b.gold.letters)
    note = _other_run(a, b) if label is None else label
    try:
        ranks = amino_ranks(*vectors, how=how, axes=axes, neighbours=neighbours)
    except InputError:
        return []
    place, other = a.place, b.place.species
    source = rng(seed, "amino acids", place.run, place.species, other, how, place.layer, note)
    null = amino_null(*vectors, _draws(how), source, how=how, axes=axes, neighbours=neighbours)
    interval = None
    if settings.bootstrap:
        each = np.arange(len(ranks.ranks))
        interval = block_bootstrap(ranks.reciprocal, each, source, draws=settings.bootstrap)
    return rank_rows(
        place,
        AMINO_TO_AMINO,
        how,
        ranks,
        other=other,
        scope=LEAVE_AMINO if how == "procrustes" else "all",
        interval=interval,
        chance=expected_reciprocal_rank(len(b.gold.letters)),
        null95=float(np.quantile(null, 0.95)),
        p=p_value(ranks.mrr, null),
        note=note,
    )


def amino_rows(pairs: Mapping[str, VectorPair], settings: CompareSettings, seed: int) -> list[Measure]:
    """Amino acids of one species against those of another by linear CKA, with its permutation null."""
    rows: list[Measure] = []
    if "cka" not in settings.similarities or any(pair.alone for pair in pairs.values()):
        return rows
    for a, b in combinations(sorted(pairs), 2):
        shared = [letter for letter in pairs[a].gold.letters if letter in pairs[b].gold.letters]
        if len(shared) < 4:
            continue
        x, y = (p.amino[[p.gold.letters.index(letter) for letter in shared]] for p in (pairs[a], pairs[b]))
        rows.append(_cka_row(pairs[a].place, AMINO_TO_AMINO, (x, y), pairs[b].place.species, seed, ""))
    return rows


def _cka_row(
    place: Place, direction: str, vectors: tuple[Floats, Floats], other: str, seed: int, note: str
) -> Measure:
    x, y = vectors
    source = rng(seed, "cka", place.run, place.species, other, direction, place.layer, note)
    dealt = np.stack([source.permutation(len(x)) for _ in range(NULL_DRAWS)])
    value, null = linear_cka(x, y, debiased=True), cka_null(x, y, dealt, debiased=True)
    top, p = float(np.quantile(null, 0.95)), p_value(value, null)
    return row(
        place,
        direction,
        "cka",
        value,
        other=other,
        statistic="cka_debiased",
        chance=float(null.mean()),
        null95=top,
        p=p,
        n=len(x),
        note=note,
    )


def run_rows(
    first: VectorPair, second: VectorPair, settings: CompareSettings, seed: int, *, label: str
) -> list[Measure]:
    """Two conditions on one species: same codon and same amino acid through a rotation, CKA, differences.

    Args:
        first: vectors of the first condition.
        second: of the second.
        settings: axes, bootstrap draws.
        seed: of intervals and nulls.
        label: what the second condition is, for the note, as in ``against run b, frame 0``.
    """
    a, b = _on_shared_codons(first, second)
    rows: list[Measure] = []
    try:
        found = species_ranks(a.codons, a.gold, b.codons, b.gold, how="procrustes", axes=settings.axes)
    except InputError:
        return rows
    chance = species_chance(a.gold, b.gold)
    place, interval = first.place, None
    if settings.bootstrap:
        source = rng(seed, "same codon", place.run, place.species, label, place.layer)
        reciprocal = found.same_codon.reciprocal
        interval = block_bootstrap(reciprocal, a.gold.classes, source, draws=settings.bootstrap)
    rows += rank_rows(
        place,
        CODON_TO_CODON,
        "procrustes",
        found.same_codon,
        scope=LEAVE_AMINO,
        interval=interval,
        chance=chance[0],
        note=label,
    )
    rows += protein_rows(first, second, "procrustes", settings, seed, label=label)
    rows.append(_cka_row(place, CODON_TO_CODON, (a.codons, b.codons), place.species, seed, label))
    return rows + difference_rows(a, b, settings, seed, label=label)


def difference_rows(
    a: VectorPair, b: VectorPair, settings: CompareSettings, seed: int, *, label: str
) -> list[Measure]:
    """First condition's MRR less the second's, with its interval (rows ``mrr_difference``).

    A codon that was too rare for a vector in one of them is left out of both.
    """
    rows: list[Measure] = []
    a, b = _on_shared_codons(a, b)
    if not len(a.codons):
        return rows
    for direction, similarity, scope, left, right in _endpoints(a, b, settings.axes):
        gaps = left.reciprocal - right.reciprocal
        source = rng(seed, "difference", a.place.run, a.place.species, label, direction, a.place.layer)
        interval = block_bootstrap(gaps, a.gold.classes, source, draws=max(200, settings.bootstrap))
        value = left.mrr - right.mrr
        rows.append(
            row(
                a.place,
                direction,
                similarity,
                value,
                scope=scope,
                statistic="mrr_difference",
                interval=interval,
                n=left.n,
                note=label,
            )
        )
    return rows


def _endpoints(a: VectorPair, b: VectorPair, axes: int) -> list[tuple[str, str, str, RankResult, RankResult]]:
    synonyms = [synonym_ranks(codon_similarity(p.codons, "centred"), p.gold) for p in (a, b)]
    among = (CODON_TO_SYNONYM, "centred", "all", synonyms[0], synonyms[1])
    if a.alone or b.alone:
        return [among]
    left, right = (leave_one_amino_acid_out(p.codons, p.amino, p.gold, axes).forward for p in (a, b))
    return [(CODON_TO_AMINO, "procrustes", LEAVE_AMINO, left, right), among]


def _on_shared_codons(first: VectorPair, second: VectorPair) -> tuple[VectorPair, VectorPair]:
    shared = np.intersect1d(first.gold.codons, second.gold.codons).tolist()
    return _restrict(first, shared), _restrict(second, shared)


def _restrict(pair: VectorPair, codons: Sequence[int]) -> VectorPair:
    """The pair with these codons only."""
    keep = np.isin(pair.gold.codons, list(codons))
    return replace(
        pair, gold=pair.gold.select(keep), codons=pair.codons[keep], codon_counts=pair.codon_counts[keep]
    )
