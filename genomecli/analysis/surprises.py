"""The table of surprises: codon by codon, what the vectors say against what the species' code says.

Legend: n codons, A amino acids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.class_similarity import class_ranks
from genomecli.analysis.codes_ranking import CodeRanking, CodonEvidence
from genomecli.analysis.gold import CodonGold


@dataclass(frozen=True)
class Surprise:
    """One codon.

    Args:
        codon: the codon.
        amino: its amino acid under the species' code.
        rank: rank of that amino acid among all, ties at mean rank; NaN where it cannot be ranked (a codon
            without synonyms, from DNA alone).
        nearest: the nearest amino acids, best first, with their similarities.
        other: the reading of another NCBI code that explains the codon better, empty if there is none.
        tables: the codes that read it so.
        margin: log odds of the other reading less those of the species' own; 0 if there is none.
        clear: every code that is not clearly beaten reads it so; otherwise the other reading is a hint alone.
    """

    codon: str
    amino: str
    rank: float
    nearest: tuple[tuple[str, float], ...]
    other: str = ""
    tables: tuple[int, ...] = ()
    margin: float = 0.0
    clear: bool = False


def surprises(
    similarity: ArrayLike, gold: CodonGold, ranking: CodeRanking | None = None, *, nearest: int = 3
) -> tuple[Surprise, ...]:
    """One entry a codon, the most surprising first: by rank, then by margin of another reading.

    Args:
        similarity: [n, A] codon by amino acid: held-out cosine of the headline
            (:func:`~genomecli.analysis.held_out.leave_one_amino_acid_out`), or, from DNA alone,
            :func:`~genomecli.analysis.class_similarity.codon_class_similarity`; -inf is no candidate.
        gold: the species' code.
        ranking: the codes ranked on the same vectors, to name readings that explain a codon better.
        nearest: amino acids named.
    """
    table = np.asarray(similarity, dtype=np.float64)
    ranks = class_ranks(table, gold).ranks
    evidence = {entry.codon: entry for entry in ranking.evidence} if ranking else {}
    plain = [
        Surprise(text, letter, float(rank), _nearest(line, gold.letters, nearest))
        for text, letter, rank, line in zip(gold.texts, gold.amino, ranks, table, strict=True)
    ]
    entries = [_explained(found, ranking, evidence.get(found.codon)) for found in plain]
    return tuple(sorted(entries, key=lambda found: (-np.nan_to_num(found.rank), -found.margin, found.codon)))


def _nearest(line: np.ndarray, letters: str, count: int) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-line, kind="stable")[:count]
    return tuple((letters[row], float(line[row])) for row in order if np.isfinite(line[row]))


def _explained(found: Surprise, ranking: CodeRanking | None, evidence: CodonEvidence | None) -> Surprise:
    """The entry with the reading of another code that explains the codon better, if there is one."""
    if ranking is None or evidence is None or found.amino not in evidence.scores:
        return found
    other = evidence.best
    margin = evidence.scores[other] - evidence.scores[found.amino]
    if other == found.amino or margin <= 0:
        return found
    clear = ranking.possible(found.codon) == {other}
    return replace(found, other=other, tables=evidence.tables[other], margin=margin, clear=clear)
