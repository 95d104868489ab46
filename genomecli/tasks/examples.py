"""Labelled sequences in memory: what every reader makes; what splits, training, baselines and metrics take.

Shapes: n examples, N symbols of all of them, C classes or values, K covariates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.sequences.alphabets import Codes, get_alphabet

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LabelArray = NDArray[np.int64] | NDArray[np.float64]

MISSING = -1
"""Label of a class that is not known; missing values are NaN."""


@dataclass(frozen=True)
class SequenceColumn:
    """Sequences of one alphabet, end to end.

    Args:
        alphabet: its name, ``dna`` or ``protein``.
        symbols: uint8[N], codes of the alphabet.
        offsets: int64[n + 1]; sequence i is ``symbols[offsets[i]:offsets[i + 1]]``.
    """

    alphabet: str
    symbols: Codes
    offsets: Ints

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Codes:
        return self.symbols[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> Ints:
        """int64[n]."""
        return np.diff(self.offsets)

    def text(self, index: int) -> str:
        """The letters of one sequence, upper case."""
        return get_alphabet(self.alphabet).decode(self[index])

    def take(self, rows: Ints) -> SequenceColumn:
        """The sequences of some rows, int64[m], in that order; a copy."""
        parts = [self[int(row)] for row in rows]
        return join_sequences(self.alphabet, parts)


def join_sequences(alphabet: str, parts: Sequence[Codes]) -> SequenceColumn:
    """A column of single sequences, uint8 each."""
    offsets = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    symbols = np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint8)
    return SequenceColumn(alphabet, symbols, offsets)


@dataclass(frozen=True)
class Labels:
    """Labels of one target.

    Args:
        values: binary and multiclass int64[n], ``MISSING`` where unknown; multilabel float64[n, C] of 0 and
            1; regression float64[n, C] in the table's units, NaN where unknown; token int64[N], one a
            symbol, ``MISSING`` where it does not count.
        offsets: int64[n + 1] for token labels, those of the sequences; None otherwise.
    """

    values: LabelArray
    offsets: Ints | None = None

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    def row(self, index: int) -> LabelArray:
        """The label of one example: of token labels int64[length], otherwise of one number, or float64[C]."""
        if self.offsets is None:
            found: LabelArray = np.asarray(self.values[index])
            return found
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    @property
    def known(self) -> NDArray[np.bool_]:
        """bool[n]: which examples have any label."""
        if self.values.dtype.kind == "f":
            return np.asarray(~np.isnan(self.values).all(axis=1), dtype=np.bool_)
        if self.offsets is None:
            return np.asarray(self.values != MISSING, dtype=np.bool_)
        counts = np.concatenate([[0], np.cumsum(self.values != MISSING)])
        return np.asarray(np.diff(counts[self.offsets]) > 0, dtype=np.bool_)

    def take(self, rows: Ints) -> Labels:
        """The labels of some rows, int64[m], in that order; a copy."""
        if self.offsets is None:
            kept: Any = self.values[rows]
            return Labels(kept)
        parts: list[Any] = [self.row(int(row)) for row in rows]
        offsets = np.zeros(len(parts) + 1, dtype=np.int64)
        np.cumsum([len(part) for part in parts], out=offsets[1:])
        return Labels(np.concatenate(parts) if parts else self.values[:0], offsets)


@dataclass(frozen=True)
class Examples:
    """A labelled table, read and checked.

    Args:
        ids: n texts; they may repeat.
        sequences: what is read.
        labels: by target name.
        pair: the second sequence of each example, of any alphabet; None without pairs.
        covariates: float64[n, K] in the table's units, NaN where unknown; None without.
        covariate_names: K names.
        split: n of ``train``, ``valid``, ``test`` or empty; None if the table gives none.
        group: n names of groups that stay on one side of a split; None without.
        places: n places in the input for messages, such as ``genes.tsv line 12``; may be empty.
        coordinates: for examples cut from a genome: n of (contig, start, end, strand), 0-based half-open.
        record: for windows of longer sequences: int64[n], equal for those of one sequence; None otherwise.
    """

    ids: Sequence[str]
    sequences: SequenceColumn
    labels: Mapping[str, Labels] = field(default_factory=dict)
    pair: SequenceColumn | None = None
    covariates: Floats | None = None
    covariate_names: tuple[str, ...] = ()
    split: Sequence[str] | None = None
    group: Sequence[str] | None = None
    places: Sequence[str] = ()
    coordinates: Sequence[tuple[str, int, int, str]] | None = None
    record: Ints | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Ints) -> Examples:
        """Some rows, int64[m], in that order; all columns are copies."""

        def picked(values: Sequence[Any] | None) -> list[Any] | None:
            return None if values is None else [values[int(row)] for row in rows]

        return replace(
            self,
            ids=picked(self.ids) or [],
            sequences=self.sequences.take(rows),
            labels={name: labels.take(rows) for name, labels in self.labels.items()},
            pair=None if self.pair is None else self.pair.take(rows),
            covariates=None if self.covariates is None else self.covariates[rows],
            split=picked(self.split),
            group=picked(self.group),
            places=picked(self.places) or [] if self.places else [],
            coordinates=picked(self.coordinates),
            record=None if self.record is None else self.record[rows],
        )
