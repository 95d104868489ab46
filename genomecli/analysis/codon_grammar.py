"""The grammar of a species' codons without any network: which codons keep company, and how alike species are.

Ordered pairs of codons are counted two to eight apart inside genes. What is expected is the product of their
frequencies times what codons far apart in one gene have in common (as in decipherment): so neither usage nor
that genes differ in GC and expression is grammar. The grammar is the table of residuals,
(observed - expected) / sqrt(expected), with some pairs added to expected so that rare codons say little. Two
species are alike as far as their tables correlate over the same pairs of codons.

Noise lowers every such correlation, most where genes are few. So each table is also correlated with itself
over halves of the genes, and what would be seen without noise is r / sqrt(reliability of a * that of b)
(Spearman 1904).

Legend: n codons, G groups of genes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.decipherment.evidence import far_ratios, margins
from genomecli.analysis.decipherment.pairs import Pairs, Text, count_pairs, deal
from genomecli.analysis.decipherment.sources import gene_texts
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.settings import AUTO_BACKGROUND
from genomecli.runtime import rng
from genomecli.sequences.codes import GeneticCode

if TYPE_CHECKING:
    from genomecli.corpus.store import CorpusReader

NEAR = range(2, 9)
FAR = range(AUTO_BACKGROUND, 2 * AUTO_BACKGROUND + 16, 2)

PSEUDO = 50.0
"""Pairs added to each expected count."""

LEAST_PAIRS = 500
"""Codons with fewer pairs than this have no row."""


@dataclass(frozen=True, eq=False)
class CodonGrammar:
    """Pairs of codons of one species.

    Args:
        species: its name.
        gold: its sense codons with enough pairs, and what they mean.
        counts: int64[n], codons behind each row.
        near: pairs that are read, by group of genes.
        far: the background, likewise, at one pooled distance.
    """

    species: str
    gold: CodonGold
    counts: Integers
    near: Pairs
    far: Pairs

    def table(self, weights: Integers | None = None) -> Floats:
        """float64[64, 64]: residuals by left and right codon.

        Args:
            weights: int64[G], how often each group of genes counts; once by default.
        """
        observed = self.near.total(weights).sum(axis=0)
        background = far_ratios(self.far.total(weights)[0], PSEUDO)
        expected = margins(observed[None])[0] * background
        expected *= observed.sum() / max(float(expected.sum()), 1e-300)
        found: Floats = (observed - expected) / np.sqrt(expected + PSEUDO)
        return found

    def vectors(self, codons: ArrayLike | None = None) -> Floats:
        """What stands behind and before each codon of the gold; float64[n, 2 m].

        Args:
            codons: int64[m], the partners; those of the gold by default.
        """
        table, rows = self.table(), self.gold.codons
        partners = rows if codons is None else np.asarray(codons)
        both: Floats = np.concatenate(
            [table[np.ix_(rows, partners)], table.T[np.ix_(rows, partners)]], axis=1
        )
        return both


def read_grammar(
    corpus: CorpusReader, species: str, seed: int, *, frame: int = 0, shuffled: bool = False
) -> CodonGrammar:
    """Count the genes of a species; genes of organelles, which another code is given for, are left out.

    Args:
        corpus: with its genes.
        species: its name.
        seed: of the groups, and of the order in shuffled genes.
        frame: control: bases left out at the start of each gene.
        shuffled: control: the codons of each gene in a random order, so that only its composition is left.

    Raises:
        InputError: if the corpus has no genes of it.
    """
    text, code = gene_texts(corpus, species, frame)
    if shuffled:
        text = text.shuffled(rng(seed, "grammar", "shuffled", species))
    return grammar_of(text, code, species, seed)


def grammar_of(text: Text, code: GeneticCode, species: str, seed: int) -> CodonGrammar:
    """The grammar of genes that are given as codons.

    Args:
        text: genes without their terminal codons.
        code: says what the codons mean; no count depends on it.
        species: name.
        seed: deals the genes to groups.
    """
    groups = deal(text, rng(seed, "grammar", species))
    near, far = (count_pairs(text, 64, k, groups) for k in (NEAR, FAR))
    total = near.total().sum(axis=0)
    seen = np.flatnonzero(np.minimum(total.sum(axis=0), total.sum(axis=1)) >= LEAST_PAIRS)
    gold = CodonGold.of(code, seen.tolist())
    counts = np.bincount(text.tokens[text.tokens >= 0], minlength=64)[gold.codons]
    return CodonGrammar(species, gold, counts.astype(np.int64), near, far.pooled())


def shared_gold(a: CodonGrammar, b: CodonGrammar) -> CodonGold:
    """Codons that both have, with the meaning that they have in the first."""
    return a.gold.select(np.isin(a.gold.codons, b.gold.codons))


def correlation(a: Floats, b: Floats, codons: Integers) -> float:
    """Pearson's correlation of two tables [64, 64] over the ordered pairs of some codons (int64[m]).

    0 where one of them does not vary.
    """
    x, y = (table[np.ix_(codons, codons)].ravel() for table in (a, b))
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 0 else 0.0


def beyond_meaning(table: Floats, gold: CodonGold) -> Floats:
    """The table less the mean over all pairs of codons of the same two amino acids; float64[64, 64].

    What is left is not about amino acids: which of the synonyms keep company.
    """
    found, mask = np.zeros_like(table), gold.mask.astype(np.float64)
    part = table[np.ix_(gold.codons, gold.codons)]
    sizes = np.maximum(gold.block_sizes, 1)
    means = mask.T @ part @ mask / sizes[:, None] / sizes[None, :]
    found[np.ix_(gold.codons, gold.codons)] = part - mask @ means @ mask.T
    return found


def mantel(a: Floats, b: Floats, codons: Integers, draws: int, source: np.random.Generator) -> float:
    """p-value of the correlation with the codons of b dealt anew, rows and columns alike (Mantel 1967).

    One-sided: the share of draws that correlate at least as much, the tables as they are counted in.

    Args:
        a, b: float64[64, 64].
        codons: int64[m], the codons that count and are dealt.
        draws: permutations.
        source: of randomness.
    """
    seen = correlation(a, b, codons)
    above = 0
    for _ in range(draws):
        dealt = b.copy()
        order = source.permutation(codons)
        dealt[np.ix_(codons, codons)] = b[np.ix_(order, order)]
        above += correlation(a, dealt, codons) >= seen
    return (1 + above) / (1 + draws)


def reliability(
    grammar: CodonGrammar,
    gold: CodonGold,
    source: np.random.Generator,
    *,
    beyond: bool = False,
    splits: int = 10,
) -> float:
    """Correlation that tables of two such samples of genes would have: halves, by Spearman and Brown.

    Args:
        grammar: of the species.
        gold: the codons that count.
        source: of the halves.
        beyond: of :func:`beyond_meaning`.
        splits: ways to halve the genes, over which the mean is taken.
    """
    held = grammar.near.held
    found = []
    for _ in range(splits):
        side = np.zeros(len(grammar.near.counts), dtype=np.int64)
        side[source.permutation(held)[: len(held) // 2]] = 1
        other = np.zeros_like(side)
        other[held] = 1 - side[held]
        halves = [grammar.table(weights) for weights in (side, other)]
        if beyond:
            halves = [beyond_meaning(half, gold) for half in halves]
        found.append(correlation(halves[0], halves[1], gold.codons))
    half = float(np.mean(found))
    return 2 * half / (1 + half) if half > -1 else 0.0


@dataclass(frozen=True)
class Likeness:
    """How alike two species' grammars are.

    Args:
        r: correlation of the tables.
        low, high: 95 % of it, over groups of genes (jackknife, both species).
        p: by Mantel's test.
        without_noise: r over the square root of both reliabilities.
        codons: how many they share.
    """

    r: float
    low: float
    high: float
    p: float
    without_noise: float
    codons: int


def likeness(
    a: CodonGrammar, b: CodonGrammar, seed: int, *, beyond: bool = False, draws: int = 999
) -> Likeness:
    """Compare two species over the codons that both have.

    Args:
        a, b: their grammars.
        seed: of permutations and halves.
        beyond: only what is not about amino acids.
        draws: permutations.
    """
    gold = shared_gold(a, b)

    def seen(grammar: CodonGrammar, weights: Integers | None = None) -> Floats:
        table = grammar.table(weights)
        return beyond_meaning(table, gold) if beyond else table

    whole = seen(a), seen(b)
    r = correlation(*whole, gold.codons)
    variance = sum(
        _jackknife_variance([correlation(seen(one, w), other, gold.codons) for w in _all_but_one(one)])
        for one, other in ((a, whole[1]), (b, whole[0]))
    )
    half = 1.96 * float(np.sqrt(variance))
    source = rng(seed, "likeness", a.species, b.species, str(beyond))
    p = mantel(*whole, gold.codons, draws, source)
    noise = [reliability(one, gold, source, beyond=beyond) for one in (a, b)]
    clean = r / float(np.sqrt(noise[0] * noise[1])) if min(noise) > 0 else float("nan")
    return Likeness(r, r - half, r + half, p, clean, gold.n)


def _all_but_one(grammar: CodonGrammar) -> list[Integers]:
    """Weights that leave one group of genes out, for every group that holds pairs."""
    held = grammar.near.held
    found = []
    for left_out in held:
        weights = np.zeros(len(grammar.near.counts), dtype=np.int64)
        weights[held] = 1
        weights[left_out] = 0
        found.append(weights)
    return found


def _jackknife_variance(values: list[float]) -> float:
    """Variance of a figure from its values without each group (Efron and Stein 1981)."""
    count = len(values)
    return (count - 1) / count * float(np.square(np.array(values) - np.mean(values)).sum()) if count else 0.0
