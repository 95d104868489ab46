"""Replicates of a run: the headline's figures over seeds, with Student's t interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from genomecli.analysis.comparison import Comparison
from genomecli.analysis.headline import Headline
from genomecli.analysis.rows import CODON_TO_AMINO, CODON_TO_SYNONYM, LEAVE_AMINO, UNTOLD_LEFT_OUT, row
from genomecli.analysis.statistics import seeds_interval
from genomecli.analysis.tidy import Measure

SEED_STATISTIC = "mrr_over_seeds"


def seed_rows(result: Comparison) -> list[Measure]:
    """Rows ``mrr_over_seeds`` of every group of replicates; none without replicates."""
    groups: dict[tuple[str, str], list[Headline]] = {}
    for head in result.headlines:
        group = result.card(head.place.run).group
        groups.setdefault((group, head.place.species), []).append(head)
    found: list[Measure] = []
    for (group, _), heads in sorted(groups.items()):
        if len(heads) > 1:
            found += _rows(group, heads)
    return found


def _rows(group: str, heads: Sequence[Headline]) -> list[Measure]:
    place = replace(heads[0].place, run=group, seed=-1)
    endpoints = (
        (CODON_TO_AMINO, "procrustes", LEAVE_AMINO, [head.left_out for head in heads]),
        (CODON_TO_AMINO, "procrustes", UNTOLD_LEFT_OUT, [head.untold for head in heads]),
        (CODON_TO_SYNONYM, "centred", "all", [head.synonyms for head in heads]),
    )
    found = []
    for direction, similarity, scope, measures in endpoints:
        values = [m.value for m in measures if m is not None and m.value is not None]
        if len(values) < 2:
            continue
        interval = seeds_interval(values)
        found.append(
            row(
                place,
                direction,
                similarity,
                interval.value,
                scope=scope,
                statistic=SEED_STATISTIC,
                interval=interval,
                n=len(values),
                note=f"{len(values)} seeds",
            )
        )
    return found
