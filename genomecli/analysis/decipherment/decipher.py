"""The code of a genome from genes and proteins that nobody paired: search, resamples, codes, controls.

Legend: B draws, K distances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.decipherment.counted import (
    Counted,
    background_of,
    count_texts,
    evidence_of,
    reach_far,
    refuse_few,
)
from genomecli.analysis.decipherment.evidence import AMINO, Evidence
from genomecli.analysis.decipherment.genes import READINGS, reading_name
from genomecli.analysis.decipherment.grammar import Grammar, grammar
from genomecli.analysis.decipherment.pairs import Text
from genomecli.analysis.decipherment.ranking import RankedCode, rank
from genomecli.analysis.decipherment.search import Schedule, Solution, scores, search
from genomecli.analysis.decipherment.sources import Sources
from genomecli.analysis.decipherment.stops import Ends, count_ends
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.runtime import rng
from genomecli.sequences.codes import GeneticCode, all_codes, genetic_code

if TYPE_CHECKING:
    from genomecli.analysis.settings import DecipherSettings

Resampling = Literal["records", "composition"]
"""What a resample draws anew: records with replacement, or uneven weights of groups alike in composition."""

SHUFFLED = "proteins shuffled within themselves"

REDRAWN = "windows of a redrawn genome"

CONCENTRATION = 0.5
"""Of the weights that shift the composition: twice as uneven as those of a Bayesian bootstrap, 1."""

LEAST_MARGIN = 2.0
"""Standard deviations by which the evidence must exceed that of every control, or no codon is decided."""


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
        stop_support: float64[64], share of the resamples in which each codon ends genes.
        value: evidence of the solution, nats per thousand pairs.
        spread: standard deviation of that over genes and proteins drawn with replacement, all distances kept;
            so too where the resamples shift the composition.
        residue_count: residues of the other text.
        codes: NCBI's codes, best first.
        controls: other readings, and shuffled proteins; empty where not asked for.
        background: codons from which pairs were taken off as background; None where none was.
        grammar: codons and amino acids as vectors of one space, as the solution has it.
        least_support: share of the resamples from which a codon is decided.
        chains: searches that were made.
        resampling: what the resamples drew anew.
    """

    sources: Sources
    solution: Solution
    scores: Floats
    support: Floats
    counts: Integers
    stops: Booleans
    stop_support: Floats
    value: float
    spread: float
    residue_count: int
    codes: tuple[RankedCode, ...]
    controls: tuple[Control, ...]
    background: int | None
    grammar: Grammar
    least_support: float
    chains: int
    resampling: Resampling

    @property
    def asked(self) -> Integers:
        """int64[n]: codons that were seen in a pair inside genes and are no stops, by index."""
        return np.flatnonzero((self.solution.labels >= 0) & ~self.stops)

    def decided(self, codon: int) -> bool:
        """Whether enough resamples agree on the codon's reading, in texts that hold a code."""
        label = int(self.solution.labels[codon])
        return label >= 0 and self.holds_a_code and float(self.support[codon, label]) >= self.least_support

    def letter(self, codon: int) -> str:
        """What is answered: an amino acid, ``*``, ``?`` for undecided, or ``-`` for one in no pair."""
        if self.stops[codon]:
            return "*" if self.stop_support[codon] >= self.least_support else "?"
        if self.solution.labels[codon] < 0:
            return "-"
        return AMINO_LETTERS[self.solution.labels[codon]] if self.decided(codon) else "?"

    @property
    def holds_a_code(self) -> bool:
        """The evidence is above 0, and above that of every control by LEAST_MARGIN where they were asked for.

        Codons that all read as nothing have evidence 0: what is not above explains the texts no better.
        """
        margin = self.margin
        return self.value > 0 and (margin is None or margin >= LEAST_MARGIN)

    @property
    def margin(self) -> float | None:
        """How far the evidence is above the best control, in standard deviations (``spread``)."""
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
    counted = count_texts(text, sources.residues, settings, seed, "text")
    refuse_few(counted)
    evidence = counted.evidence()
    solution = search(evidence, schedule, rng(seed, "decipher", "search"))
    resampling = resampling_of(sources, settings)
    ends, drawn = _resampled(text, sources, settings, seed, counted, resampling)
    readings = []
    for number, (draw, _) in enumerate(drawn):
        tick()
        again = search(draw, _shorter(schedule), rng(seed, "decipher", "again", number), solution.labels)
        readings.append(again.labels)
    return Deciphered(
        sources=sources,
        solution=solution,
        scores=scores(evidence, solution.labels),
        support=(np.stack(readings)[:, :, None] == np.arange(AMINO)).mean(axis=0),
        counts=ends.inside.sum(axis=0).astype(np.int64),
        stops=ends.stops(),
        stop_support=np.mean([again.stops() for _, again in drawn], axis=0),
        value=1e3 * solution.value / evidence.pairs,
        spread=_spread(counted, settings, solution, seed),
        residue_count=int((sources.residues.tokens >= 0).sum()),
        codes=rank(
            codes,
            evidence,
            [draw for draw, _ in drawn],
            ends.log_odds(),
            ends.stops(),
            np.array([again.log_odds() for _, again in drawn]),
        ),
        controls=tuple(_controls(sources, settings, seed, tick)),
        background=background_of(settings, sources.residues),
        grammar=grammar(evidence, solution.labels, settings.pseudo),
        least_support=settings.support,
        chains=settings.chains,
        resampling=resampling,
    )


def _shorter(schedule: Schedule) -> Schedule:
    """A resample begins with the solution as well, so half of the work does."""
    return Schedule(
        max(1, schedule.chains // 2), max(2, schedule.sweeps // 2), schedule.hot / 2, schedule.cold
    )


def resampling_of(sources: Sources, settings: DecipherSettings) -> Resampling:
    """What resamples draw anew: as asked, or the composition of both texts where they are of two species.

    The composition of a peptide is little but chance, so groups of them would be alike in that.
    """
    if settings.resample != "auto":
        return settings.resample
    foreign = sources.codons != sources.proteins
    return "composition" if foreign and reach_far(sources.residues, settings.nearest) else "records"


def _resampled(
    text: Text,
    sources: Sources,
    settings: DecipherSettings,
    seed: int,
    counted: Counted,
    resampling: Resampling,
) -> tuple[Ends, list[tuple[Evidence, Ends]]]:
    """What ends genes in all of them, and evidence and ends of each resample; ``counted`` is by chance."""
    groups = counted
    if resampling == "composition":
        groups = count_texts(text, sources.residues, settings, seed, "text", alike=True)
    knows = sources.genes.knows_last and (settings.frame, settings.strand) == (0, "+")
    ends = count_ends(
        text, sources.genes.ends, groups.codons.group_of, known=knows, exact=sources.genes.exact
    )
    return ends, list(_resamples(groups, ends, settings, seed, resampling))


def _resamples(
    counted: Counted, ends: Ends, settings: DecipherSettings, seed: int, resampling: Resampling
) -> Iterator[tuple[Evidence, Ends]]:
    """Genes and proteins drawn anew with replacement, distances weighted anew (Rubin 1981).

    Where the groups are alike in composition, they are weighted unevenly instead.

    Distances too, because what is wrong with a count is seldom chance: it is another dependence between
    neighbours than the amino acids', and that changes with the distance.
    """
    k = len(counted.codons.distances)
    for number in range(settings.bootstrap):
        generator = rng(seed, "decipher", "resample", number)
        genes, proteins = (
            pairs.shifted(generator, CONCENTRATION) if resampling == "composition" else pairs.drawn(generator)
            for pairs in (counted.codons, counted.residues)
        )
        share = k * generator.dirichlet(np.ones(k))
        yield counted.evidence(genes, proteins, share), ends.drawn(genes)


def _spread(counted: Counted, settings: DecipherSettings, solution: Solution, seed: int) -> float:
    """Standard deviation of the solution's evidence, nats per thousand pairs, over genes and proteins."""
    values = []
    for number in range(settings.bootstrap):
        generator = rng(seed, "decipher", "spread", number)
        draw = counted.evidence(counted.codons.drawn(generator), counted.residues.drawn(generator))
        values.append(1e3 * float(draw.value(solution.labels[None])[0]) / draw.pairs)
    return float(np.std(values, ddof=1))


def _controls(
    sources: Sources, settings: DecipherSettings, seed: int, tick: Callable[[], None]
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
        yield Control(name, evidence_of(codons, residues, settings, seed, name))
    if sources.calling is not None and sources.calling.redrawn is not None:
        yield Control(REDRAWN, sources.calling.redrawn)


def codes_to_rank(chosen: str | Sequence[int]) -> tuple[GeneticCode, ...]:
    """The codes that the settings name, or all of NCBI's."""
    return all_codes() if isinstance(chosen, str) else tuple(genetic_code(table) for table in chosen)
