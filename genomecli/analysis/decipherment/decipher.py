"""The code of a genome from genes and proteins that nobody paired: search, resamples, codes, controls.

Legend: B draws, K distances, G groups of records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.decipherment.evidence import AMINO, CODONS, Background, Evidence, Weights
from genomecli.analysis.decipherment.pairs import Pairs, Text, count_pairs
from genomecli.analysis.decipherment.ranking import RankedCode, rank
from genomecli.analysis.decipherment.search import Schedule, Solution, scores, search
from genomecli.analysis.decipherment.sources import Sources
from genomecli.analysis.decipherment.stops import find_stops, stop_log_odds
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.errors import InputError
from genomecli.runtime import rng
from genomecli.sequences.codes import GeneticCode, all_codes, genetic_code

if TYPE_CHECKING:
    from genomecli.analysis.settings import DecipherSettings

READINGS = tuple((frame, strand) for strand in "+-" for frame in (0, 1, 2))
"""The six readings of a gene: offset, strand."""

SHUFFLED = "proteins shuffled within themselves"

LEAST_MARGIN = 2.0
"""Standard deviations by which the evidence must exceed that of every control, or nothing is decided."""

LEAST_RECORDS = 2
"""Genes, and proteins, that resamples are drawn from at least."""


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
        self, genes: Integers | None = None, proteins: Integers | None = None, share: Floats | None = None
    ) -> Evidence:
        """Of all records, or of groups as often as int[G] says, with distances weighted by float64[K]."""
        background = None
        if self.far_codons is not None and self.far_residues is not None:
            far = self.far_codons.total(genes)[0], self.far_residues.total(proteins)[0]
            background = Background(*far)
        near = self.codons.total(genes), self.residues.total(proteins)
        return Evidence(*near, self.weights, share, background)


@dataclass(frozen=True)
class Control:
    """A text that holds no code, deciphered likewise.

    Args:
        name: what was read.
        value: evidence, nats per thousand pairs.
    """

    name: str
    value: float


@dataclass(frozen=True, eq=False)
class Deciphered:
    """What was found.

    Args:
        sources: the two texts.
        solution: the best assignment.
        scores: float64[64, 20], evidence of every reading less that of the best, nats.
        support: float64[64, 20], share of the resamples that read each codon so.
        counts: int64[64], codons inside genes.
        stops: bool[64], codons that end genes.
        value: evidence of the solution, nats per thousand pairs.
        spread: standard deviation of that over resamples of genes and proteins, all distances kept.
        residue_count: residues of the other text.
        codes: NCBI's codes, best first.
        controls: other readings, and shuffled proteins; empty where not asked for.
        least_support: share of the resamples from which a codon is decided.
        chains: searches that were made.
    """

    sources: Sources
    solution: Solution
    scores: Floats
    support: Floats
    counts: Integers
    stops: Booleans
    value: float
    spread: float
    residue_count: int
    codes: tuple[RankedCode, ...]
    controls: tuple[Control, ...]
    least_support: float
    chains: int

    @property
    def asked(self) -> Integers:
        """Codons that were seen in a pair inside genes and are no stops, by index."""
        return np.flatnonzero((self.solution.labels >= 0) & ~self.stops)

    def decided(self, codon: int) -> bool:
        """Whether enough resamples agree on the codon's reading, in a text that is told from its controls."""
        label = int(self.solution.labels[codon])
        return label >= 0 and self.holds_a_code and float(self.support[codon, label]) >= self.least_support

    def letter(self, codon: int) -> str:
        """What is answered: an amino acid, ``*``, ``?`` for undecided, or ``-`` for one in no pair."""
        if self.stops[codon]:
            return "*"
        if self.solution.labels[codon] < 0:
            return "-"
        return AMINO_LETTERS[self.solution.labels[codon]] if self.decided(codon) else "?"

    @property
    def holds_a_code(self) -> bool:
        """The evidence is above that of every control by LEAST_MARGIN; true where none was asked for."""
        margin = self.margin
        return margin is None or margin >= LEAST_MARGIN

    @property
    def margin(self) -> float | None:
        """How far the evidence is above the best control, in its standard deviations."""
        if not self.controls:
            return None
        return (self.value - max(control.value for control in self.controls)) / max(self.spread, 1e-12)


def decipher(
    sources: Sources,
    settings: DecipherSettings,
    codes: Sequence[GeneticCode],
    seed: int,
    tick: Callable[[], None] = lambda: None,
) -> Deciphered:
    """Find the code, ask how sure it is, rank the known codes, and read what holds none.

    Args:
        sources: the two texts.
        settings: of the search.
        codes: those to rank.
        seed: of everything that is drawn.
        tick: called before each piece of work; raises what ends it.

    Raises:
        InputError: if a text holds no pair, or only one record that does.
    """
    text = sources.genes.codons(settings.frame, settings.strand)
    schedule = Schedule(settings.chains, settings.sweeps)
    tick()
    counted = _count(text, sources.residues, settings, seed, "text")
    _refuse_few(counted)
    evidence = counted.evidence()
    solution = search(evidence, schedule, rng(seed, "decipher", "search"))
    tally = np.bincount(text.tokens[text.tokens >= 0], minlength=CODONS)
    knows = sources.genes.knows_last and (settings.frame, settings.strand) == (0, "+")
    stops = find_stops(tally, sources.genes.last, known=knows)
    drawn = list(_resamples(counted, settings, seed))
    found = []
    for number, draw in enumerate(drawn):
        tick()
        again = search(draw, _shorter(schedule), rng(seed, "decipher", "again", number), solution.labels)
        found.append(again.labels)
    votes = np.stack(found)[:, :, None] == np.arange(AMINO)
    return Deciphered(
        sources,
        solution,
        scores(evidence, solution.labels),
        votes.mean(axis=0),
        tally,
        stops,
        1e3 * solution.value / evidence.pairs,
        _spread(counted, settings, solution, seed),
        int((sources.residues.tokens >= 0).sum()),
        rank(codes, evidence, drawn, stop_log_odds(tally, sources.genes.last, known=knows), stops),
        tuple(_controls(sources, settings, schedule, seed, tick)),
        settings.support,
        settings.chains,
    )


def _shorter(schedule: Schedule) -> Schedule:
    """A resample begins with the solution as well, so half of the work does."""
    return Schedule(
        max(1, schedule.chains // 2), max(2, schedule.sweeps // 2), schedule.hot / 2, schedule.cold
    )


def _count(codons: Text, residues: Text, settings: DecipherSettings, seed: int, name: str) -> Counted:
    """Count both texts. Raises InputError if one holds no pair."""
    near = [
        _pairs(text, size, range(settings.nearest, settings.farthest + 1), "nearest", (seed, name))
        for text, size in ((codons, CODONS), (residues, AMINO))
    ]
    far: list[Pairs | None] = [None, None]
    if settings.background is not None:
        beyond = range(settings.background, 2 * settings.background + 16, 2)
        far = [
            _pairs(text, size, beyond, "background", (seed, name)).pooled()
            for text, size in ((codons, CODONS), (residues, AMINO))
        ]
    return Counted(near[0], near[1], far[0], far[1], Weights(settings.pseudo, settings.composition))


def _pairs(text: Text, size: int, distances: range, key: str, drawn: tuple[int, str]) -> Pairs:
    """Count one text. Raises InputError, with the setting that asks too much, if it holds no pair."""
    pairs = count_pairs(text, size, distances, rng(drawn[0], "decipher", drawn[1], size))
    if not len(pairs.held):
        raise InputError(
            f"no {'gene' if size == CODONS else 'protein'} is long enough for pairs "
            f"{distances[0]} to {distances[-1]} apart",
            where=f"mrr-compare.decipher.{key}",
            fix="lower it" if key == "nearest" else "lower it, or set it to null",
        )
    return pairs


def _refuse_few(counted: Counted) -> None:
    """Raises InputError where a text has too few records to be drawn anew: nothing could be doubted."""
    for pairs, what in ((counted.codons, "gene"), (counted.residues, "protein")):
        if len(pairs.held) < LEAST_RECORDS:
            raise InputError(
                f"only one {what} is long enough to be read, and resamples need {LEAST_RECORDS}",
                fix=f"give more {what}s",
            )


def _resamples(counted: Counted, settings: DecipherSettings, seed: int) -> Iterator[Evidence]:
    """Genes and proteins drawn anew with replacement, distances weighted anew (Rubin 1981).

    Distances too, because what is wrong with a count is seldom chance: it is another dependence between
    neighbours than the amino acids', and that changes with the distance.
    """
    k = len(counted.codons.distances)
    for number in range(settings.bootstrap):
        generator = rng(seed, "decipher", "resample", number)
        genes, proteins = counted.codons.drawn(generator), counted.residues.drawn(generator)
        yield counted.evidence(genes, proteins, k * generator.dirichlet(np.ones(k)))


def _spread(counted: Counted, settings: DecipherSettings, solution: Solution, seed: int) -> float:
    """Standard deviation of the solution's evidence, nats per thousand pairs, over genes and proteins."""
    values = []
    for number in range(settings.bootstrap):
        generator = rng(seed, "decipher", "spread", number)
        draw = counted.evidence(counted.codons.drawn(generator), counted.residues.drawn(generator))
        values.append(1e3 * float(draw.value(solution.labels[None])[0]) / draw.pairs)
    return float(np.std(values, ddof=1))


def reading_name(frame: int, strand: str) -> str:
    """``frame 0``, ``frame +1``, ``reverse strand, frame +2``."""
    name = "frame 0" if frame == 0 else f"frame +{frame}"
    return name if strand == "+" else f"reverse strand, {name}"


def _controls(
    sources: Sources, settings: DecipherSettings, schedule: Schedule, seed: int, tick: Callable[[], None]
) -> Iterator[Control]:
    if not settings.controls:
        return
    texts = [
        (reading_name(frame, strand), sources.genes.codons(frame, strand), sources.residues)
        for frame, strand in READINGS
        if (frame, strand) != (settings.frame, settings.strand)
    ]
    own = sources.genes.codons(settings.frame, settings.strand)
    texts.append((SHUFFLED, own, sources.residues.shuffled(rng(seed, "decipher", "shuffled"))))
    for name, codons, residues in texts:
        tick()
        evidence = _count(codons, residues, settings, seed, name).evidence()
        solution = search(evidence, schedule, rng(seed, "decipher", "control search", name))
        yield Control(name, 1e3 * solution.value / evidence.pairs)


def codes_to_rank(chosen: str | Sequence[int]) -> tuple[GeneticCode, ...]:
    """The codes that the settings name, or all of NCBI's."""
    return all_codes() if isinstance(chosen, str) else tuple(genetic_code(table) for table in chosen)
