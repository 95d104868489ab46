"""Predictions of one target: the same value whether they come from a network, a baseline or a file.

Shapes: n examples, N symbols of all of them, C classes or values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.tasks.examples import Floats, Ints
from genomecli.tasks.schema import Target


@dataclass(frozen=True)
class Predictions:
    """What is predicted of some examples.

    Args:
        target: of what.
        scores: float64[n, C]: probabilities of classes (rows sum to 1, but for multilabel), or values in the
            table's units. Token targets: float64[N, C], NaN for symbols that no token of the model covers.
        offsets: int64[n + 1] for token targets, those of the sequences; None otherwise.
    """

    target: Target
    scores: Floats
    offsets: Ints | None = None

    def __len__(self) -> int:
        return len(self.scores) if self.offsets is None else len(self.offsets) - 1

    def row(self, index: int) -> Floats:
        """float64[C] of one example; of token targets float64[length, C]."""
        if self.offsets is None:
            found: Floats = self.scores[index]
            return found
        return self.scores[self.offsets[index] : self.offsets[index + 1]]

    def take(self, rows: Ints) -> Predictions:
        """The predictions of some rows, int64[m], in that order."""
        if self.offsets is None:
            return Predictions(self.target, self.scores[rows])
        parts = [self.row(row) for row in rows.tolist()]
        offsets = np.zeros(len(parts) + 1, dtype=np.int64)
        np.cumsum([len(part) for part in parts], out=offsets[1:])
        return Predictions(self.target, np.concatenate(parts) if parts else self.scores[:0], offsets)

    @property
    def chosen(self) -> NDArray[np.int64]:
        """int64[n] or int64[N]: the most probable class; -1 where there is no prediction. Not for values.

        Multilabel: int64[n, C] of 0 and 1, at probability one half.
        """
        if self.target.form == "multilabel":
            return np.where(np.isnan(self.scores), -1, self.scores >= 0.5).astype(np.int64)
        absent = np.isnan(self.scores).any(axis=1)
        best = np.where(np.isnan(self.scores), -np.inf, self.scores).argmax(axis=1)
        return np.where(absent, -1, best).astype(np.int64)
