"""Decoding: what the model expects at some places of a text, as log-probabilities of the tokens asked for.

Probabilities are over the tokens of the text's own language, whether the model was trained with one softmax
over all languages or with one a language. They are computed in float64 from the model's scores, row by row,
so an answer does not depend on what else is asked.

Shapes: A answers, S tokens of an answer's set, N places decoded, B texts, L padded length, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genomecli.corpus.lexicon import Lexicon
from genomecli.errors import RunError
from genomecli.inference.batching import GRAIN
from genomecli.inference.items import Item
from genomecli.inference.runner import Runner

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]

ROW_BYTES = 64 << 20
"""Memory for the scores of the places that are decoded at once, in float64."""

NONE = -1
"""Fills up the shorter sets of :attr:`Query.ids`."""


@dataclass(frozen=True, slots=True)
class Query:
    """A text as the model is to see it, and what is asked about it.

    Args:
        item: the text, with [MASK] where tokens are hidden; it fits the engine's window.
        places: int64[A], indices into the item's tokens.
        ids: int64[A, S]: the answer is the log-probability that the token at the place is one of these;
            ``NONE`` fills up shorter sets.
    """

    item: Item
    places: Ints
    ids: Ints


def language_ranges(lexicon: Lexicon) -> Ints:
    """int64[languages, 2]: first id of the tokens that each language is written in, and one past the last.

    A language that the model has no tokens for has an empty range.
    """
    ranges = np.zeros((len(lexicon.languages), 2), dtype=np.int64)
    for index, language in enumerate(lexicon.languages):
        species, alphabet = language.rsplit("/", 1)
        for block in lexicon.vocabulary.blocks:
            if block.molecule == alphabet and block.species in (None, species):
                ranges[index] = block.start, block.stop
                break
    return ranges


def answer(runner: Runner, states: Tensor, queries: Sequence[Query], ranges: Ints) -> list[Doubles]:
    """The answers to the queries of one batch.

    Args:
        runner: with the model.
        states: float32[B, L, D], the last states of the queries' texts, [CLS] first.
        queries: B of them, in the order of the rows.
        ranges: of :func:`language_ranges`.

    Returns:
        Of each query float64[A], natural logarithms.

    Raises:
        RunError: if a score is not finite.
    """
    length = states.shape[1]
    flat = np.concatenate([row * length + 1 + query.places for row, query in enumerate(queries)])
    if not len(flat):
        return [np.zeros(0) for _ in queries]
    languages = np.concatenate([np.full(len(q.places), q.item.language) for q in queries])
    places, first, back = np.unique(flat, return_index=True, return_inverse=True)
    ids = _joined([query.ids for query in queries])
    found = np.empty(len(flat))
    order = np.argsort(back, kind="stable")
    for begin, end in _chunks(len(places), runner.model.vocabulary_size):
        low, high = np.searchsorted(back[order], [begin, end])
        mine = order[low:high]
        table = _log_softmax(runner, states, places[begin:end], ranges[languages[first[begin:end]]])
        found[mine] = _read(table, back[mine] - begin, ids[mine])
    if np.isnan(found).any():
        row = int(np.flatnonzero(np.isnan(found))[0])
        bounds = np.cumsum([len(query.places) for query in queries])
        bad = queries[int(np.searchsorted(bounds, row, side="right"))]
        raise RunError(
            "the model's scores are not finite",
            where=f"record {bad.item.id!r}",
            fix="set precision to fp32, or use another checkpoint",
        )
    return np.split(found, np.cumsum([len(query.places) for query in queries])[:-1])


def _joined(parts: Sequence[Ints]) -> Ints:
    """int64[sum of A, S], the shorter sets filled up."""
    width = max(part.shape[1] for part in parts)
    fill = ((0, 0), (0, 0))
    padded = [np.pad(p, (fill[0], (0, width - p.shape[1])), constant_values=NONE) for p in parts]
    return np.concatenate(padded)


def _chunks(rows: int, vocabulary: int) -> Iterator[tuple[int, int]]:
    step = max(1, ROW_BYTES // (8 * vocabulary * GRAIN)) * GRAIN
    for begin in range(0, rows, step):
        yield begin, min(begin + step, rows)


def _log_softmax(runner: Runner, states: Tensor, places: Ints, ranges: Ints) -> Tensor:
    """float64[N, V]: log-probabilities within each place's language; -inf elsewhere. float32 on MPS."""
    device = states.device
    scores = runner.logits(states, torch.from_numpy(places).to(device))
    precise = scores if device.type == "mps" else scores.double()
    bounds = torch.from_numpy(ranges).to(device)
    index = torch.arange(precise.shape[1], device=device)
    foreign = (index[None] < bounds[:, :1]) | (index[None] >= bounds[:, 1:])
    return torch.log_softmax(precise.masked_fill(foreign, float("-inf")), dim=-1)


def _read(table: Tensor, rows: Ints, ids: Ints) -> Doubles:
    """float64[A]: log of the sum of the probabilities of each set.

    Token by token in numpy: the order of additions is that of the set, however wide the array is, and
    numpy's logaddexp gives the same bits wherever a number stands in it, which torch's does not.
    """
    row = torch.from_numpy(rows).to(table.device)
    tokens = torch.from_numpy(ids).clamp(min=0).to(table.device)
    shares = table[row[:, None], tokens].cpu().numpy().astype(np.float64)
    total: Doubles = shares[:, 0]
    for column in range(1, shares.shape[1]):
        with np.errstate(invalid="ignore"):  # the caller looks for NaN
            more = np.logaddexp(total, shares[:, column])
        total = np.where(ids[:, column] == NONE, total, more)
    return total
