"""Long sequences cut into windows, end to end, with their labels and where they were cut from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import ConfigError
from genomecli.tasks.examples import Examples, Ints, SequenceColumn
from genomecli.tasks.labels import RawLabels


def cut_windows(
    examples: Examples, raw: Mapping[str, RawLabels], window: int, shortest: int
) -> tuple[Examples, dict[str, RawLabels], list[str]]:
    """Examples of at most ``window`` symbols, in order, their labels, and sentences on what was left out.

    A label of the whole sequence is that of each window. Ids become ``ID:START-END``, 1-based and inclusive;
    coordinates are given to all examples, 0-based half-open, and the number of the sequence that each window
    was cut from, as ``record``. Windows without any label are left out.

    Args:
        examples: n of them.
        raw: their labels, by target.
        window: longest, in symbols.
        shortest: a last window shorter than this is left out.

    Raises:
        ConfigError: for pairs.
    """
    if examples.pair is not None:
        raise ConfigError(["data.window cuts single sequences, and the data are pairs"])
    column = examples.sequences
    row, start, end, short = _pieces(column.lengths, window, shortest)
    notes = [f"{short} last windows of a sequence are too short and left out."] if short else []
    labels = {name: _cut(labels, column.offsets, row, start, end) for name, labels in raw.items()}
    if labels:
        known = np.flatnonzero(np.any([one.known for one in labels.values()], axis=0))
        if len(known) < len(row):
            notes.append(f"{len(row) - len(known)} of {len(row)} windows have no label and are left out.")
        row, start, end = row[known], start[known], end[known]
        labels = {name: one.take(known) for name, one in labels.items()}
    places = [
        (examples.ids[one], a, b)
        for one, a, b in zip(row.tolist(), start.tolist(), end.tolist(), strict=True)
    ]
    symbols, offsets = _slices(column.symbols, column.offsets[row] + start, end - start)
    # Without their letters, rows can be repeated for each window at no cost.
    bare = SequenceColumn(column.alphabet, column.symbols[:0], np.zeros(len(examples) + 1, np.int64))
    found = replace(
        replace(examples, sequences=bare).take(row),
        ids=[f"{name}:{a + 1}-{b}" for name, a, b in places],
        sequences=SequenceColumn(column.alphabet, symbols, offsets),
        coordinates=[(name, a, b, "+") for name, a, b in places],
        record=row.astype(np.int64),
    )
    return found, labels, notes


def _pieces(lengths: Ints, window: int, shortest: int) -> tuple[Ints, Ints, Ints, int]:
    """Row, start and end of each window, int64[w] each, and how many are too short."""
    counts = np.maximum(-(-lengths // window), 1)
    row = np.repeat(np.arange(len(lengths)), counts)
    start = (np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)) * window
    end = np.minimum(start + window, lengths[row])
    kept = (end - start >= shortest) | (start == 0)
    return row[kept], start[kept], end[kept], int(np.count_nonzero(~kept))


def _cut(labels: RawLabels, offsets: Ints, row: Ints, start: Ints, end: Ints) -> RawLabels:
    if labels.offsets is None:
        return labels.take(row)
    values, bounds = _slices(labels.values, offsets[row] + start, end - start)
    return replace(labels, values=values, offsets=bounds)


def _slices(values: NDArray[Any], starts: Ints, lengths: Ints) -> tuple[NDArray[Any], Ints]:
    """Stretches of an array end to end, and their int64[w + 1] offsets."""
    offsets = np.zeros(len(starts) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    parts = [values[a : a + n] for a, n in zip(starts.tolist(), lengths.tolist(), strict=True)]
    return (np.concatenate(parts) if parts else values[:0]), offsets
