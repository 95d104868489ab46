"""The sampler: from (seed, step) to the micro-batches of an optimiser step.

Special here: nothing is remembered from step to step. The j-th text of a source is
``permutation(seed, source, j // n)[j % n]`` of its n places, so each epoch reads every place once, a run
resumes at any step at once, and any number of ranks sees the same global batches (rank r takes
micro-batches r, r + world, ... of each step). Texts are cropped here; masking comes after, in the objectives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.anchors import Anchor, Switcher, choose_anchors, make_switcher, translation_table
from genomecli.corpus.batch import Batch
from genomecli.corpus.crops import Crops, Texts, join_texts, make_crops
from genomecli.corpus.interface import Corpus, Ints
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.pools import Quota, greedy_bounds, micro_batches, pool_texts
from genomecli.corpus.reading_account import account
from genomecli.corpus.reading_settings import DECIPHERED, SWITCHED, TOLD, ReadingSettings
from genomecli.corpus.relations import Source, relate
from genomecli.corpus.step_sizes import check_ranks, settle_sizes, settled
from genomecli.corpus.texts import TextMaker
from genomecli.errors import ConfigError, InputError
from genomecli.runtime import rng


def reading_lexicon(default: Lexicon, settings: ReadingSettings) -> Lexicon:
    """The lexicon to read with: of the tokens and species that the settings ask for.

    Args:
        default: the corpus' own.
        settings: ``tokens`` None keeps the default's tokens, ``species`` None all its species.
    """
    species = default.species if settings.species is None else settings.species
    if settings.tokens is None and species == default.species:
        return default
    if settings.tokens is not None:
        chosen = settings.tokens
        return build_lexicon(species, dna=chosen.dna, k=chosen.k, stride=chosen.stride, scope=chosen.scope)
    dna = default.tokenizer(default.species[0], "dna")
    return build_lexicon(species, dna=default.dna, k=dna.k, stride=dna.stride, scope=default.scope)


def choose_sources(corpus: Corpus, settings: ReadingSettings, seed: int) -> tuple[Source, ...]:
    """What the corpus offers under the settings, over all splits.

    Raises:
        InputError: if a species or everything asked for is not in the corpus.
    """
    known = {group.species for group in corpus.groups}
    wanted = list(dict.fromkeys(g.species for g in corpus.groups))
    if settings.species is not None:
        wanted = list(settings.species)
        missing = [name for name in wanted if name not in known]
        if missing:
            raise InputError(
                f"the corpus has no species {', '.join(missing)}", fix=f"it has {', '.join(sorted(known))}"
            )
    tables = {
        (group.species, group.molecule): corpus.records(group.species, group.molecule)
        for name in wanted
        for group in corpus.groups
        if group.species == name and group.molecule in settings.molecules
    }
    if not tables:
        has = ", ".join(sorted({group.molecule for group in corpus.groups}))
        raise InputError(
            f"the corpus has no {' or '.join(settings.molecules)}", fix=f"it has {has}: set reading.molecules"
        )
    return relate(tables, settings.relation, seed, single=settings.pair_share < 1)


def _crops_of(
    sources: Sequence[Source], split: str, corpus: Corpus, lexicon: Lexicon, settings: ReadingSettings
) -> tuple[Crops, ...]:
    split_sources = [source.split(split) for source in sources]
    crops = [make_crops(i, source, corpus, lexicon, settings) for i, source in enumerate(split_sources)]
    return tuple(crop for crop in crops if crop.units)


def tokens_of_a_pass(corpus: Corpus, lexicon: Lexicon, settings: ReadingSettings, seed: int) -> int:
    """Tokens of one pass over the training texts, whatever the size of batches.

    Raises:
        InputError: if a species or everything asked for is not in the corpus.
    """
    sources = choose_sources(corpus, settings, seed)
    return sum(crop.tokens_per_epoch for crop in _crops_of(sources, "train", corpus, lexicon, settings))


@dataclass(frozen=True)
class _Pool:
    texts: Texts
    batches: list[Ints]


class Sampler:
    """Batches of a corpus.

    Args:
        corpus: a corpus reader, or anything like it.
        lexicon: tokens and languages, see :func:`reading_lexicon`.
        settings: what to read, and how.
        seed: of everything random here.

    Raises:
        InputError: if there is nothing to train on.
        ConfigError: if tokens and relation do not fit.
    """

    def __init__(self, corpus: Corpus, lexicon: Lexicon, settings: ReadingSettings, seed: int) -> None:
        self.corpus, self.lexicon, self.seed = corpus, lexicon, seed
        self.settings = settle_sizes(settings, None)
        self.sources = choose_sources(corpus, settings, seed)
        self.crops = self._crops("train")
        self.shares = token_shares(self.crops, settings)
        self.batch_tokens = settled(self.settings.tokens_per_batch)
        self.micro_batches = self.settings.micro_batches
        self._quota = self._texts_per_pool()
        self.anchors, self._switcher, translation = self._told()
        self._maker = TextMaker(
            corpus, lexicon, self.sources, soft_weight=settings.soft_weight, translation=translation
        )
        self._pool = lru_cache(maxsize=2)(self._make_pool)
        self._permutation = lru_cache(maxsize=4 * len(self.sources))(self._make_permutation)

    def _crops(self, split: str) -> tuple[Crops, ...]:
        return _crops_of(self.sources, split, self.corpus, self.lexicon, self.settings)

    def _texts_per_pool(self) -> Quota:
        lengths = [crop.lengths for crop in self.crops]
        texts = self.shares / np.array([values.mean() for values in lengths])
        texts /= texts.sum()
        count = self.settings.pool * self.micro_batches
        return Quota(texts, pool_texts(lengths, texts, count, self.batch_tokens))

    def _told(self) -> tuple[dict[str, tuple[Anchor, ...]], Switcher | None, Ints | None]:
        """What is known of the code, and what is done with it: codes switched, or texts translated."""
        relation = self.settings.relation
        if relation not in TOLD:
            return {}, None, None
        genes = dict.fromkeys(source.species for source in self.sources if source.molecule != "protein")
        if relation in DECIPHERED and len(genes) > 1:
            raise ConfigError(
                [
                    "pretrain.reading.anchors.dictionary is the code of one species, and genes of "
                    f"{', '.join(genes)} are read; name one in pretrain.reading.species"
                ]
            )
        anchors = choose_anchors(self.settings.anchors, species_codes(self.sources))
        if relation not in SWITCHED:
            return anchors, None, translation_table(self.lexicon, anchors)
        return anchors, make_switcher(self.lexicon, anchors, self.settings.anchors.probability), None

    def step(self, step: int, rank: int = 0, world: int = 1) -> list[Batch]:
        """The micro-batches of optimiser step ``step`` (from 0) that ``rank`` of ``world`` computes.

        A pure function of the seed, the settings and the step.

        Raises:
            ConfigError: if there are fewer micro-batches than ranks.
        """
        count = self.micro_batches
        check_ranks(self.settings, count, world)
        number, place = divmod(step, self.settings.pool)
        pool = self._pool(number)
        chosen = range(place * count, (place + 1) * count)[rank::world]
        return [self._make(pool.texts.take(pool.batches[i]), step, i) for i in chosen]

    def _make(self, texts: Texts, step: int, number: int) -> Batch:
        generator = None if self._switcher is None else rng(self.seed, "switch", step, number)
        return self._maker.make(texts, step=step, switcher=self._switcher, generator=generator)

    def _make_pool(self, number: int) -> _Pool:
        parts = []
        for place, crop in enumerate(self.crops):
            first, last = self._quota.range(place, number)
            units = self._units(crop, first, last)
            parts.append(crop.cut(units, rng(self.seed, "crop", crop.source.name, number)))
        texts = join_texts(parts)
        order = rng(self.seed, "pool", number)
        return _Pool(texts, micro_batches(texts.lengths, self.settings.pool * self.micro_batches, order))

    def _units(self, crop: Crops, first: int, last: int) -> Ints:
        """Texts ``first`` to ``last`` of a source, each epoch in an order of its own."""
        size = crop.units
        pieces = [
            self._permutation(crop.source.name, size, epoch)[
                max(first - epoch * size, 0) : min(last - epoch * size, size)
            ]
            for epoch in range(first // size, -(-last // size))
        ]
        return np.concatenate([np.zeros(0, dtype=np.int64), *pieces])

    def _make_permutation(self, name: str, size: int, epoch: int) -> Ints:
        return rng(self.seed, "epoch", name, epoch).permutation(size)

    def validation(self, split: str = "valid", tokens: int | None = None) -> Iterator[Batch]:
        """Fixed texts of every source, one source after the other; the same at every call.

        They depend on the records alone, not on the seed, and no code is switched. Nothing is masked.

        Args:
            split: whose records.
            tokens: most tokens of a source; the settings' ``validation_tokens`` by default.
        """
        limit = self.settings.validation_tokens if tokens is None else tokens
        for crop in self._crops(split):
            name = crop.source.name
            units = rng("validation", name).permutation(crop.units)
            fitting = np.cumsum(crop.lengths[units]) <= limit
            fitting[0] = True
            texts = crop.cut(np.sort(units[fitting]), rng("validation", name, "crop"))
            order = np.argsort(-texts.lengths, kind="stable")
            bounds = greedy_bounds(texts.lengths[order], self.batch_tokens)
            for begin, end in pairwise(bounds):
                yield self._maker.make(texts.take(order[begin:end]))

    def real_share(self, pool: int = 0) -> float:
        """Real tokens as a share of the padded ones, over one pool."""
        plan = self._pool(pool)
        lengths = plan.texts.lengths
        padded = sum(len(rows) * int(lengths[rows].max()) for rows in plan.batches)
        return float(lengths.sum() / padded)

    def describe(self) -> dict[str, Any]:
        """What training reads, as plain values: each source's size and share, padding, texts a step."""
        steps, per_pool = self.settings.pool, self._quota.texts
        groups = [
            {
                "name": crop.source.name,
                "records": len(crop.source.records),
                "left_out": crop.left_out,
                "texts_per_epoch": crop.units,
                "tokens_per_epoch": crop.tokens_per_epoch,
                "share_of_tokens": round(float(share), 6),
                "steps_per_epoch": round(steps * crop.units / float(texts), 2) if texts else None,
            }
            for crop, share, texts in zip(self.crops, self.shares, per_pool, strict=True)
        ]
        return {
            "relation": self.settings.relation,
            "records": account(self.corpus, self.settings, self.sources, self.crops, self._crops("valid")),
            "groups": groups,
            "texts_per_step": round(self._quota.total / steps, 2),
            "micro_batches": self.micro_batches,
            "real_share": round(self.real_share(), 4),
            "anchors": {name: [f"{a}:{b}" for a, b in pairs] for name, pairs in self.anchors.items()},
        }


def token_shares(crops: tuple[Crops, ...], settings: ReadingSettings) -> NDArray[np.float64]:
    """float64[G]: share of training tokens of each source, summing to 1.

    Size to the ``size_power``, times the weights of species and molecule; a pair counts with the mean of the
    two molecules' weights, and takes its settled share of all.

    Raises:
        InputError: if there are no texts.
        ConfigError: if all weights are 0.
    """
    if not crops:
        raise InputError(
            "no record of the train split is long enough to read",
            fix="lower min_tokens, or look at the corpus with genomecli info",
        )
    shares = np.array([_weight(crop, settings) for crop in crops])
    paired = np.array([crop.partner is not None for crop in crops])
    if shares.sum() <= 0:
        raise ConfigError(["all sampling weights are 0; give one species and molecule more"])
    if paired.any() and not paired.all() and shares[paired].sum() > 0 and shares[~paired].sum() > 0:
        shares[paired] *= settings.pair_share / shares[paired].sum()
        shares[~paired] *= (1 - settings.pair_share) / shares[~paired].sum()
    result: NDArray[np.float64] = shares / shares.sum()
    return result


def _weight(crop: Crops, settings: ReadingSettings) -> float:
    molecules = [crop.source.molecule] if crop.partner is None else ["cds", "protein"]
    factors: Mapping[Any, float] = settings.molecule_weights
    molecule = sum(factors.get(name, 1.0) for name in molecules) / len(molecules)
    species = settings.species_weights.get(crop.source.species, 1.0)
    return float(crop.tokens_per_epoch**settings.size_power * molecule * species)


def species_codes(sources: tuple[Source, ...]) -> dict[str, int]:
    """The genetic code of most genes of each species."""
    found: dict[str, int] = {}
    for source in sources:
        if source.molecule == "cds" and len(source.records):
            numbers, counts = np.unique(source.records.column("table"), return_counts=True)
            found[source.species] = int(numbers[counts.argmax()])
    return found
