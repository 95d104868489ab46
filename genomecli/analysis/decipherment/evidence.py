"""How well an assignment of codons to amino acids explains which codons stand near each other.

Codons are read as a homophonic cipher of proteins. At distance k, amino acids a and b follow each other
``R_k(a, b)`` times as often as their frequencies alone would have it (the pair ratio of proteins). Under an
assignment f, codons c and d should then follow each other ``R_k(f(c), f(d))`` times as often as their own
frequencies have it. With counts N, and E the product of the margins of N as a distribution, the evidence is

    sum_k [ sum_cd N_k(c, d) log R_k(f(c), f(d)) - n_k log sum_cd E_k(c, d) R_k(f(c), f(d)) ]

a log likelihood against "neighbours say nothing", conditional on the codons' own frequencies. So codon usage
costs nothing, and composition of another species costs nothing either: proteins of a relative serve. What
little is asked of composition is a term of its own: ``- weight * n * KL(decoded composition, proteins')``.

Genes differ from each other: in GC content, in codon usage by expression, by islands of foreign origin. So
codons of one gene go together at any distance, and rare ones would all be read as one amino acid that likes
itself. Proteins differ too, in composition. What goes together far apart is therefore the background on both
sides: E is multiplied by the pair ratio of codons far apart, R divided by that of amino acids far apart. What
is left is grammar.

Adjacent codons (k = 1) are left out by default: which codon follows which is biased beyond the amino acids
(codon-pair bias, and dinucleotides over the border of two codons), and that pulls codons to wrong classes.

A codon may also be read as ``NOTHING``: ratio 1 with everything.

Legend: C 64 codons, A 20 amino acids and NOTHING, K distances, B chains (assignments looked at together).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.gold import AMINO_LETTERS

CODONS = 64
AMINO = len(AMINO_LETTERS)
NOTHING = AMINO
READINGS = AMINO + 1


def pair_ratios(counts: Floats, pseudo: float) -> Floats:
    """float64[K, A, A]: observed over expected, both with ``pseudo`` pairs added; 1 beside NOTHING.

    Args:
        counts: float64[K, 20, 20].
        pseudo: pairs added to a cell on both sides: what is rare says little.
    """
    expected = margins(counts) * counts.sum(axis=(1, 2), keepdims=True)
    ratios = np.ones((len(counts), READINGS, READINGS))
    ratios[:, :AMINO, :AMINO] = (counts + pseudo) / (expected + pseudo)
    return ratios


def margins(counts: Floats) -> Floats:
    """float64[K, V, V]: the product of the shares of left and right tokens; sums to 1 at each distance."""
    total = np.maximum(counts.sum(axis=(1, 2), keepdims=True), 1.0)
    left, right = counts.sum(axis=2, keepdims=True), counts.sum(axis=1, keepdims=True)
    found: Floats = left * right / total / total
    return found


@dataclass(frozen=True)
class Weights:
    """How much the parts of the evidence count.

    Args:
        pseudo: pairs added to each cell of the proteins' table.
        composition: weight of the composition term, a share of all pairs.
        far_pseudo: pairs added to each cell of the two backgrounds.
    """

    pseudo: float = 20.0
    composition: float = 0.005
    far_pseudo: float = 50.0


@dataclass(frozen=True, eq=False)
class Background:
    """Ordered pairs far apart in one record, where grammar is gone and what records share remains.

    Args:
        codons: float64[64, 64].
        residues: float64[20, 20].
    """

    codons: Floats
    residues: Floats


def far_ratios(counts: Floats, pseudo: float) -> Floats:
    """float64[V, V]: the symmetric pair ratio of counts float64[V, V], ``pseudo`` pairs added to both."""
    expected = margins(counts[None])[0] * counts.sum()
    ratio = (counts + pseudo) / (expected + pseudo)
    found: Floats = (ratio + ratio.T) / 2
    return found


class Evidence:
    """The evidence of two languages, as a function of the assignment.

    Args:
        codons: float64[K, 64, 64], ordered pairs of codons.
        residues: float64[K, 20, 20], ordered pairs of residues.
        weights: of its parts.
        share: float64[K], how much each distance counts; 1 each by default.
        background: what goes together far apart; without it, what the frequencies alone give is expected.

    Distances without any pair of codons are left out; there must be one with pairs, and pairs of
    residues at some distance.
    """

    def __init__(
        self,
        codons: Floats,
        residues: Floats,
        weights: Weights | None = None,
        share: Floats | None = None,
        background: Background | None = None,
    ) -> None:
        weights = weights or Weights()
        scale = np.ones(len(codons)) if share is None else np.asarray(share, dtype=np.float64)
        other = residues.sum(axis=(0, 2))
        # A distance at which no codons stand says nothing; its norm would be the logarithm of zero.
        held = codons.any(axis=(1, 2))
        codons, residues, scale = codons[held], residues[held], scale[held]
        self.distances = len(codons)
        ratio, expected = pair_ratios(residues, weights.pseudo), margins(codons)
        if background is not None:
            expected = expected * far_ratios(background.codons, weights.far_pseudo)
            expected /= np.maximum(expected.sum(axis=(1, 2), keepdims=True), 1e-300)
            ratio[:, :AMINO, :AMINO] /= far_ratios(background.residues, weights.far_pseudo)
        self._counts, self._expected = codons * scale[:, None, None], expected
        self._ratio, self._log = ratio, np.log(ratio)
        self._pairs: Floats = self._counts.sum(axis=(1, 2))
        self.pairs = float(self._pairs.sum())
        one = codons.sum(axis=(0, 2))
        self.frequency: Floats = one / one.sum()
        self.composition: Floats = other / other.sum()
        self.seen: Integers = np.flatnonzero((codons.sum(axis=(0, 1)) + codons.sum(axis=(0, 2))) > 0)
        self._weight = weights.composition * self.pairs
        self._log_composition = np.append(np.log(np.maximum(self.composition, 1e-9)), 0.0)
        self._prepare()

    def _prepare(self) -> None:
        """Tables in the order in which :meth:`moves` reads them."""
        both = (self._counts, self._counts.transpose(0, 2, 1), self._expected)
        self._rows = np.ascontiguousarray(np.concatenate([*both, self._expected.transpose(0, 2, 1)]))
        # [partner's reading, own reading], with the codon on the left and on the right of its partner.
        left, right = self._log.transpose(0, 2, 1), self._log
        self._gain = np.concatenate([left, right]).reshape(-1, READINGS)
        self._left, self._right = self._ratio.transpose(0, 2, 1).copy(), self._ratio.copy()
        self._same_log = np.diagonal(self._log, axis1=1, axis2=2).copy()
        self._same_ratio = np.diagonal(self._ratio, axis1=1, axis2=2).copy()

    def value(self, labels: Integers) -> Floats:
        """float64[B]: the evidence, in nats, of assignments int64[B, 64]."""
        found = np.empty(len(labels))
        for place, row in enumerate(labels):
            hot = one_hot(row[None])[0]
            seen = hot.T @ self._counts @ hot
            expected = hot.T @ self._expected @ hot
            norm = (expected * self._ratio).sum(axis=(1, 2))
            share = self.frequency @ hot
            found[place] = (seen * self._log).sum() - self._pairs @ np.log(norm)
            found[place] -= self._weight * float(self._surplus(share[None]).sum())
        return found

    def profiles(self, labels: Integers, pseudo: float) -> tuple[Floats, Floats]:
        """Which amino acids stand around each codon, and around each amino acid, as logs of pair ratios.

        Args:
            labels: int64[64], an assignment; partners are read by it.
            pseudo: pairs added on both sides to each cell of the codons' table.

        Returns:
            float64[64, 2 K 20] and float64[20, 2 K 20], in the same columns: partners behind at each
            distance, then partners before. Codons that were not seen have zeros.
        """
        hot = one_hot(labels[None])[0][:, :AMINO]
        expected = self._expected * self._pairs[:, None, None]
        logs = [
            np.log((seen @ hot + pseudo) / (wanted @ hot + pseudo))
            for seen, wanted in (
                (self._counts, expected),
                (self._counts.transpose(0, 2, 1), expected.transpose(0, 2, 1)),
            )
        ]
        log = self._log[:, :AMINO, :AMINO]
        both = (np.concatenate(logs), np.concatenate([log, log.transpose(0, 2, 1)]))
        codons, amino = (table.transpose(1, 0, 2).reshape(table.shape[1], -1) for table in both)
        return codons, amino

    def norms(self, hot: Floats) -> Floats:
        """float64[K, B]: what the expected pairs come to under each assignment, float64[B, 64, A]."""
        inner = np.matmul(self._expected[:, None], hot[None])
        folded = np.matmul(hot.transpose(0, 2, 1)[None], inner)
        found: Floats = (folded * self._ratio[:, None]).sum(axis=(2, 3))
        return found

    def _surplus(self, share: Floats) -> Floats:
        """float64[..., A]: each amino acid's term of the divergence from the proteins' composition."""
        terms = share * (np.log(share + 1e-12) - self._log_composition)
        terms[..., NOTHING] = 0.0
        found: Floats = terms
        return found

    def moves(self, labels: Integers, codon: int, hot: Floats, norms: Floats) -> tuple[Floats, Floats]:
        """The evidence of every reading of one codon, up to a constant of its chain, all else as it is.

        Args:
            labels: int64[B, 64].
            codon: which one.
            hot: float64[B, 64, A], the same as ones and zeros.
            norms: float64[K, B], of :meth:`norms`.

        Returns:
            float64[B, A] in nats, and the norms after each move, float64[K, B, A].
        """
        chains, k = len(labels), self.distances
        old = labels[:, codon]
        own = hot[:, codon].copy()
        hot[:, codon] = 0.0
        near = np.matmul(self._rows[:, codon], hot)  # [B, 4K, A]
        share = np.matmul(self.frequency, hot)  # [B, A]
        hot[:, codon] = own
        gain = (
            near[:, : 2 * k].reshape(chains, -1) @ self._gain + self._counts[:, codon, codon] @ self._same_log
        )
        left, right = near[:, 2 * k : 3 * k].transpose(1, 0, 2), near[:, 3 * k :].transpose(1, 0, 2)
        added = np.matmul(left, self._left) + np.matmul(right, self._right)  # [K, B, A]
        added += (self._expected[:, codon, codon, None] * self._same_ratio)[:, None]
        without = norms - np.take_along_axis(added, old[None, :, None], axis=2)[..., 0]
        after = without[..., None] + added
        gain -= np.einsum("k,kba->ba", self._pairs, np.log(after))
        more = self._surplus(share + self.frequency[codon]) - self._surplus(share)
        return gain - self._weight * more, after


def one_hot(labels: Integers) -> Floats:
    """float64[B, 64, A]; codons that are labelled -1 have no reading at all, and count nowhere."""
    found: Floats = (labels[..., None] == np.arange(READINGS)).astype(np.float64)
    return found
