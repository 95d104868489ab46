"""What became of a source: files read, records by what happened to them, things to know."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field


@dataclass
class SourceReport:
    """What became of a source's records: complete once the reader is exhausted.

    Args:
        files: one row a file: path, bytes and sha256 (of the file on disk), compression, member.
        counts: records by what became of them, such as ``cds kept`` or ``cds skipped: pseudogene``.
        notes: things a user should know, such as a contradiction of genetic codes.
    """

    files: list[dict[str, object]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """As plain values, counts by name."""
        return {**asdict(self), "counts": dict(sorted(self.counts.items()))}
