"""Surprise: how little the model expects each symbol of a sequence, given all the others around it.

The surprise of a symbol is -log p(symbol | all other symbols of the window). With single bases or residues p
is the model's own; where a token holds several symbols it is the probability of the token among those that
differ from it at this symbol alone, averaged (in logs) over the tokens that hold the symbol, over frames, and
over strands.

A share of the units (see ``score_windows``) is hidden at a time: the sequence is read ``passes`` times (times
the tokens of a unit), each time with other units hidden, which is how the model was trained. Windows overlap
by half; each unit is read in the middle half of one.

Shapes: n symbols of a segment, M pairs of a token and one of its symbols, B letters of the alphabet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.tokenizers import Tokenizer
from genomecli.corpus.vocabulary import MASK
from genomecli.inference.decoding import NONE, Doubles, Ints, Query
from genomecli.inference.items import Item, Strand
from genomecli.inference.workload import Work
from genomecli.sequences.variants import OtherStrand, SequenceView

SEGMENT = 1 << 14
"""Symbols of a sequence that are one piece of work."""


def segment_count(sequence: SequenceView) -> int:
    """Pieces of work of a sequence."""
    return -(-sequence.length // SEGMENT)


@dataclass(frozen=True, eq=False)
class Surprise:
    """Surprise along a stretch of a sequence.

    Args:
        start: its first symbol.
        values: float64[n], natural logarithms; NaN where a symbol is ambiguous or in no token.
        forward: float64[n], of the strand as written.
        reverse: float64[n], of the other strand.
    """

    start: int
    values: Doubles
    forward: Doubles
    reverse: Doubles

    def longer(self, symbols: int) -> Surprise:
        """The same with so many symbols without a value behind it."""
        none = np.full(symbols, np.nan)
        columns = (np.concatenate([one, none]) for one in (self.values, self.forward, self.reverse))
        return Surprise(self.start, *columns)


@dataclass(frozen=True)
class Scan:
    """How sequences of one language are scanned.

    Args:
        tokenizer: of the language.
        language: its index.
        window: most tokens that the model reads at once.
        strands: that are read.
        frames: symbols left out at the start of the strand; each is read.
        passes: one of this many units is hidden at a time; 0 hides nothing and reads the sequence once.
    """

    tokenizer: Tokenizer
    language: int
    window: int
    strands: tuple[Strand, ...] = ("+",)
    frames: tuple[int, ...] = (0,)
    passes: int = 8

    def segments(self, sequence: SequenceView, name: str = "", skip: int = 0) -> Iterator[Work[Surprise]]:
        """The sequence as pieces of work, in order.

        Args:
            sequence: as written.
            name: for messages.
            skip: pieces at the start to leave out.
        """
        for start in range(skip * SEGMENT, sequence.length, SEGMENT):
            yield self._segment(sequence, start, min(start + SEGMENT, sequence.length), name)

    def _segment(self, sequence: SequenceView, start: int, stop: int, name: str) -> Work[Surprise]:
        queries: list[Query] = []
        sums: list[tuple[Strand, Callable[[Sequence[Doubles]], tuple[Doubles, Ints]], int]] = []
        for strand in self.strands:
            view, low, high = sequence, start, stop
            if strand == "-":
                view = OtherStrand(sequence, self.tokenizer.alphabet)
                low, high = sequence.length - stop, sequence.length - start
            for frame in self.frames:
                asked = list(self._blocks(view, frame, low, high, name))
                queries += [query for query, _ in asked]
                sums.append((strand, _adder([symbols for _, symbols in asked], high - low), len(asked)))

        def finish(answers: Sequence[Doubles]) -> Surprise:
            totals = {strand: (np.zeros(stop - start), np.zeros(stop - start, np.int64)) for strand in "+-"}
            at = 0
            for strand, add, count in sums:
                total, times = add(answers[at : at + count])
                at += count
                step = 1 if strand == "+" else -1
                totals[strand][0][:] += total[::step]
                totals[strand][1][:] += times[::step]
            forward, reverse = (_mean(*totals[strand]) for strand in "+-")
            return Surprise(start, _both(forward, reverse), forward, reverse)

        return Work(queries, finish)

    def _blocks(
        self, view: SequenceView, frame: int, low: int, high: int, name: str
    ) -> Iterator[tuple[Query, Ints]]:
        """Queries for the symbols from ``low`` to ``high``, and the places (from ``low``) of each one's."""
        tokenizer = self.tokenizer
        total = tokenizer.count(view.length, frame)
        if total < 1:
            return
        size, stride = min(self.window, total), tokenizer.stride
        block = max(1, size // 2) if size < total else total + tokenizer.span
        last = min(-(-(high - frame) // stride), total + tokenizer.span - 1)
        for unit in range(max(0, (low - frame) // stride), last, block):
            end = min(unit + block, last)
            first = min(max(unit - (size - block) // 2, 0), total - size)
            start = frame + first * stride
            tokens = tokenizer.encode(view.fetch(start, start + tokenizer.symbols(size)))
            pairs = _Pairs.of(tokenizer, len(tokens))
            inside = pairs.within(unit - first, end - first, low - start, high - start)
            inside = inside.take(tokens[inside.token] >= tokenizer.start)
            for chosen in self._turns(inside, first):
                if len(chosen.token):
                    seen = tokens.copy()
                    if self.passes:
                        seen[pairs.sharing(chosen)] = MASK
                    places, ids = _asked(tokenizer, tokens[chosen.token].astype(np.int64), chosen)
                    yield (
                        Query(Item(name, seen, self.language), places, ids),
                        chosen.symbol + start - low,
                    )

    def _turns(self, pairs: _Pairs, first: int) -> Iterator[_Pairs]:
        if not self.passes:
            yield pairs
            return
        turns = self.passes * self.tokenizer.span
        for turn in range(turns):
            yield pairs.take((pairs.unit + first) % turns == turn)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Tokens of a window and the symbols they hold.

    Args:
        token: int64[M].
        offset: int64[M], of the symbol in the token.
        symbol: int64[M], of the window.
        unit: int64[M], of the symbol, numbered within the window.
    """

    token: Ints
    offset: Ints
    symbol: Ints
    unit: Ints

    @classmethod
    def of(cls, tokenizer: Tokenizer, tokens: int) -> _Pairs:
        token = np.repeat(np.arange(tokens), tokenizer.k)
        offset = np.tile(np.arange(tokenizer.k), tokens)
        symbol = token * tokenizer.stride + offset
        return cls(token, offset, symbol, symbol // tokenizer.stride)

    def take(self, chosen: NDArray[np.bool_]) -> _Pairs:
        return _Pairs(self.token[chosen], self.offset[chosen], self.symbol[chosen], self.unit[chosen])

    def within(self, unit: int, end: int, low: int, high: int) -> _Pairs:
        units = (self.unit >= unit) & (self.unit < end)
        return self.take(units & (self.symbol >= low) & (self.symbol < high))

    def sharing(self, chosen: _Pairs) -> Ints:
        """Tokens that share a symbol with the units of ``chosen``."""
        return np.unique(self.token[np.isin(self.unit, chosen.unit)])


def _asked(tokenizer: Tokenizer, ids: Ints, pairs: _Pairs) -> tuple[Ints, Ints]:
    """Places and ids of a query: of each pair its token, then (k above 1) all that differ at the symbol."""
    if tokenizer.k == 1:
        return pairs.token, ids[:, None]
    base = len(tokenizer.letters)
    power = base ** (tokenizer.k - 1 - pairs.offset)
    index = ids - tokenizer.start
    others = index - index // power % base * power
    among = tokenizer.start + others[:, None] + np.arange(base)[None] * power[:, None]
    own = np.pad(ids[:, None], ((0, 0), (0, base - 1)), constant_values=NONE)
    return np.concatenate([pairs.token, pairs.token]), np.concatenate([own, among])


def _adder(symbols: Sequence[Ints], length: int) -> Callable[[Sequence[Doubles]], tuple[Doubles, Ints]]:
    """What adds answers up by symbol: sums float64[length] and how many were added."""

    def add(answers: Sequence[Doubles]) -> tuple[Doubles, Ints]:
        total, times = np.zeros(length), np.zeros(length, dtype=np.int64)
        for where, found in zip(symbols, answers, strict=True):
            among = found[len(where) :]
            np.add.at(total, where, found[: len(where)] - (among if len(among) else 0.0))
            np.add.at(times, where, 1)
        return total, times

    return add


def _mean(total: Doubles, times: Ints) -> Doubles:
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Doubles = np.where(times > 0, -total / times, np.nan)
    return mean


def _both(forward: Doubles, reverse: Doubles) -> Doubles:
    both = np.where(np.isnan(forward), reverse, np.where(np.isnan(reverse), forward, (forward + reverse) / 2))
    return np.asarray(both, dtype=np.float64) + 0.0
