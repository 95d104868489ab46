"""States of a body that is not tuned: computed once, since they are the same in each epoch.

Kept are pooled vectors, or the states of all tokens where a head learns from each (learned pooling, labels
of symbols). They are computed in an order that depends on the rows alone, so a resumed run has the same ones.
Several processes share the batches and tell each other what they found: each learns from all rows in time.

Shapes: n rows, T tokens of all of them, B texts, L padded length, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from genomecli.corpus.batch import Batch
from genomecli.errors import RunError
from genomecli.models.language_model import LanguageModel
from genomecli.models.memory import ran_out
from genomecli.models.pooling import LEARNED, Pool
from genomecli.models.timing import autocast
from genomecli.runtime import log
from genomecli.signals import StopFlag
from genomecli.training.distributed import grant_together, rank, sum_in_place, world_size
from genomecli.training.feed import split_rows
from genomecli.training.task_data import SPECIAL_TOKENS, TaskData
from genomecli.training.task_learner import Kept, counted_tokens, last_states
from genomecli.training.task_texts import TokenColumn

if TYPE_CHECKING:
    from genomecli.training.tuning_job import TuningJob

KEPT_BYTES = 1 << 30
"""Memory that kept states of the training rows may take, on the device of the network; beyond it nothing is
kept. It is a constant, so that equal runs compute alike whatever memory is free."""


@dataclass(frozen=True)
class PooledRows:
    """A vector a row. See :class:`genomecli.training.task_learner.Rows`.

    Args:
        values: float32[n, D].
    """

    values: Tensor

    def of(self, rows_B: Tensor, length: int) -> Tensor:
        """float32[B, D]."""
        return self.values[rows_B]


@dataclass(frozen=True)
class TokenRows:
    """States of all tokens, special ones included. See :class:`genomecli.training.task_learner.Rows`.

    Args:
        values: float32[T, D], row by row.
        offsets: int64[n + 1].
    """

    values: Tensor
    offsets: Tensor

    def of(self, rows_B: Tensor, length: int) -> Tensor:
        """float32[B, L, D], 0 beyond the end of a text."""
        begin, end = self.offsets[rows_B], self.offsets[rows_B + 1]
        places = begin[:, None] + torch.arange(length, device=begin.device)
        inside = places < end[:, None]
        return self.values[torch.where(inside, places, 0)] * inside[:, :, None]


def keep_states(model: LanguageModel, job: TuningJob, flag: StopFlag | None = None) -> Kept | None:
    """The states that ``job`` learns from; None where they change, are read once only, or are too many.

    They change where weights of the body are trained, where it has dropout, and where of long texts
    stretches are drawn.

    Args:
        model: on its device, with the weights to train chosen.
        job: a tuning run.
        flag: says when a signal asks to stop.

    Raises:
        RunError: if one text alone does not fit the memory.
        CheckpointedError, InterruptedRunError: if the flag says so; nothing is lost.
    """
    data = job.data
    columns = [column for column in (data.rows.texts, data.rows.pair) if column is not None]
    if job.settings.epochs <= 1 or not _fixed(model.encoder):
        return None
    if not data.truncate and any(int(column.lengths.max()) > data.window for column in columns):
        return None
    pooling = job.spec.head.pooling
    all_tokens = pooling in LEARNED or any(target.per_symbol for target in job.spec.targets)
    size = sum(_places(data, column, all_tokens) for column in columns) * 4 * job.start.settings.width
    if size > KEPT_BYTES:
        log.info("the body's states would take %.1f GiB: they are computed in each epoch", size / 2**30)
        return None
    pool = None if all_tokens else Pool(pooling, job.start.settings.width)
    log.info("the body is not tuned: its states (%.1f MiB) are computed once", size / 2**20)
    first, *second = (_read(model, job, column, pool, flag) for column in columns)
    return Kept(first, second[0] if second else None)


def _fixed(encoder: nn.Module) -> bool:
    """Whether the encoder gives the same states each time."""
    if any(parameter.requires_grad for parameter in encoder.parameters()):
        return False
    return not any(_drops(module) for module in encoder.modules())


def _drops(module: Any) -> bool:
    if isinstance(module, nn.Dropout):
        return module.p > 0
    rate = getattr(module, "dropout", 0.0)
    return isinstance(rate, float) and rate > 0


def _places(data: TaskData, column: TokenColumn, all_tokens: bool) -> int:
    """How many vectors are kept."""
    read = np.minimum(column.lengths, data.window) + SPECIAL_TOKENS
    return int(read.sum()) if all_tokens else len(column)


def _read(
    model: LanguageModel, job: TuningJob, column: TokenColumn, pool: Pool | None, flag: StopFlag | None
) -> PooledRows | TokenRows:
    """One pass over a column."""
    data, device, width = job.data, job.machine.device, job.start.settings.width
    offsets = np.zeros(len(column) + 1, dtype=np.int64)
    np.cumsum(np.minimum(column.lengths, data.window) + SPECIAL_TOKENS, out=offsets[1:])
    count = len(column) if pool is not None else int(offsets[-1])
    values = torch.zeros((count, width), device=device)
    with torch.no_grad():
        for number, batch in enumerate(data.once(column)):
            turn = number % world_size()
            if flag is not None and turn == 0:
                grant_together(flag, "--resume goes on from there")
            if turn != rank():
                continue
            for part, states in _states(model, batch, job.machine.precision):
                if pool is not None:
                    values[part.records] = pool(states, counted_tokens(part.tokens, part.lengths))
                    continue
                rows = zip(part.records.tolist(), part.lengths.tolist(), strict=True)
                for place, (row, length) in enumerate(rows):
                    values[offsets[row] : offsets[row + 1]] = states[place, :length]
    sum_in_place(values)
    return PooledRows(values) if pool is not None else TokenRows(values, torch.from_numpy(offsets).to(device))


def _states(model: LanguageModel, batch: Batch, precision: str) -> Iterator[tuple[Batch, Tensor]]:
    """The batch on the device with its states; in halves where memory does not suffice."""
    device = next(model.parameters()).device
    try:
        placed = batch.to(device)
        with autocast(device, precision):
            lengths = None if placed.full else placed.lengths
            found = placed, last_states(model, placed.tokens, lengths, placed.languages)
    except RuntimeError as error:
        if not ran_out(error):
            raise
        if len(batch.lengths) == 1:
            what = "one text alone does not fit the memory of the device"
            raise RunError(what, fix="lower finetune.context or the model's size") from None
        log.warning("out of memory: %d texts are read in two parts", len(batch.lengths))
        for part in split_rows(batch, 2):
            yield from _states(model, part, precision)
        return
    yield found
