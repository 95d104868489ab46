"""Batches of labelled sequences. A step's batches are a pure function of the seed and the step's number.

Each epoch is a permutation of the rows; a step takes the next ``batch_size`` of them, also across the end of
an epoch. They are sorted by length and cut into micro-batches, so that little is padding.

Shapes: R rows of a step, B of a micro-batch, L padded length, S symbols of the longest text, C values,
K covariates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from genomecli.corpus.batch import Batch
from genomecli.corpus.pools import balanced_bounds, greedy_bounds
from genomecli.corpus.vocabulary import CLS, PAD, SEP
from genomecli.runtime import rng
from genomecli.tasks.examples import MISSING, Ints
from genomecli.training.task_texts import EncodedLabels, TaskTexts, TokenColumn

LABEL = "label:"
"""Labels of target NAME are the extra ``label:NAME``."""

COVARIATES, PAIR_TOKENS, PAIR_LENGTHS, PAIR_LANGUAGES = (
    "covariates",
    "pair_tokens",
    "pair_lengths",
    "pair_languages",
)
SPECIAL_TOKENS = 2
"""[CLS] before a text and [SEP] after it."""


class TaskData:
    """Gives the micro-batches of each step.

    Args:
        rows: what is trained on, at least one row.
        seed: of the order and of the stretches.
        batch_size: rows a step.
        tokens_per_batch: tokens computed at once, padding included.
        window: tokens of a text that are read at once, without special tokens; of a longer text a stretch at
            random, or its start if ``truncate``.
        truncate: read the first tokens of longer texts.
    """

    def __init__(
        self,
        rows: TaskTexts,
        seed: int,
        *,
        batch_size: int,
        tokens_per_batch: int,
        window: int,
        truncate: bool = False,
    ) -> None:
        assert len(rows), "there must be something to train on"
        self.rows = rows
        self.seed = seed
        self.batch_size = min(batch_size, len(rows))
        self.budget = tokens_per_batch
        self.window = window
        self.truncate = truncate

    def steps(self, epochs: float) -> int:
        """Steps of that many passes over the rows, at least one."""
        return max(1, math.ceil(epochs * len(self.rows) / self.batch_size - 1e-9))

    @property
    def tokens_per_step(self) -> float:
        """Real tokens of a step, on average."""
        read = np.minimum(self.rows.texts.lengths, self.window) + SPECIAL_TOKENS
        if self.rows.pair is not None:
            read = read + np.minimum(self.rows.pair.lengths, self.window) + SPECIAL_TOKENS
        return float(read.mean()) * self.batch_size

    def rows_of(self, step: int) -> Ints:
        """int64[R]: the rows of a step."""
        total = len(self.rows)
        begin = step * self.batch_size
        parts = []
        for epoch in range(begin // total, (begin + self.batch_size - 1) // total + 1):
            order = rng(self.seed, "epoch", epoch).permutation(total)
            first, last = max(0, begin - epoch * total), min(total, begin + self.batch_size - epoch * total)
            parts.append(order[first:last])
        return np.concatenate(parts)

    def step(self, step: int, rank: int = 0, world: int = 1) -> list[Batch]:
        """See :class:`genomecli.training.learner.Data`."""
        rows = self.rows_of(step)
        draws = rng(self.seed, "stretch", step).random((len(rows), 2))
        lengths = self._read(self.rows.texts, rows)
        if self.rows.pair is not None:
            lengths = lengths + self._read(self.rows.pair, rows)
        order = np.argsort(-lengths, kind="stable")
        bounds = self._bounds(lengths[order], world)
        pieces = [order[bounds[i] : bounds[i + 1]] for i in range(len(bounds) - 1)]
        return [self._batch(rows[piece], draws[piece], step) for piece in pieces[rank::world]]

    def once(self, column: TokenColumn) -> Iterator[Batch]:
        """Every row once, its first tokens, the longest first; whatever the seed."""
        everyone = np.arange(len(column))
        lengths = self._read(column, everyone)
        order = np.argsort(-lengths, kind="stable")
        for begin, end in pairwise(greedy_bounds(lengths[order], self.budget)):
            rows = order[begin:end]
            yield self._texts(column, rows, np.zeros_like(rows))

    def _bounds(self, lengths: Ints, world: int) -> list[int]:
        """Where micro-batches begin; a multiple of ``world`` of them, where there are rows enough."""
        bounds = greedy_bounds(lengths, self.budget)
        count = len(bounds) - 1
        wanted = min(len(lengths), -(-count // world) * world)
        return bounds if wanted == count else balanced_bounds(lengths, wanted)

    def _read(self, column: TokenColumn, rows: Ints) -> Ints:
        """int64[R]: tokens that are read of each row, special tokens included."""
        read: Ints = np.minimum(column.lengths[rows], self.window) + SPECIAL_TOKENS
        return read

    def _starts(
        self, column: TokenColumn, rows: Ints, draws: np.ndarray[tuple[int], np.dtype[np.float64]]
    ) -> Ints:
        """int64[B]: the first token that is read of each row; uniform over all stretches."""
        spare = np.maximum(column.lengths[rows] - self.window, 0)
        if self.truncate:
            return np.zeros_like(spare)
        starts: Ints = np.minimum((draws * (spare + 1)).astype(np.int64), spare)
        return starts

    def _batch(
        self, rows: Ints, draws: np.ndarray[tuple[int, int], np.dtype[np.float64]], step: int
    ) -> Batch:
        texts, pair = self.rows.texts, self.rows.pair
        starts = self._starts(texts, rows, draws[:, 0])
        batch = self._texts(texts, rows, starts)
        extras = {
            f"{LABEL}{name}": self._labels(labels, rows, starts, batch.lengths)
            for name, labels in self.rows.labels.items()
        }
        if self.rows.covariates is not None:
            extras[COVARIATES] = torch.from_numpy(self.rows.covariates[rows])
        if pair is not None:
            second, second_lengths = self._tokens(pair, rows, self._starts(pair, rows, draws[:, 1]))
            extras[PAIR_TOKENS], extras[PAIR_LENGTHS] = second, second_lengths
            extras[PAIR_LANGUAGES] = torch.full_like(second, pair.language)
        return replace(batch, extras=extras, step=step)

    def _texts(self, column: TokenColumn, rows: Ints, starts: Ints) -> Batch:
        """The texts alone, without labels."""
        tokens, lengths = self._tokens(column, rows, starts)
        return Batch(
            tokens=tokens,
            lengths=lengths,
            positions=torch.arange(tokens.shape[1]).expand(tokens.shape),
            languages=torch.full_like(tokens, column.language),
            records=torch.from_numpy(rows),
            full=bool((lengths == tokens.shape[1]).all()),
        )

    def _tokens(self, column: TokenColumn, rows: Ints, starts: Ints) -> tuple[Tensor, Tensor]:
        """int64[B, L] with [CLS] and [SEP], and int64[B]."""
        lengths = self._read(column, rows)
        tokens = np.full((len(rows), int(lengths.max())), PAD, dtype=np.int64)
        tokens[:, 0] = CLS
        for i, (row, start, length) in enumerate(
            zip(rows.tolist(), starts.tolist(), lengths.tolist(), strict=True)
        ):
            tokens[i, 1 : length - 1] = column.row(row)[start : start + length - SPECIAL_TOKENS]
            tokens[i, length - 1] = SEP
        return torch.from_numpy(tokens), torch.from_numpy(lengths)

    def _labels(self, labels: EncodedLabels, rows: Ints, starts: Ints, lengths: Tensor) -> Tensor:
        """int64[B], float32[B, C], or int64[B, S] from the first symbol that is read."""
        if labels.offsets is None:
            values = torch.from_numpy(np.ascontiguousarray(labels.values[rows]))
            return values.float() if values.is_floating_point() else values
        texts = self.rows.texts
        read = lengths.numpy() - SPECIAL_TOKENS
        spans = (read - 1) * texts.stride + texts.k
        found = np.full((len(rows), int(spans.max())), MISSING, dtype=np.int64)
        for i, (row, start, span) in enumerate(
            zip(rows.tolist(), starts.tolist(), spans.tolist(), strict=True)
        ):
            first = texts.frame + start * texts.stride
            own = labels.symbols(row, first, first + span)
            found[i, : len(own)] = own
        if texts.stride > texts.k:
            # Symbols between tokens are seen by none of them.
            found[:, np.arange(found.shape[1]) % texts.stride >= texts.k] = MISSING
        return torch.from_numpy(found)


def label_extras(extras: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The labels among a batch's extras, by target."""
    return {name.removeprefix(LABEL): value for name, value in extras.items() if name.startswith(LABEL)}
