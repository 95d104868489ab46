"""What pieces of work of ``score`` leave: lines of the output, and counts of what became of each variant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from genomecli.accounts import balance
from genomecli.exchange.score_table import Kind
from genomecli.inference.marginals import Score
from genomecli.inference.workload import Work

REASON = "reason: "
"""Before the reason in the name of a count."""

NOTE = "note: "
"""Before a sentence, without its number, in the name of a count of something else than what is scored."""


@dataclass(frozen=True)
class Done:
    """What a piece of work leaves.

    Args:
        text: lines of the output.
        left_out: lines about what has no score, where the output has no place for them.
        counts: to be added up.
    """

    text: bytes
    left_out: bytes
    counts: Counter[str]


class ScoreInput(Protocol):
    """Something that is scored: variants, mutations, or sequences to scan."""

    noun: str
    columns: tuple[tuple[str, Kind], ...]
    unscored: tuple[tuple[str, Kind], ...]
    """Columns of the lines about what has no score."""
    lines: str
    """What these lines are about."""
    header: bytes
    files: list[dict[str, object]]

    def works(self, skip: int) -> Iterator[Work[Done]]:
        """Pieces of work in order, the first ``skip`` left out; sets ``files`` at its end."""
        ...


def counted(scores: Sequence[Score]) -> Counter[str]:
    """How many there are, how many have a score, and how many have none, by reason."""
    counts = Counter({"in": len(scores), "scored": sum(score.value is not None for score in scores)})
    counts.update(f"{REASON}{score.reason}" for score in scores if score.value is None)
    return counts


def notes(counts: Mapping[str, int]) -> list[str]:
    """Sentences on what was counted besides."""
    return [f"{n} {name.removeprefix(NOTE)}" for name, n in sorted(counts.items()) if name.startswith(NOTE)]


def account(noun: str, counts: Mapping[str, int]) -> str:
    """One sentence in which what came in is what went out and what did not.

    Args:
        noun: what was counted.
        counts: ``in``, ``scored`` and reasons, as :func:`counted` names them.

    Raises:
        RunError: if they do not add up.
    """
    reasons = {name.removeprefix(REASON): n for name, n in counts.items() if name.startswith(REASON)}
    missing = sum(reasons.values())
    balance(noun, counts.get("in", 0), {"scored": counts.get("scored", 0), "without a score": missing})
    said = f"{counts.get('in', 0)} {noun} in, {counts.get('scored', 0)} scored, {missing} without a score"
    listed = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))
    return f"{said} ({listed})" if listed else said
