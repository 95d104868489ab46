"""The count of what became of every record and every symbol, so that nothing is dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genomecli.accounts import balance


@dataclass
class Count:
    """Records, and the symbols (bases or residues) that it concerns in them."""

    records: int = 0
    symbols: int = 0

    def add(self, records: int, symbols: int) -> None:
        """Count more."""
        self.records += records
        self.symbols += symbols


@dataclass
class Tally:
    """What became of the records of one molecule.

    Attributes:
        read: what came in.
        kept: source records of which something is in the corpus, and their symbols there.
        dropped: by reason, records of which nothing is left.
        cut: by reason, kept records of which something was cut out, and the symbols cut.
        changed: by reason, kept records in which symbols are read as others, or hidden.
        seen: by reason, records worth a word that were left as they are.
        pieces: rows in the corpus; more than kept records where records were cut in pieces.
    """

    read: Count = field(default_factory=Count)
    kept: Count = field(default_factory=Count)
    dropped: dict[str, Count] = field(default_factory=dict)
    cut: dict[str, Count] = field(default_factory=dict)
    changed: dict[str, Count] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    pieces: int = 0

    def note(self, what: str, reason: str, symbols: int, records: int = 1) -> None:
        """Count ``records`` under ``dropped``, ``cut`` or ``changed``."""
        getattr(self, what).setdefault(reason, Count()).add(records, symbols)

    def keep(self, cut: Mapping[str, int], changed: Mapping[str, int], symbols: int, pieces: int) -> None:
        """Count one kept record: symbols cut and changed in it by reason, its symbols left, and its rows."""
        for what, counts in (("cut", cut), ("changed", changed)):
            for reason, count in counts.items():
                if count:
                    self.note(what, reason, count)
        self.kept.add(1, symbols)
        self.pieces += pieces

    def check(self, where: str) -> None:
        """Raise RunError unless all that came in is either kept, cut or dropped."""
        dropped = sum(count.records for count in self.dropped.values())
        lost = sum(c.symbols for table in (self.dropped, self.cut) for c in table.values())
        balance("records", self.read.records, {"kept": self.kept.records, "dropped": dropped}, where=where)
        went = {"kept": self.kept.symbols, "cut or dropped": lost}
        balance("symbols", self.read.symbols, went, where=where)

    def merge(self, other: Tally) -> None:
        """Add another count to this one."""
        self.read.add(other.read.records, other.read.symbols)
        self.kept.add(other.kept.records, other.kept.symbols)
        for what in ("dropped", "cut", "changed"):
            for reason, count in getattr(other, what).items():
                self.note(what, reason, count.symbols, count.records)
        self.seen.update(other.seen)
        self.pieces += other.pieces

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        tables = {
            what: {reason: vars(count) for reason, count in sorted(getattr(self, what).items())}
            for what in ("dropped", "cut", "changed")
        }
        whole = {"read": vars(self.read), "kept": vars(self.kept), "pieces": self.pieces}
        return {**whole, **tables, "seen": dict(sorted(self.seen.items()))}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Tally:
        """The inverse of :meth:`to_dict`."""
        tables = {
            what: {reason: Count(**count) for reason, count in values[what].items()}
            for what in ("dropped", "cut", "changed")
        }
        return cls(
            Count(**values["read"]),
            Count(**values["kept"]),
            **tables,
            seen=Counter(values["seen"]),
            pieces=values["pieces"],
        )
