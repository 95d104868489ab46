"""Pieces of work in order: what each asks of the model, and what is made of the answers.

Queries of many pieces go through the engine together, so that batches are full. Equal texts are read once,
whoever asks: all mutations of one place of a protein hide the same token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np

from genomecli.inference.decoding import NONE, Doubles, Ints, Query
from genomecli.inference.engine import Engine

Made = TypeVar("Made")

TOKENS = 1 << 17
"""Tokens of queries that are gathered before the model is asked: some batches, so that a signal is soon
heard."""


@dataclass(frozen=True)
class Work(Generic[Made]):
    """A piece of work.

    Args:
        queries: what it asks.
        finish: what it makes of the answers, in the order of the queries.
    """

    queries: Sequence[Query]
    finish: Callable[[Sequence[Doubles]], Made]


def done(engine: Engine, works: Iterable[Work[Made]]) -> Iterator[Made]:
    """What is made of each piece of work, in order.

    Args:
        engine: with the model.
        works: taken up as they are needed, a bounded number ahead.
    """
    held: list[Work[Made]] = []
    tokens = 0
    for work in works:
        held.append(work)
        tokens += 64 + sum(len(query.item.tokens) for query in work.queries)
        if tokens >= TOKENS:
            yield from _finished(engine, held)
            held, tokens = [], 0
    yield from _finished(engine, held)


def _finished(engine: Engine, works: Sequence[Work[Made]]) -> Iterator[Made]:
    answers = iter(answers_of(engine, [query for work in works for query in work.queries]))
    for work in works:
        yield work.finish([next(answers) for _ in work.queries])


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


def answers_of(engine: Engine, queries: Sequence[Query]) -> list[Doubles]:
    """Answers to queries in order, float64[A] each, natural log probabilities; equal texts are read once.

    Raises:
        RunError: as :meth:`~genomecli.inference.engine.Engine.decode`.
    """
    texts: dict[tuple[int, bytes], _Text] = {}
    where: list[tuple[_Text, slice]] = []
    for query in queries:
        key = (query.item.language, query.item.tokens.tobytes())
        text = texts.setdefault(key, _Text(query))
        where.append((text, text.add(query)))
    found = dict(zip(map(id, texts.values()), engine.decode(t.joined() for t in texts.values()), strict=True))
    return [found[id(text)][part] for text, part in where]
