"""Does a gene find its own protein? Retrieval on pooled vectors, directly and through a fitted rotation."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.nulls import expected_reciprocal_rank
from genomecli.analysis.places import Place
from genomecli.analysis.ranks import Gold
from genomecli.analysis.retrieval import retrieve, retrieve_held_out
from genomecli.analysis.rows import GENE_TO_PROTEIN, PROTEIN_TO_GENE, rank_rows
from genomecli.analysis.settings import CompareSettings
from genomecli.analysis.similarity import centre
from genomecli.analysis.statistics import block_bootstrap
from genomecli.analysis.tidy import Measure
from genomecli.analysis.vectors import TextMeans
from genomecli.runtime import rng

FOLDS = 5
LEAST_GENES = 20


def retrieval_rows(
    place: Place,
    genes: TextMeans,
    proteins: TextMeans,
    settings: CompareSettings,
    seed: int,
    *,
    apart: bool = False,
) -> list[Measure]:
    """MRR of gene to protein and back at one layer; no rows with fewer than twenty pairs.

    ``procrustes`` fits its rotation on four fifths of the gene families and is scored on the rest.

    Args:
        place: run, species, frame and layer.
        genes: mean states of genes in the run's frame.
        proteins: of proteins.
        settings: number of genes.
        seed: of folds and intervals.
        apart: the proteins are of another network, so that only a rotation brings them together.
    """
    x, y, family = _paired(place, genes, proteins, settings.retrieval_genes)
    if len(set(family.tolist())) < LEAST_GENES:
        return []
    source = rng(seed, "retrieval", place.run, place.species, place.layer)
    gold = Gold.single(np.arange(len(x)))
    flat = centre(x), centre(y)
    direct = [(GENE_TO_PROTEIN, flat[0], flat[1]), (PROTEIN_TO_GENE, flat[1], flat[0])]
    results = [] if apart else [(way, "centred", retrieve(one, other, gold)) for way, one, other in direct]
    results += [
        (GENE_TO_PROTEIN, "procrustes", retrieve_held_out(x, y, source, groups=family, folds=FOLDS)),
        (PROTEIN_TO_GENE, "procrustes", retrieve_held_out(y, x, source, groups=family, folds=FOLDS)),
    ]
    chance = expected_reciprocal_rank(len(x))
    rows: list[Measure] = []
    for direction, similarity, ranks in results:
        interval = None
        if settings.bootstrap:
            each = np.arange(len(ranks.ranks))
            interval = block_bootstrap(ranks.reciprocal, each, source, draws=settings.bootstrap)
        scope = "five_fold" if similarity == "procrustes" else "all"
        rows += rank_rows(place, direction, similarity, ranks, scope=scope, interval=interval, chance=chance)
    return rows


def _paired(
    place: Place, genes: TextMeans, proteins: TextMeans, most: int
) -> tuple[Floats, Floats, Integers]:
    """Vectors of genes and of their proteins, row by row, and the family of each pair.

    Keys that occur twice are left out; a gene without a family is a family of its own.
    """
    left, right = _unique(genes.keys), _unique(proteins.keys)
    shared = sorted(set(left) & set(right))[:most]
    x = genes.vectors[genes.layers.index(place.layer)][[left[key] for key in shared]]
    y = proteins.vectors[proteins.layers.index(place.layer)][[right[key] for key in shared]]
    family = np.array([genes.families[left[key]] for key in shared], dtype=np.int64)
    alone = family < 0
    family[alone] = -1 - np.arange(int(alone.sum()))
    return x.astype(np.float64), y.astype(np.float64), family


def _unique(keys: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    twice = set()
    for number, key in enumerate(keys):
        if key in found:
            twice.add(key)
        found[key] = number
    return {key: number for key, number in found.items() if key and key not in twice}
