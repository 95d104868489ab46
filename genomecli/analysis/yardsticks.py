"""The classical yardstick: static word vectors trained on the same corpus, at several sizes of it.

Each language is learned from its own texts, as the encoder reads them: codons of genes in the run's frame,
residues of proteins. Sizes are tokens of each language.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.cooccurrence import cooccurrence
from genomecli.analysis.permutations import block_permutations
from genomecli.analysis.places import STATIC_LAYER, Place, VectorPair, Vectors, make_pair
from genomecli.analysis.settings import BaselineSettings
from genomecli.analysis.static_embeddings import ppmi_svd, word2vec
from genomecli.analysis.synonymy import synonym_rows
from genomecli.analysis.texts import Chosen, Wanted, choose_records, codon_step, dna_molecule, items_of
from genomecli.analysis.tidy import Measure
from genomecli.analysis.vectors import words_of
from genomecli.analysis.within import Within
from genomecli.runtime import rng, seed_of

if TYPE_CHECKING:
    from genomecli.analysis.runs import OpenRun

NOT_A_WORD = -1


@dataclass(frozen=True, eq=False)
class Stream:
    """Texts of one language end to end: int64[T] words (0 to size - 1), and their starts int64[R + 1]."""

    tokens: NDArray[np.int64]
    offsets: Integers
    size: int

    def first(self, tokens: int) -> Stream:
        """The texts up to ``tokens`` tokens; the last one may be cut."""
        end = min(tokens, len(self.tokens))
        whole = self.offsets[self.offsets < end]
        return Stream(self.tokens[:end], np.append(whole, end), self.size)


def training_streams(run: OpenRun, species: str, most: int, seed: int) -> tuple[Stream, Stream]:
    """Training texts of a species in both languages, in the run's frame, at most ``most`` tokens each."""
    molecule = dna_molecule(run.corpus, species)
    dna = choose_records(run.corpus, species, molecule, Wanted(("train",), 0, 3 * most, seed))
    protein = choose_records(run.corpus, species, "protein", Wanted(("train",), 0, most, seed))
    return _stream(run, dna, most), _stream(run, protein, most)


def _stream(run: OpenRun, chosen: Chosen, most: int) -> Stream:
    lexicon = run.loaded.lexicon
    alphabet = "protein" if chosen.molecule == "protein" else "dna"
    step = 1 if alphabet == "protein" else codon_step(lexicon, chosen.species)
    words = words_of(lexicon, chosen.species, alphabet)
    parts = []
    for item in items_of(run.corpus, lexicon, chosen, frame=run.frame):
        kept = item.tokens[item.skip[0] : len(item.tokens) - item.skip[1]][::step]
        parts.append(kept.astype(np.int64) - words[0])
    lengths = np.cumsum([0, *(len(part) for part in parts)])
    tokens = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    tokens[(tokens < 0) | (tokens >= len(words))] = NOT_A_WORD
    return Stream(tokens, lengths.astype(np.int64), len(words)).first(most)


def corpus_sizes(settings: BaselineSettings, streams: tuple[Stream, Stream]) -> list[int]:
    """The sizes that both languages reach, and the whole of the smaller one."""
    whole = min(len(stream.tokens) for stream in streams)
    return sorted({size for size in settings.corpus_sizes if size < whole} | {whole})


def static_pairs(
    run: OpenRun, species: str, streams: tuple[Stream, Stream], settings: BaselineSettings, seed: int
) -> Iterator[VectorPair]:
    """Vectors of every method and corpus size."""
    code = choose_records(run.corpus, species, "protein", Wanted(("train",), 0, 1, seed)).code
    methods: list[Vectors] = []
    methods += ["ppmi"] if settings.ppmi else []
    methods += ["word2vec"] if settings.word2vec else []
    for size in corpus_sizes(settings, streams):
        parts = [stream.first(size) for stream in streams]
        counts = [cooccurrence(p.tokens, p.offsets, p.size, window=settings.window) for p in parts]
        seen = [np.bincount(p.tokens[p.tokens >= 0], minlength=p.size) for p in parts]
        for method in methods:
            codons, amino = (_train(method, table, settings, seed) for table in counts)
            place = Place(run.name, species, method, run.frame, STATIC_LAYER, size, seed)
            pair = make_pair(place, code, codons, amino, seen[0], seen[1], min_count=1)
            if pair is not None:
                yield pair


def _train(method: str, counts: Floats, settings: BaselineSettings, seed: int) -> Floats:
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
