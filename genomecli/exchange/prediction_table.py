"""Tables of predictions, as lines of TSV: a row a sequence, a symbol, or a run of one class.

Columns are named as in the predictions of ``finetune``: ``TARGET.predicted`` is the chosen class or the
value, ``TARGET.p.CLASS`` a probability, ``TARGET.label`` what the input says. Numbers are written so that
they are read back exactly; what is not there is empty.

Shapes: N symbols of a record, C classes or values.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

import numpy as np

from genomecli.exchange.score_table import Cell, Kind
from genomecli.exchange.table_writers import tsv_field, tsv_line
from genomecli.exchange.tracks import bounds, choose
from genomecli.tasks.examples import MISSING, Floats, LabelArray, Labels
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.schema import Target

Columns = tuple[tuple[str, Kind], ...]

SEEN = "seen"
"""Column that says how the model met a record in its tuning."""


@dataclass(frozen=True)
class Predicted:
    """What is predicted of one record.

    Args:
        id: of the record.
        scores: by target float64[C], or float64[N, C] in the order of the record.
        strand: that was read.
        symbols: letters of the record, where they are wanted.
        labels: by target, as ``Labels.row`` gives them; empty where none are read.
        seen: how the model met the record in its tuning: ``train``, ``valid`` or empty.
    """

    id: str
    scores: Mapping[str, Floats]
    strand: str
    symbols: str
    labels: Mapping[str, LabelArray]
    seen: str = ""


class RecordTable:
    """One row a record: targets of whole sequences.

    Args:
        targets: in the order of their columns.
        strand: whether there is a column of the strand.
        labels: whether there are columns of labels.
        seen: whether there is a column that says how the model met the record.
    """

    leading: Columns = (("id", "str"),)

    def __init__(
        self, targets: Sequence[Target], *, strand: bool = False, labels: bool = False, seen: bool = False
    ) -> None:
        self.targets = tuple(targets)
        self.seen = seen
        self.strand = strand
        self.labels = labels

    @property
    def columns(self) -> Columns:
        """Names and types, in order."""
        strand: Columns = (("strand", "str"),) if self.strand else ()
        seen: Columns = ((SEEN, "str"),) if self.seen else ()
        own = (self.leading[0], *strand, *seen, *self.leading[1:])
        for target in self.targets:
            own += (*score_columns(target), *(label_columns(target) if self.labels else ()))
        return own

    @property
    def header(self) -> bytes:
        """The first line."""
        return (tsv_line(name for name, _ in self.columns) + "\n").encode()

    def text(self, predicted: Predicted) -> bytes:
        """The lines of a record."""
        return b"".join(_line([*self._first(predicted), *row]) for row in self._rows(predicted))

    def _first(self, predicted: Predicted) -> list[Cell]:
        strand = [predicted.strand] if self.strand else []
        return [predicted.id, *strand, *([predicted.seen] if self.seen else [])]

    def _rows(self, predicted: Predicted) -> Iterator[list[Cell]]:
        cells: list[Cell] = []
        for target in self.targets:
            cells += score_cells(target, predicted.scores[target.name])
            if self.labels:
                cells += label_cells(target, predicted.labels[target.name])
        yield cells


class SymbolTable(RecordTable):
    """One row a symbol: its position in the record, from 1, and its letter."""

    leading = (("id", "str"), ("position", "int"), ("symbol", "str"))

    def _rows(self, predicted: Predicted) -> Iterator[list[Cell]]:
        names = [target.name for target in self.targets]
        scores = [predicted.scores[name] for name in names]
        labels = [predicted.labels[name] for name in names] if self.labels else []
        for at, letter in enumerate(predicted.symbols):
            cells: list[Cell] = [at + 1, letter]
            for number, target in enumerate(self.targets):
                cells += score_cells(target, scores[number][at])
                if labels:
                    cells += label_cells(target, labels[number][at])
            yield cells


class RunTable(RecordTable):
    """One row a run in which no target's class changes: start, end (0-based half-open), mean probability."""

    leading = (("id", "str"), ("start", "int"), ("end", "int"))

    def _rows(self, predicted: Predicted) -> Iterator[list[Cell]]:
        scores = [predicted.scores[target.name] for target in self.targets]
        chosen = [choose(values) for values in scores]
        edges = bounds(*chosen)
        for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            cells: list[Cell] = [start, end]
            for target, values, classes in zip(self.targets, scores, chosen, strict=True):
                which = int(classes[start])
                cells.append(target.classes[which] if which >= 0 else None)
                cells += values[start:end].mean(axis=0).tolist()
            yield cells


def score_columns(target: Target) -> Columns:
    """Columns of what is predicted."""
    if target.form == "regression":
        names = [f"{target.name}.{value}.predicted" for value in target.classes]
        return tuple(
            (name, "float") for name in (names if target.outputs > 1 else [f"{target.name}.predicted"])
        )
    return (
        (f"{target.name}.predicted", "str"),
        *((f"{target.name}.p.{name}", "float") for name in target.classes),
    )


def score_cells(target: Target, scores: Floats) -> list[Cell]:
    """Cells of those columns: float64[C] of one record, or of one symbol."""
    values: list[float] = scores.tolist()
    if target.form == "regression":
        return [*values]
    if np.isnan(scores).any():
        return [None, *values]
    if target.form == "multilabel":
        chosen = (name for name, value in zip(target.classes, values, strict=True) if value >= 0.5)
        return [target.separator.join(chosen) or target.separator, *values]
    return [target.classes[int(scores.argmax())], *values]


def label_columns(target: Target) -> Columns:
    """Columns of labels: one, but one a class or value where there are several at once."""
    if target.form == "multilabel" or (target.form == "regression" and target.outputs > 1):
        return tuple((f"{target.name}.{name}.label", "float") for name in target.classes)
    return ((f"{target.name}.label", "float" if target.form == "regression" else "str"),)


def label_cells(target: Target, label: LabelArray) -> list[Cell]:
    """Cells of :func:`label_columns`: the label of one record, or of one symbol.

    Args:
        target: whose label it is.
        label: int64[], a class or MISSING for none; of measured values and several labels float64[C], or
            float64[] of one, NaN for none.
    """
    if target.form in ("multilabel", "regression"):
        return [*np.atleast_1d(label).tolist()]
    return [None if int(label) == MISSING else target.classes[int(label)]]


def _line(cells: Iterable[Cell]) -> bytes:
    return ("\t".join(map(_text, cells)) + "\n").encode("utf-8", "surrogateescape")


def _text(cell: Cell) -> str:
    if cell is None or cell != cell:
        return ""
    return repr(cell) if isinstance(cell, float) else tsv_field(cell)


def read_judged(lines: TextIO, targets: Sequence[Target]) -> dict[str, tuple[Predictions, Labels]]:
    """Predictions and labels of a table, by target, as they were before they were written.

    Args:
        lines: TSV of a :class:`RecordTable` or :class:`SymbolTable` with labels.
        targets: that it holds.
    """
    reader = csv.reader(lines, delimiter="\t")
    header = next(reader)
    rows = list(reader)
    at = {name: place for place, name in enumerate(header)}
    offsets = None
    if "position" in at:
        starts = [number for number, row in enumerate(rows) if row[at["position"]] == "1"]
        offsets = np.array([*starts, len(rows)], dtype=np.int64)
    found = {}
    for target in targets:
        scored = [at[name] for name, kind in score_columns(target) if kind == "float"]
        labelled = [at[name] for name, _ in label_columns(target)]
        own = offsets if target.per_symbol else None
        scores = _numbers(rows, scored)
        if target.form in ("multilabel", "regression"):
            labels: LabelArray = _numbers(rows, labelled)
        else:
            number = {name: i for i, name in enumerate(target.classes)} | {"": MISSING}
            labels = np.array([number[row[labelled[0]]] for row in rows], dtype=np.int64)
        found[target.name] = (Predictions(target, scores, own), Labels(labels, own))
    return found


def read_met(lines: TextIO) -> list[str]:
    """How the model met each record of a table with the column ``seen``: one text a record, in order."""
    reader = csv.reader(lines, delimiter="\t")
    header = next(reader)
    at = header.index(SEEN)
    position = header.index("position") if "position" in header else None
    return [row[at] for row in reader if position is None or row[position] == "1"]


def _numbers(rows: Sequence[Sequence[str]], places: Sequence[int]) -> Floats:
    values = [[float(row[place]) if row[place] else np.nan for place in places] for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), len(places))
