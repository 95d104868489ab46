"""Pieces of work in order: what each asks of the model, and what is made of the answers.

Queries of many pieces go through the engine together, so that batches are full. Equal texts are read once,
whoever asks: all mutations of one place of a protein hide the same token.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Generic, TypeVar

import numpy as np

from genomecli.inference.decoding import NONE, Doubles, Ints, Query
from genomecli.inference.engine import Engine

Made = TypeVar("Made")

TOKENS = 1 << 17
"""Tokens of queries that are gathered before the model is asked, so that equal texts find each other."""


@dataclass(frozen=True)
class Work(Generic[Made]):
    """A piece of work.

    Args:
        queries: what it asks.
        finish: what it makes of the answers, in the order of the queries.
    """

    queries: Sequence[Query]
    finish: Callable[[Sequence[Doubles]], Made]


class Workload(Generic[Made]):
    """What is made of each piece of work, in order; each as soon as its answers are there.

    Args:
        engine: with the model.
        works: taken up as they are needed, a bounded number ahead.

    Attributes:
        left: pieces that can be made of what was computed, and were not given out yet.
    """

    def __init__(self, engine: Engine, works: Iterable[Work[Made]]) -> None:
        self._engine = engine
        self._works = works
        self.left = 0

    @property
    def begun(self) -> int:
        """Times that what was read ahead was computed."""
        return self._engine.begun

    def __iter__(self) -> Iterator[Made]:
        held: list[Work[Made]] = []
        tokens = 0
        for work in self._works:
            held.append(work)
            tokens += 64 + sum(len(query.item.tokens) for query in work.queries)
            if tokens >= TOKENS:
                yield from self._finished(held)
                held, tokens = [], 0
        yield from self._finished(held)

    def _finished(self, works: Sequence[Work[Made]]) -> Iterator[Made]:
        answers = _Answers(self._engine, [query for work in works for query in work.queries])
        ends = [*accumulate(len(work.queries) for work in works)]
        needed = [answers.texts_for(end) for end in ends]
        for place, work in enumerate(works):
            made = work.finish(answers.take(len(work.queries)))
            # Texts come in the order in which they are first asked about, so what is needed never falls.
            self.left = bisect_right(needed, answers.computed) - place - 1
            yield made


@dataclass
class _Text:
    """A text that is read once, and all that is asked about it."""

    query: Query
    places: list[Ints] = field(default_factory=list)
    ids: list[Ints] = field(default_factory=list)
    asked: int = 0

    def add(self, query: Query) -> slice:
        """Ask more; where its answers will be."""
        self.places.append(query.places)
        self.ids.append(query.ids)
        start, self.asked = self.asked, self.asked + len(query.places)
        return slice(start, self.asked)

    def joined(self) -> Query:
        """All of it as one query."""
        if len(self.places) == 1:
            return self.query
        width = max(ids.shape[1] for ids in self.ids)
        padded = [np.pad(ids, ((0, 0), (0, width - ids.shape[1])), constant_values=NONE) for ids in self.ids]
        return replace(self.query, places=np.concatenate(self.places), ids=np.concatenate(padded))


class _Answers:
    """Answers to queries in order, while the model reads; equal texts are read once.

    Args:
        engine: with the model.
        queries: all of them.
    """

    def __init__(self, engine: Engine, queries: Sequence[Query]) -> None:
        texts: dict[tuple[int, bytes], _Text] = {}
        numbers: dict[int, int] = {}
        self._where: list[tuple[int, slice]] = []
        self._texts_for = [0]
        for query in queries:
            key = (query.item.language, query.item.tokens.tobytes())
            text = texts.setdefault(key, _Text(query))
            number = numbers.setdefault(id(text), len(numbers))
            self._where.append((number, text.add(query)))
            self._texts_for.append(len(texts))
        self._engine = engine
        self._decoded = engine.decode(text.joined() for text in texts.values())
        self._found: list[Doubles] = []
        self._taken = 0

    def texts_for(self, queries: int) -> int:
        """How many texts must be read for the first so many queries."""
        return self._texts_for[queries]

    @property
    def computed(self) -> int:
        """Texts that the model has read so far."""
        return len(self._found) + (self._engine.left if self._found else 0)

    def take(self, count: int) -> list[Doubles]:
        """The answers of the next so many queries, float64[A] each, natural logarithms of probabilities."""
        stop = self._taken + count
        while len(self._found) < self._texts_for[stop]:
            self._found.append(next(self._decoded))
        chosen, self._taken = self._where[self._taken : stop], stop
        return [self._found[number][part] for number, part in chosen]


def answers_of(engine: Engine, queries: Sequence[Query]) -> list[Doubles]:
    """Answers to queries in order, float64[A] each, natural log probabilities; equal texts are read once.

    Raises:
        RunError: as :meth:`~genomecli.inference.engine.Engine.decode`.
    """
    return _Answers(engine, queries).take(len(queries))
