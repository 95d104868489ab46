"""Translations that training is told: codes are switched by them, or whole texts translated.

Code-switching, for the relations ``anchored`` and ``deciphered``: codons and amino acids with known
translation stand in for each other in the text. The language id of a switched position stays that of the text
around it: a language embedding then does not give the switch away, and the token must do in its host's
contexts. Only training texts are switched; validation reads plain ones.

Back-translation, for ``back_translated``: a gene stands in one text with what the dictionary makes of its
codons, as texts that nobody translated do in unsupervised machine translation (Lample et al. 2018,
arXiv:1804.07755). No protein of that gene is read.

S species, V ids of the vocabulary, P most counterparts of any token, B texts, L length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genomecli.corpus.interface import Ints
from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.reading_settings import AnchorSettings
from genomecli.corpus.vocabulary import UNK
from genomecli.errors import ConfigError
from genomecli.runtime import rng
from genomecli.sequences.codes import CODONS, GeneticCode, genetic_code

Anchor = tuple[str, str]
"""A codon and its amino acid, both as text."""


def draw_anchors(code: GeneticCode, count: int, seed: int) -> tuple[Anchor, ...]:
    """``count`` translations of a code, at random; no amino acid twice before each has been drawn once."""
    order = [code.sense[place] for place in rng(seed, "anchors").permutation(len(code.sense))]
    seen: dict[str, int] = {}
    ranked: list[tuple[int, int, int]] = []
    for codon in order:
        letter = code.amino[codon]
        ranked.append((seen.setdefault(letter, 0), len(ranked), codon))
        seen[letter] += 1
    chosen = [codon for _, _, codon in sorted(ranked)[:count]]
    return tuple((CODONS[codon], code.amino[codon]) for codon in chosen)


def choose_anchors(settings: AnchorSettings, tables: Mapping[str, int]) -> dict[str, tuple[Anchor, ...]]:
    """The anchors of each species.

    Args:
        settings: pairs, or their number.
        tables: genetic code of each species, needed to draw.
    """
    if isinstance(settings.pairs, int):
        count, seed = settings.pairs, settings.seed
        return {name: draw_anchors(genetic_code(table), count, seed) for name, table in tables.items()}
    given = tuple((pair[:3], pair[4:]) for pair in settings.pairs)
    return dict.fromkeys(tables, given)


@dataclass(frozen=True)
class Switcher:
    """Which tokens stand in for which.

    Args:
        counts: int64[S, V], number of counterparts of a token; 0 for most.
        counterparts: int64[S, V, P], their ids.
        probability: chance that a token with counterparts is replaced by one of them, all alike.
    """

    counts: Ints
    counterparts: Ints
    probability: float

    @property
    def most(self) -> int:
        """P, counterparts that a token has at most."""
        return int(self.counterparts.shape[2])

    def switch(self, tokens: Ints, species: Ints, generator: np.random.Generator) -> None:
        """Switch ``tokens`` in place.

        Args:
            tokens: int64[B, L], contiguous.
            species: int64[B], whose anchors hold.
            generator: source of randomness.
        """
        if not tokens.size:
            return
        assert tokens.flags.c_contiguous, "a flat copy would be written to"
        flat = tokens.reshape(-1)
        first, size = int(species[0]), self.counts.shape[1]
        if (species == first).all():
            counts, counterparts, words = self.counts[first], self.counterparts[first], flat
        else:  # as if each species had tokens of its own, one vocabulary behind the other
            counts, counterparts = self.counts.reshape(-1), self.counterparts.reshape(-1, self.most)
            words = (tokens + (species * size)[:, None]).reshape(-1)
        places = np.flatnonzero(np.take(counts > 0, words))
        places = places[np.flatnonzero(generator.random(len(places)) < self.probability)]
        old = words[places]
        which = (generator.random(len(old)) * counts[old]).astype(np.int64)
        flat[places] = np.take(counterparts, old * self.most + which)


def make_switcher(lexicon: Lexicon, anchors: Mapping[str, Sequence[Anchor]], probability: float) -> Switcher:
    """The switcher of a lexicon.

    Raises:
        ConfigError: if its DNA tokens are no codons.
    """
    pairs = {name: list(token_pairs(lexicon, name, anchors.get(name, ()))) for name in lexicon.species}
    others: dict[tuple[int, int], list[int]] = {}
    for index, name in enumerate(lexicon.species):
        for codon, residue in dict.fromkeys(pairs[name]):
            others.setdefault((index, codon), []).append(residue)
            others.setdefault((index, residue), []).append(codon)
    size, most = lexicon.vocabulary.size, max(map(len, others.values()), default=1)
    counts = np.zeros((len(lexicon.species), size), dtype=np.int64)
    counterparts = np.zeros((len(lexicon.species), size, most), dtype=np.int64)
    for (index, token), partners in others.items():
        counts[index, token] = len(partners)
        counterparts[index, token, : len(partners)] = partners
    return Switcher(counts, counterparts, probability)


def translation_table(lexicon: Lexicon, anchors: Mapping[str, Sequence[Anchor]]) -> Ints:
    """int64[S, V]: the residue that each codon is told to mean, [UNK] for all other tokens.

    Raises:
        ConfigError: if its DNA tokens are no codons, or a codon is told twice.
    """
    table = np.full((len(lexicon.species), lexicon.vocabulary.size), UNK, dtype=np.int64)
    for index, name in enumerate(lexicon.species):
        for codon, residue in dict.fromkeys(token_pairs(lexicon, name, anchors.get(name, ()))):
            if table[index, codon] != UNK:
                raise ConfigError([f"anchors give {name}'s codons two meanings; back_translated takes one"])
            table[index, codon] = residue
    return table


def token_pairs(lexicon: Lexicon, species: str, anchors: Iterable[Anchor]) -> Iterable[tuple[int, int]]:
    """The ids of each anchor's codon and amino acid. Raises ConfigError if DNA tokens are no codons."""
    dna = lexicon.tokenizer(species, "dna")
    if (dna.k, dna.stride) != (3, 3):
        raise ConfigError(["code-switching reads genes as codons; set tokens.dna to codon"])
    blocks = lexicon.block(species, "dna"), lexicon.block(species, "protein")
    for codon, letter in anchors:
        yield lexicon.vocabulary.id(codon, blocks[0]), lexicon.vocabulary.id(letter, blocks[1])
