"""NCBI's genetic codes by how well each explains the pairs, with the margin of the best.

Every code is one assignment; its evidence is that of the search, so codes are compared with each other and
with the best assignment of all. A codon that a code reads as a stop, but genes hold inside, is read as
nothing there; and that it stands inside counts against its being a stop.

Legend: B draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genomecli.analysis.arrays import Booleans, Floats, Integers
from genomecli.analysis.decipherment.evidence import CODONS, NOTHING, Evidence
from genomecli.analysis.decipherment.stops import code_stop_odds
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.statistics import Interval, percentiles
from genomecli.sequences.codes import GeneticCode

LEAST_SEEN = 0.0001
"""Share of the codons below which what a code says of one is not asked: a few selenocysteines, say."""


@dataclass(frozen=True)
class RankedCode:
    """Codes that read every codon at hand alike.

    Args:
        tables: NCBI's numbers.
        names: their names.
        sense: evidence of the pairs, nats.
        stops: log odds of its stops, nats.
        behind: how far it is behind the best in both together, with the interval of the resamples.
        ahead: share of the resamples in which the best is ahead of it.
        differs: codons that it reads otherwise than the best does; those that stop genes among them.
    """

    tables: tuple[int, ...]
    names: tuple[str, ...]
    sense: float
    stops: float
    behind: Interval
    ahead: float
    differs: tuple[int, ...]

    @property
    def total(self) -> float:
        """Evidence of sense and stops."""
        return self.sense + self.stops

    @property
    def possible(self) -> bool:
        """Not beaten in 95 % of the resamples."""
        return self.ahead < 0.95


def labels_of(code: GeneticCode, seen: Integers) -> Integers:
    """int64[64]: the code as an assignment of the codons that were seen; NOTHING for stops."""
    letters = np.array(
        [AMINO_LETTERS.index(letter) if letter != "*" else NOTHING for letter in code.amino], dtype=np.int64
    )
    found = np.full(CODONS, -1, dtype=np.int64)
    found[seen] = letters[seen]
    return found


def rank(
    codes: Sequence[GeneticCode],
    evidence: Evidence,
    draws: Sequence[Evidence],
    stop_odds: Floats,
    settled: Booleans,
    drawn_odds: Floats | None = None,
) -> tuple[RankedCode, ...]:
    """The codes, best first; ties by number.

    Args:
        codes: to rank.
        evidence: of all data.
        draws: of the resamples.
        stop_odds: float64[64], log odds that each codon is a stop.
        settled: bool[64], codons whose role the ends of genes tell; they say nothing as amino acids.
        drawn_odds: float64[B, 64], the log odds of the resamples; those of all data by default.
    """
    often = evidence.seen[(evidence.frequency[evidence.seen] >= LEAST_SEEN) & ~settled[evidence.seen]]
    groups: dict[tuple[bytes, float], list[GeneticCode]] = {}
    for code in sorted(codes, key=lambda code: code.table):
        stops = code_stop_odds(stop_odds, code.amino, tuple(code.dual))
        groups.setdefault((labels_of(code, often).tobytes(), round(stops, 6)), []).append(code)
    labels = np.array([_plain(np.frombuffer(key[0], dtype=np.int64), evidence.seen) for key in groups])
    stops_of = np.array([key[1] for key in groups])
    sense = evidence.value(labels)
    total = sense + stops_of
    members = list(groups.values())
    drawn = np.array([draw.value(labels) for draw in draws]).reshape(len(draws), len(labels))
    drawn += stops_of if drawn_odds is None else _stops_drawn(members, drawn_odds)
    halts = np.array([_halts(codes[0], stop_odds) for codes in members])
    order = sorted(range(len(members)), key=lambda i: (-round(total[i], 6), members[i][0].table))
    best = order[0]
    found = []
    for i in order:
        gaps = drawn[:, best] - drawn[:, i]
        found.append(
            RankedCode(
                tuple(code.table for code in members[i]),
                tuple(code.name for code in members[i]),
                *(float(sense[i]), float(stops_of[i])),
                percentiles(gaps, float(total[best] - total[i])),
                float((gaps > 0).mean()) if len(gaps) else 0.0,
                tuple(np.flatnonzero((labels[i] != labels[best]) | (halts[i] != halts[best])).tolist()),
            )
        )
    return tuple(found)


def _stops_drawn(members: Sequence[Sequence[GeneticCode]], odds: Floats) -> Floats:
    """float64[B, groups]: log odds of the stops of each group of codes in each resample, float64[B, 64]."""
    one = [codes[0] for codes in members]
    found = [[code_stop_odds(row, code.amino, tuple(code.dual)) for code in one] for row in odds]
    return np.array(found, dtype=np.float64).reshape(len(odds), len(one))


def _halts(code: GeneticCode, stop_odds: Floats) -> Booleans:
    """bool[64]: codons that the code reads as stops and nothing else, where the texts say anything of it."""
    found = np.array([letter == "*" for letter in code.amino], dtype=np.bool_)
    found[list(code.dual)] = False
    stops: Booleans = found & (stop_odds != 0)
    return stops


def _plain(labels: Integers, seen: Integers) -> Integers:
    """Codons that were seen, but too seldom to be asked, are read as nothing."""
    found = labels.copy()
    found[seen] = np.where(labels[seen] < 0, NOTHING, labels[seen])
    return found
