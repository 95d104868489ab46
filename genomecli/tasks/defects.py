"""Rows that cannot be used: collected while reading, then refused together or dropped and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import InputError
from genomecli.tasks.examples import Ints

OTHERWISE = "set data.invalid to drop"
"""What ``finetune`` offers besides correcting the rows."""


class Dropped(NamedTuple):
    """A row that was left out: where it stands, its id, and why."""

    place: str
    id: str
    reason: str


class Defect(NamedTuple):
    """One row that cannot be used.

    Args:
        row: its number.
        reason: of all rows with the same defect, such as ``empty sequence``.
        what: of this one row.
        fix: what to do.
    """

    row: int
    reason: str
    what: str
    fix: str


@dataclass
class Defects:
    """Collects rows that cannot be used.

    Args:
        policy: ``error`` stops at the end of the reading with the first row and all counts; ``drop``
            leaves the rows out.
        otherwise: what can be done, where ``fix`` of a defect says :data:`OTHERWISE`.
    """

    policy: Literal["error", "drop"] = "error"
    otherwise: str = OTHERWISE
    found: list[Defect] = field(default_factory=list)
    left_out: dict[int, str] = field(default_factory=dict)
    _rows: set[int] = field(default_factory=set)

    def add(self, row: int, reason: str, what: str, fix: str) -> None:
        """A row that the policy decides on."""
        self.found.append(Defect(row, reason, what, fix))
        self._rows.add(row)

    def leave_out(self, row: int, reason: str) -> None:
        """A row that is left out in any case, by a setting."""
        self.left_out.setdefault(row, reason)
        self._rows.add(row)

    def __contains__(self, row: int) -> bool:
        return row in self._rows

    def settle(self, places: Sequence[str], ids: Sequence[str]) -> tuple[Ints, tuple[Dropped, ...]]:
        """The rows that stay, int64[m], and those dropped, in order.

        Raises:
            InputError: for the first defect, with the counts of all, under the policy ``error``.
        """
        if self.found and self.policy == "error":
            raise self._error(places)
        reasons = {defect.row: defect.reason for defect in reversed(self.found)} | self.left_out
        stays: NDArray[np.bool_] = np.ones(len(ids), dtype=bool)
        stays[list(reasons)] = False
        dropped = tuple(Dropped(places[row], ids[row], reasons[row]) for row in sorted(reasons))
        return np.flatnonzero(stays), dropped

    def _error(self, places: Sequence[str]) -> InputError:
        first = min(self.found, key=lambda defect: defect.row)
        counts = Counter(reason for _, reason in {(d.row, d.reason) for d in self.found})
        said = first.what
        rows = len({defect.row for defect in self.found})
        if len(counts) > 1:
            shown = ", ".join(f"{reason}: {count}" for reason, count in counts.most_common())
            said += f" ({rows} rows cannot be used; {shown})"
        elif rows > 1:
            said += f" ({rows} such rows)"
        return InputError(said, where=places[first.row], fix=first.fix.replace(OTHERWISE, self.otherwise))
