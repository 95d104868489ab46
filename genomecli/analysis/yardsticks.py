"""The classical yardstick: static word vectors of the texts that a run read, at several amounts of them.

They count the very texts that the run was trained on (:mod:`~genomecli.analysis.run_texts`), at most as much
as it had read. Each language is learned from its own texts; only where the run's texts were code-switched do
words of both languages stand in one text, and then they are learned together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from genomecli.analysis.arrays import Floats
from genomecli.analysis.cooccurrence import cooccurrence
from genomecli.analysis.permutations import block_permutations
from genomecli.analysis.places import STATIC_LAYER, Place, VectorPair, Vectors, make_pair
from genomecli.analysis.run_texts import RunTexts, Stream
from genomecli.analysis.settings import BaselineSettings
from genomecli.analysis.static_embeddings import ppmi_svd, word2vec
from genomecli.analysis.synonymy import synonym_rows
from genomecli.analysis.texts import species_code
from genomecli.analysis.tidy import Measure
from genomecli.analysis.within import Within
from genomecli.runtime import rng, seed_of

if TYPE_CHECKING:
    from genomecli.analysis.runs import OpenRun

LEAST_WORDS = 100
"""With fewer words of a language than this, an amount of text is left out."""


def amounts(settings: BaselineSettings, texts: RunTexts) -> list[int]:
    """The amounts of text, in tokens of the run, that hold enough words of both languages."""
    wanted = sorted({size for size in settings.corpus_sizes if size < texts.tokens} | {texts.tokens})
    return [size for size in wanted if min(p.counts.sum() for p in texts.first(size)) >= LEAST_WORDS]


def static_pairs(
    run: OpenRun, species: str, texts: RunTexts, settings: BaselineSettings, seed: int
) -> Iterator[VectorPair]:
    """Vectors of every method and amount of text."""
    code = species_code(run.corpus, species)
    methods: list[Vectors] = []
    methods += ["ppmi"] if settings.ppmi else []
    methods += ["word2vec"] if settings.word2vec else []
    for size in amounts(settings, texts):
        parts = texts.first(size)
        tables = _tables(parts, texts, settings.window)
        seen = parts[0].counts + parts[1].counts
        for method in methods:
            codons, amino = _train(method, tables, texts.codons, settings, seed)
            place = Place(run.name, species, method, run.frame, STATIC_LAYER, size, seed)
            counts = seen[: texts.codons], seen[texts.codons :]
            pair = make_pair(place, code, codons, amino, *counts, min_count=1)
            if pair is not None:
                yield pair


def _tables(parts: Sequence[Stream], texts: RunTexts, window: int) -> list[Floats]:
    """Pair counts: one table for each language, or one for both where texts mix them."""
    whole = [cooccurrence(part.tokens, part.offsets, part.size, window=window) for part in parts]
    if texts.mixed:
        return [whole[0] + whole[1]]
    cut = texts.codons
    return [whole[0][:cut, :cut], whole[1][cut:, cut:]]


def _train(
    method: str, tables: Sequence[Floats], codons: int, settings: BaselineSettings, seed: int
) -> tuple[Floats, Floats]:
    """Vectors of codons and of amino acids."""
    made = [_vectors(method, table, settings, seed) for table in tables]
    if len(made) == 1:
        return made[0][:codons], made[0][codons:]
    return made[0], made[1]


def _vectors(method: str, counts: Floats, settings: BaselineSettings, seed: int) -> Floats:
    width = min(settings.dimension, len(counts) - 1)
    if method == "ppmi":
        return ppmi_svd(counts, width)
    made = word2vec(counts, width, seed=seed_of(seed, "word2vec") % 2**31, iterations=settings.iterations)
    return made.words


def endpoint_rows(pair: VectorPair, within: Within) -> list[Measure]:
    """Left-out amino acids and synonymous codons alone, with a control's share of permutations.

    For baselines, whose two languages share no space, and for checkpoints along training.
    """
    place = pair.place
    source = rng(within.seed, "endpoints", place.run, place.species, place.vectors, place.layer, place.tokens)
    few = max(19, within.settings.permutations // 5)
    dealt = block_permutations(pair.gold, few, source)
    rows = within.held_out_rows(pair, dealt, full=False)
    return rows + synonym_rows(pair, within.settings, few, source)
