"""Contigs of a genome on their way into the corpus, in pieces: a chromosome is never held whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import numpy as np

from genomecli.corpus.policies import DroppedError, ambiguous, readable
from genomecli.corpus.settings import PolicySettings
from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA, Codes

Run = tuple[int, int, bool]
"""(start, stop, hit) of a stretch of symbols that are all ambiguous (hit) or all plain."""


class Sink(Protocol):
    """Where the symbols of one row go."""

    def write(self, symbols: Codes, soft: Codes | None) -> None:
        """Add symbols (uint8[n]) to the row that is being written."""

    def close_row(self, start: int, stop: int) -> None:
        """The row is finished; it was at ``start`` to ``stop`` of its record."""

    def cancel_row(self) -> None:
        """Forget what was written of the row."""


@dataclass
class ContigCounts:
    """What became of the symbols of one contig; ``kept`` are those in closed rows."""

    length: int = 0
    kept: int = 0
    rows: int = 0
    cut: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)


class ContigStream:
    """Takes one contig in pieces, cuts it at gaps, and passes rows of it to a sink.

    Args:
        sink: where rows go.
        policies: what to do with ambiguity, foreign symbols and short pieces.
        where: file and record, for errors.
    """

    def __init__(self, sink: Sink, policies: PolicySettings, where: str) -> None:
        self._sink = sink
        self._policies = policies
        self._where = where
        self._cut_from = {"split": 1, "mask": policies.gap}.get(policies.ambiguity, 0)
        self._reason = "ambiguity letters" if policies.ambiguity == "split" else "gap"
        self._soft_kept = policies.lower_case == "keep"
        self._held: list[tuple[Codes, Codes | None]] = []
        self._run = 0  # length of the ambiguous run at the end of what came, held or given up
        self._row: int | None = None
        self._written = 0
        self.counts = ContigCounts()

    def feed(self, symbols: Codes, soft: Codes | None, *, plain: bool = False) -> None:
        """Take the next symbols.

        Args:
            symbols: uint8[n].
            soft: their soft mask, uint8[n]; None where nothing is lower case.
            plain: they are known to be bases, none of them ambiguous or lower case.

        Raises:
            InputError: for letters that a policy calls an error.
            DroppedError: if a policy drops the record; what it has in the sink is then the caller's to undo.
        """
        counts = self.counts
        changed: dict[str, int] = {}
        place = f"{self._where}, from base {counts.length + 1}" if counts.length else self._where
        start, counts.length = counts.length, counts.length + len(symbols)
        if plain and len(symbols):
            self._take(symbols, None, start, hit=False)
            return
        symbols = readable(symbols, soft, DNA, self._policies, changed, place)
        for reason, count in changed.items():
            counts.changed[reason] = counts.changed.get(reason, 0) + count
        soft = soft if self._soft_kept else None
        for a, b, hit in self._runs(symbols, place):
            self._take(symbols[a:b], None if soft is None else soft[a:b], start + a, hit)

    def _runs(self, symbols: Codes, place: str) -> Iterator[Run]:
        if not len(symbols) or symbols.max() < DNA.canonical:
            if len(symbols):
                yield 0, len(symbols), False
            return
        found = ambiguous(symbols, DNA)
        self._judge(int(found.sum()), int(np.argmax(found)), place)
        if not self._cut_from:
            yield 0, len(symbols), False
            return
        edges = np.flatnonzero(np.diff(found)) + 1
        bounds = [0, *edges.tolist(), len(symbols)]
        hit = bool(found[0])
        for a, b in pairwise(bounds):
            yield a, b, hit
            hit = not hit

    def _judge(self, count: int, first: int, place: str) -> None:
        if self._policies.ambiguity == "error":
            raise InputError(
                f"{count} ambiguity letter{'s' * (count > 1)}, the first {first + 1} bases on",
                where=place,
                fix="set tokenize.policies.ambiguity to mask, split or skip",
            )
        if self._policies.ambiguity == "skip":
            raise DroppedError("ambiguity letters")
        if self._policies.ambiguity == "mask":
            self._hide(count)

    def _hide(self, count: int) -> None:
        changed = self.counts.changed
        changed["ambiguity letters hidden"] = changed.get("ambiguity letters hidden", 0) + count

    def _take(self, symbols: Codes, soft: Codes | None, start: int, hit: bool) -> None:
        if not hit:
            self._end_run()
            if self._row is None:
                self._row = start - self._pending()
            self._flush_held()
            self._write(symbols, soft)
            return
        self._run += len(symbols)
        if self._run < self._cut_from:
            self._held.append((symbols.copy(), None if soft is None else soft.copy()))
        else:
            self._held.clear()

    def _pending(self) -> int:
        return sum(len(symbols) for symbols, _ in self._held)

    def _end_run(self) -> None:
        """A run of ambiguity letters is over: a gap if it is long enough, otherwise part of the row."""
        run, self._run = self._run, 0
        if self._cut_from and run >= self._cut_from:
            self._close(self.counts.cut, run)

    def _close(self, cut: dict[str, int], run: int) -> None:
        cut[self._reason] = cut.get(self._reason, 0) + run
        if self._policies.ambiguity == "mask":
            self._hide(-run)
        self._close_row()

    def _flush_held(self) -> None:
        for symbols, soft in self._held:
            self._write(symbols, soft)
        self._held.clear()

    def _write(self, symbols: Codes, soft: Codes | None) -> None:
        self._sink.write(symbols, soft)
        self._written += len(symbols)

    def _close_row(self) -> None:
        if self._row is None:
            return
        start, self._row = self._row, None
        size, self._written = self._written, 0
        limits = self._policies.min_length.genome, self._policies.max_length.genome
        if size < limits[0] or (limits[1] is not None and size > limits[1]):
            reason = "too short" if size < limits[0] else "too long"
            self.counts.lost.add(reason)
            self.counts.cut[f"{reason} piece"] = self.counts.cut.get(f"{reason} piece", 0) + size
            self._sink.cancel_row()
            return
        self.counts.kept += size
        self.counts.rows += 1
        self._sink.close_row(start, start + size)

    def finish(self) -> ContigCounts:
        """The contig is over.

        Raises:
            DroppedError: if nothing of it is left.
        """
        if self._cut_from and self._run >= self._cut_from:
            self._end_run()
        elif self._held:
            self._row = self.counts.length - self._pending() if self._row is None else self._row
            self._flush_held()
        self._close_row()
        if self.counts.rows == 0:
            raise DroppedError(self._why_nothing())
        return self.counts

    def _why_nothing(self) -> str:
        if not self.counts.length:
            return "empty"
        return min(self.counts.lost) if self.counts.lost else "ambiguity letters only"
