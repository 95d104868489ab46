"""How surprising each codon is where it stands: -log2 of its probability when hidden, by codon and place.

One codon in eight is hidden at a time, as in ``score --scan``, and the network says what it expects there.
Beside the surprise stands what usage alone would give, -log2 of the codon's share, and what the network
itself gives a codon that it knows nothing of: -log2 of the mean probability that it gives the codon anywhere.
The gain is how far surprise lies below the latter: what the neighbourhood tells. (Against usage, a network
whose mean is off by a little would seem to know, or not to know, its neighbourhood.) Surprise is the sum of
two: of the amino acid, and of the choice among its synonyms. Places are told apart: the first codons behind
the start, the last before the stop, and all between. Intervals are over genes.

Legend: T codons read, G genes, R regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.statistics import gene_weights, percentiles
from genomecli.analysis.texts import Chosen, codon_step, items_of
from genomecli.corpus.vocabulary import MASK
from genomecli.inference.batching import SPECIAL_TOKENS
from genomecli.inference.decoding import Doubles, Query
from genomecli.inference.engine import Engine
from genomecli.inference.items import Item
from genomecli.inference.workload import Work, Workload
from genomecli.runtime import rng
from genomecli.sequences.codes import CODONS, GeneticCode

if TYPE_CHECKING:
    from genomecli.analysis.runs import OpenRun
    from genomecli.analysis.settings import CompareSettings

PASSES = 8
"""One codon of so many is hidden at a time."""

EDGE = 10
"""Codons behind the start, and before the stop, that count as first and last."""

REGIONS = ("all", "first", "inside", "last")

COLUMNS = (
    *("run", "species", "codon", "amino_acid", "region", "genes", "n", "usage"),
    *("bits", "bits_low", "bits_high", "by_usage", "by_mean", "gain", "gain_low", "gain_high"),
    *("amino_acid_bits", "synonym_bits"),
)
"""Of the table ``codon_surprise.tsv``; ``usage`` is the codon's share in that region, ``by_usage`` what its
share of everything read would cost, ``by_mean`` what the network's mean probability would."""


@dataclass(frozen=True, eq=False)
class Surprises:
    """What was read.

    Args:
        gene: int64[T], number of the gene.
        codon: int64[T], index of the codon.
        region: int64[T], 1 first, 2 inside, 3 last: places in REGIONS.
        bits: float64[T], -log2 p of the codon.
        amino_bits: float64[T], -log2 p of any codon of its amino acid.
        mean: float64[64], mean probability of each codon over the T places.
    """

    gene: Integers
    codon: Integers
    region: Integers
    bits: Floats
    amino_bits: Floats
    mean: Floats


def codon_surprises(engine: Engine, items: Iterable[Item], first_word: int, code: GeneticCode) -> Surprises:
    """Hide the codons of some genes in turn.

    Args:
        engine: its window says how far a codon sees.
        items: a gene each, whose terminal codons are read but do not count.
        first_word: id of the first of the 64 codons.
        code: which codons are synonyms; used for the split of the bits alone.
    """
    letters = np.array(list(code.amino))
    same = letters[:, None] == letters[None, :]
    works = (_work(number, item, first_word, same, engine.window) for number, item in enumerate(items))
    parts = list(Workload(engine, works))
    none: Integers = np.zeros(0, dtype=np.int64)
    if not parts:
        return Surprises(none, none, none, np.zeros(0), np.zeros(0), np.zeros(64))
    gene, codon, region, bits, amino = (
        np.concatenate(column) for column in list(zip(*parts, strict=True))[:5]
    )
    total = np.sum([part[5] for part in parts], axis=0)
    return Surprises(gene, codon, region, bits, amino, total / max(len(codon), 1))


_Part = tuple[Integers, Integers, Integers, Floats, Floats, Floats]


def _work(number: int, item: Item, first_word: int, same: Booleans, window: int) -> Work[_Part]:
    codons = item.tokens.astype(np.int64) - first_word
    read = item.counted() & (codons >= 0) & (codons < len(CODONS))
    asked = list(_queries(item, read, first_word, window))
    order = np.concatenate([np.zeros(0, dtype=np.int64), *(places for _, places in asked)])

    def finish(answers: Sequence[Doubles]) -> _Part:
        # [T, 64]: probability of every codon at every place.
        table = np.exp(np.concatenate([np.zeros(0), *answers])).reshape(-1, len(CODONS))
        own = codons[order]
        bits = -np.log2(table[np.arange(len(own)), own])
        amino = -np.log2((table * same[own]).sum(axis=1))
        gene = np.full(len(own), number, dtype=np.int64)
        return gene, own, _regions(item)[order], bits, amino, table.sum(axis=0)

    return Work([query for query, _ in asked], finish)


def _queries(item: Item, read: Booleans, first_word: int, window: int) -> Iterator[tuple[Query, Integers]]:
    """Each codon hidden once, in the middle half of a window; and the places in the gene that are asked."""
    total = len(read)
    size = min(window, total)
    block = max(1, size // 2) if size < total else total
    words = np.arange(first_word, first_word + len(CODONS), dtype=np.int64)
    for begin in range(0, total, block):
        end = min(begin + block, total)
        first = min(max(begin - (size - block) // 2, 0), total - size)
        for turn in range(PASSES):
            places = np.arange(begin, end)
            places = places[read[begin:end] & (places % PASSES == turn)]
            if len(places):
                seen = item.tokens[first : first + size].copy()
                seen[places - first] = MASK
                text = replace(item, tokens=seen, skip=(0, 0))
                inside = np.repeat(places - first, len(words))
                yield Query(text, inside, np.tile(words, len(places))[:, None]), places


def _regions(item: Item) -> Integers:
    """int64[t]: 1 for the first EDGE codons behind a start, 3 for the last EDGE before a stop, 2 between.

    A gene that does not begin (end) with a codon that starts (ends) genes has no first (last) codons, and in
    a gene too short to have all three, the halves are first and last.
    """
    total = len(item.tokens)
    place = np.arange(total)
    ahead = place - item.skip[0]
    behind = total - item.skip[1] - 1 - place
    first = (ahead < EDGE) & bool(item.skip[0])
    last = (behind < EDGE) & bool(item.skip[1])
    found: Integers = np.where(first & ~(last & (behind < ahead)), 1, np.where(last, 3, 2)).astype(np.int64)
    return found


def surprise_lines(
    run: str, found: Surprises, gold: CodonGold, draws: int, source: np.random.Generator
) -> list[tuple[object, ...]]:
    """Rows of the table, without the species: of each codon and region, the codon ``all`` last.

    Args:
        run: its name.
        found: what was read.
        gold: the codons that are told, and their amino acids.
        draws: resamples of genes.
        source: of randomness.
    """
    genes = int(found.gene.max()) + 1 if len(found.gene) else 0
    if not genes:
        return []
    weights = gene_weights(genes, draws, source).astype(np.float64) if draws else np.zeros((0, genes))
    with np.errstate(divide="ignore"):
        usage = -np.log2(np.bincount(found.codon, minlength=64) / len(found.codon))
        mean = -np.log2(found.mean)
    costs = usage[found.codon], mean[found.codon]
    lines = []
    for region, name in enumerate(REGIONS):
        here = np.ones(len(found.codon), dtype=np.bool_) if not region else found.region == region
        for codon, letter in [*zip(gold.codons.tolist(), gold.amino, strict=True), (-1, "")]:
            chosen = np.flatnonzero(here & (found.codon == codon)) if codon >= 0 else np.flatnonzero(here)
            if len(chosen):
                text = CODONS[codon] if codon >= 0 else "all"
                genes_seen, *figures = _figures(found, chosen, costs, weights)
                share = len(chosen) / int(here.sum())
                lines.append((run, text, letter, name, genes_seen, len(chosen), share, *figures))
    return lines


def _figures(
    found: Surprises, chosen: Integers, costs: tuple[Floats, Floats], weights: Floats
) -> tuple[object, ...]:
    """Genes, bits with interval, by usage, by mean, gain with interval, bits of amino acid and of synonym."""
    gene, bits, amino = found.gene[chosen], found.bits[chosen], float(found.amino_bits[chosen].mean())
    by_usage, by_mean = (cost[chosen] for cost in costs)
    counts = np.bincount(gene, minlength=weights.shape[1]).astype(np.float64)
    surprise = _with_ends(bits, gene, counts, weights)
    gain = _with_ends(by_mean - bits, gene, counts, weights)
    expected = (float(by_usage.mean()), float(by_mean.mean()))
    return (int((counts > 0).sum()), *surprise, *expected, *gain, amino, surprise[0] - amino)


def _with_ends(values: Floats, gene: Integers, counts: Floats, weights: Floats) -> tuple[float, float, float]:
    """The mean and its 95 % interval over resampled genes, float64[draws, G]; NaN without draws."""
    drawn = weights @ counts
    sums = weights @ np.bincount(gene, values, minlength=weights.shape[1])
    kept = drawn > 0
    interval = percentiles(sums[kept] / drawn[kept], float(values.mean()))
    return interval.value, interval.low, interval.high


def run_lines(
    run: OpenRun, dna: Chosen, settings: CompareSettings, seed: int, precision: str
) -> tuple[list[tuple[object, ...]], list[str]]:
    """Rows of the table of one run and species, and what the reader must know where there are none.

    Args:
        run: with its network.
        dna: the genes that are read.
        settings: bootstrap draws.
        seed: of the bootstrap.
        precision: of the forward passes.
    """
    lexicon, species = run.codons.loaded.lexicon, dna.species
    if dna.molecule != "cds" or codon_step(lexicon, species) != 1:
        why = "it wants genes, and tokens that are codons"
        return [], [f"{run.name}: {species}: no surprise by codon, for {why}"]
    longest = min(run.codons.loaded.settings.context, run.reading.context)
    engine = Engine(run.codons.loaded, precision=precision, window=longest - SPECIAL_TOKENS)
    items = items_of(run.corpus, lexicon, dna, frame=run.frame, strip=run.frame == 0)
    first = lexicon.block(species, "dna").start
    found = codon_surprises(engine, items, first, dna.code)
    source = rng(seed, "codon surprise", run.name, species)
    lines = surprise_lines(run.name, found, CodonGold.of(dna.code), settings.bootstrap, source)
    return [(name, species, *line) for name, *line in lines], []
