"""Batches of windows whose results do not depend on the batch.

A matrix product adds a row's terms in another order when the number of rows changes its kernel, so the same
text can differ in the last bits from batch to batch. On CPU (MKL, oneDNN; measured from width 64 to 768 in
float32 and bfloat16, one thread and two) the order is fixed when the number of rows is a multiple of 16. So:

- a text is padded to a length that depends on its own length alone, the next multiple of 16 (at most the
  context), and shares a batch only with texts padded likewise;
- texts that fill that length stand apart from those that do not, since attention without a mask is another
  kernel;
- if the padded length is no multiple of 16, rows are repeated until the batch's tokens are one.

With this a text's states are equal bit for bit, whatever its neighbours, their order and the token budget. A
GPU chooses kernels by the number of rows too; there the results agree within its precision.

Shapes: B texts, L padded length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from genomecli.corpus.batch import Batch
from genomecli.corpus.vocabulary import CLS, PAD, SEP
from genomecli.inference.items import Item

GRAIN = 16
"""Rows of a matrix product from which on its order of additions is fixed, in multiples."""

SPECIAL_TOKENS = 2
"""[CLS] before a window and [SEP] after it."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of an item that the model reads at once: all of it, where it fits.

    Args:
        item: where it lies.
        start: its first token.
        stop: one past its last token.
        which: its number among the item's windows.
        count: number of the item's windows.
    """

    item: Item
    start: int
    stop: int
    which: int = 0
    count: int = 1

    @property
    def length(self) -> int:
        """Tokens that the model sees, [CLS] and [SEP] included."""
        return self.stop - self.start + SPECIAL_TOKENS


def padded_length(length: int, context: int) -> int:
    """Length that a text of ``length`` tokens is padded to: a function of nothing else.

    Special tokens are included. It is the next multiple of GRAIN, but no more than ``context`` where the text
    itself is not longer.
    """
    return max(length, min(-(-length // GRAIN) * GRAIN, context))


def plan_batches(lengths: Sequence[int], context: int, budget: int) -> Iterator[list[int]]:
    """Cut texts into batches of one padded length, the longest first.

    Args:
        lengths: of the texts, special tokens included.
        context: of the model.
        budget: tokens a batch, padding included; a longer text is a batch of its own.

    Yields:
        Indices of the texts of a batch.
    """
    groups: dict[tuple[int, bool], list[int]] = {}
    for index, length in enumerate(lengths):
        padded = padded_length(length, context)
        groups.setdefault((padded, length == padded), []).append(index)
    for (padded, _), members in sorted(groups.items(), reverse=True):
        rows = max(1, budget // padded)
        for begin in range(0, len(members), rows):
            yield members[begin : begin + rows]


def make_batch(windows: Sequence[Window], context: int) -> Batch:
    """The tokens of windows of one padded length, with [CLS] and [SEP], on the CPU.

    Rows beyond ``len(windows)`` repeat the last window; see this module on why.

    Args:
        windows: at least one.
        context: of the model, tokens.
    """
    length = padded_length(max(window.length for window in windows), context)
    multiple = GRAIN // math.gcd(length, GRAIN)
    rows = -(-len(windows) // multiple) * multiple
    tokens = np.full((rows, length), PAD, dtype=np.int64)
    languages = np.empty((rows, length), dtype=np.int64)
    lengths = np.empty(rows, dtype=np.int64)
    for row in range(rows):
        window = windows[min(row, len(windows) - 1)]
        body = window.stop - window.start
        tokens[row, 0] = CLS
        tokens[row, 1 : body + 1] = window.item.tokens[window.start : window.stop]
        tokens[row, body + 1] = SEP
        languages[row] = window.item.language
        lengths[row] = body + SPECIAL_TOKENS
    return Batch(
        tokens=torch.from_numpy(tokens),
        lengths=torch.from_numpy(lengths),
        positions=torch.arange(length).expand(rows, length),
        languages=torch.from_numpy(languages),
        records=torch.full((rows,), -1),
        full=bool((lengths == length).all()),
    )


def counted_mask(windows: Sequence[Window], length: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """bool[B, L]: True at tokens that count; special tokens, padding and terminals do not."""
    flags = np.zeros((len(windows), length), dtype=bool)
    for row, window in enumerate(windows):
        flags[row, 1 : window.stop - window.start + 1] = window.item.counted(window.start, window.stop)
    return flags
