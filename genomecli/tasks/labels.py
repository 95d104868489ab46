"""Cells of label columns to raw labels: names get numbers, numbers become floats, nothing is ordered yet.

What is decided here needs no split: the kind of label, and which cells cannot be read. The order of classes
and all means are fixed later, from the training rows alone, in ``targets``.

Kind ``auto``: ``token`` where labels of symbols are given; several columns that hold only 0 and 1 are
``multilabel``, otherwise values; one column of numbers is ``regression`` if any has a fraction or there are
more than :data:`MANY` values; a column with the separator in any cell is ``multilabel``; a column of which
more than seven in ten cells are such numbers is ``regression``, its other cells defects; all else is
classes.

A cell of ``data.missing`` is no label, unless ``classes`` names it. ``nan`` (in any case of letters, or of
Parquet) is a defect of every kind unless one of the two names it; ``inf`` is one where numbers are wanted. In
one multilabel column a lone separator says: none of the classes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import InputError
from genomecli.tasks.defects import Defects
from genomecli.tasks.examples import MISSING, Floats, Ints, LabelArray, Labels
from genomecli.tasks.schema import Form
from genomecli.tasks.settings import TargetSettings

MANY = 20
"""Distinct whole numbers up to which a column of them is classes."""

MOSTLY = 0.7
"""Share of measured numbers in a column above which its other cells are mistakes and not classes."""

_FLAGS: Mapping[str, float] = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
_FIX = "correct the cell, leave it empty where nothing is known, or set data.invalid to drop"
_NAN_FIX = "leave the cell empty where nothing is known, name it in data.missing or in the target's classes"
"""What to do about a cell that a program may have written for a value it did not have."""


@dataclass(frozen=True)
class RawLabels:
    """Labels of one target as they were read.

    Args:
        form: what they are; ``class`` becomes binary or multiclass by the number of classes.
        columns: label columns that they come from; none where they stand beside the sequences.
        names: of classes in the order of their first row, or of values.
        values: class int64[n], index in ``names`` or ``MISSING``; multilabel float64[n, C] of 0, 1 and NaN;
            regression float64[n, C] in the table's units, NaN where unknown; token int64[N].
        offsets: int64[n + 1] for token labels; None otherwise.
        declared: ``names`` stand in an order that was declared, not that of the rows.
        given: bool[n], which rows have a label, for sets of classes in one cell: where no row has a class,
            ``values`` have no column that could say it. None where ``values`` say it.
    """

    form: Form
    columns: tuple[str, ...]
    names: tuple[str, ...]
    values: LabelArray
    offsets: Ints | None = None
    declared: bool = False
    given: NDArray[np.bool_] | None = None

    @property
    def labels(self) -> Labels:
        """The same values as :class:`Labels`, in the order of ``names``."""
        return Labels(self.values, self.offsets)

    @property
    def known(self) -> NDArray[np.bool_]:
        """bool[n]: which rows have any label."""
        return self.labels.known if self.given is None else self.given

    def take(self, rows: Ints) -> RawLabels:
        """The labels of some rows, int64[m], in that order."""
        taken = self.labels.take(rows)
        given = None if self.given is None else self.given[rows]
        return replace(self, values=taken.values, offsets=taken.offsets, given=given)


@dataclass(frozen=True)
class CellReader:
    """Reads the label columns of one target.

    Args:
        target: its name, for messages.
        settings: of the target.
        missing: cells that say that the label is not known.
        defects: rows with cells that cannot be read are added here.
    """

    target: str
    settings: TargetSettings
    missing: tuple[str, ...]
    defects: Defects

    def read(self, columns: tuple[str, ...], cells: Sequence[Sequence[str]]) -> RawLabels:
        """Raw labels of n rows.

        Args:
            columns: their names.
            cells: n texts a column.

        Raises:
            InputError: if the kind cannot be told, or contradicts the columns.
        """
        cells = [self._labels(column) for column in cells]
        form = self._form(columns, cells)
        assert form != "token", "labels of symbols have their own reader"
        if form == "class":
            self._one(columns)
            return self._classes(columns, cells[0])
        if form == "multilabel" and len(columns) == 1:
            return self._sets(columns, cells[0])
        parse = self._flags if form == "multilabel" else self._numbers
        values: Floats = np.array(
            [parse(name, column) for name, column in zip(columns, cells, strict=True)], dtype=np.float64
        ).T
        return RawLabels(form, columns, columns, values, declared=True)

    def _labels(self, column: Sequence[str]) -> Sequence[str]:
        """The cells, or of each what the pattern's group finds in it."""
        if self.settings.pattern is None:
            return column
        pattern = re.compile(self.settings.pattern)
        found = (pattern.search(cell) for cell in column)
        return [(match.group(1) or "") if match else "" for match in found]

    def _known(self, cells: Sequence[str]) -> list[str]:
        return [cell for cell in cells if not self._is_missing(cell)]

    def _is_missing(self, cell: str) -> bool:
        return cell in self.missing and cell not in self.settings.classes

    def _is_nan(self, cell: str) -> bool:
        return cell.lower() == "nan" and cell not in self.settings.classes

    def _refuse_nan(self, row: int, column: str, cell: str) -> None:
        what = f"its {column} is {cell!r}, which may be a lost value or a name"
        self.defects.add(row, "label NaN", what, _NAN_FIX)

    def _form(self, columns: tuple[str, ...], cells: Sequence[Sequence[str]]) -> Form:
        given = form_of(self.target, self.settings)
        if given is not None:
            return given
        if self.settings.classes and len(columns) == 1:
            return "multilabel" if self._separated(cells[0]) else "class"
        distinct = [
            [c for c in dict.fromkeys(self._known(column)) if not self._is_nan(c)] for column in cells
        ]
        numeric = all(as_number(cell) is not None for column in distinct for cell in column)
        if len(columns) > 1:
            if all(cell in _FLAGS for column in distinct for cell in column):
                return "multilabel"
            if numeric:
                return "regression"
            raise InputError(
                f"target {self.target!r}: columns {', '.join(columns)} hold names and not numbers",
                fix="make a target of each column, or set its kind",
            )
        if numeric and _measured(distinct[0]):
            return "regression"
        if self._separated(distinct[0]):
            return "multilabel"
        return "regression" if self._hardly_classes(cells[0]) else "class"

    def _hardly_classes(self, cells: Sequence[str]) -> bool:
        """Whether most cells are measured values, so that the others are mistakes rather than classes."""
        known = self._known(cells)
        numbers = [cell for cell in known if not self._is_nan(cell) and as_number(cell) is not None]
        return len(numbers) > MOSTLY * len(known) and _measured(numbers)

    def _separated(self, cells: Sequence[str]) -> bool:
        return any(self.settings.separator in cell for cell in cells)

    def _one(self, columns: tuple[str, ...]) -> None:
        if len(columns) > 1:
            raise InputError(
                f"target {self.target!r}: {self.settings.kind} has one column, not {len(columns)}",
                fix="make a target of each column, or set kind to multilabel",
            )

    def _classes(self, columns: tuple[str, ...], cells: Sequence[str]) -> RawLabels:
        number: dict[str, int] = {}
        values = np.full(len(cells), MISSING, dtype=np.int64)
        for row, cell in enumerate(cells):
            if self._is_missing(cell):
                continue
            if self._is_nan(cell):
                self._refuse_nan(row, columns[0], cell)
            else:
                values[row] = number.setdefault(cell, len(number))
        return RawLabels("class", columns, tuple(number), values)

    def _sets(self, columns: tuple[str, ...], cells: Sequence[str]) -> RawLabels:
        number: dict[str, int] = {}
        sets: list[list[int] | None] = []
        for row, cell in enumerate(cells):
            if self._is_missing(cell):
                sets.append(None)
                continue
            names = [name.strip() for name in cell.split(self.settings.separator)]
            if any(self._is_nan(name) for name in names):
                self._refuse_nan(row, columns[0], cell)
                sets.append(None)
                continue
            sets.append([number.setdefault(name, len(number)) for name in names if name])
        values = np.zeros((len(cells), len(number)), dtype=np.float64)
        for row, members in enumerate(sets):
            values[row, slice(None) if members is None else members] = np.nan if members is None else 1.0
        given = np.array([members is not None for members in sets], dtype=np.bool_)
        return RawLabels("multilabel", columns, tuple(number), values, given=given)

    def _numbers(self, column: str, cells: Sequence[str]) -> list[float]:
        known = self._known(cells)
        count = sum(as_number(cell) is not None for cell in known)
        said = f"{count} of {len(known)} cells of {column} are numbers"
        return [self._number(row, column, cell, said) for row, cell in enumerate(cells)]

    def _flags(self, column: str, cells: Sequence[str]) -> list[float]:
        return [self._flag(row, column, cell) for row, cell in enumerate(cells)]

    def _number(self, row: int, column: str, cell: str, said: str) -> float:
        if self._is_missing(cell):
            return math.nan
        if self._is_nan(cell):
            self._refuse_nan(row, column, cell)
            return math.nan
        value = as_number(cell)
        if value is None:
            names = f"; if the cells are names of classes, set targets.{self.target}.kind to multiclass"
            fix = _FIX + names * (self.settings.kind == "auto")
            self.defects.add(row, "label not a number", f"{said}; {cell!r} is not", fix)
            return math.nan
        if not math.isfinite(value):
            what = f"its {column} is {cell!r}, which is no measured value"
            self.defects.add(row, "label infinite", what, _FIX)
            return math.nan
        if self.settings.log and value <= -1:
            what = f"its {column} is {cell}, and log(1 + value) needs more than -1"
            self.defects.add(row, "label without a logarithm", what, "set log to false for this target")
            return math.nan
        return value

    def _flag(self, row: int, column: str, cell: str) -> float:
        if self._is_missing(cell):
            return math.nan
        if self._is_nan(cell):
            self._refuse_nan(row, column, cell)
            return math.nan
        value = _FLAGS.get(cell.lower())
        if value is None:
            what = f"its {column} is {cell!r}; a column a class holds 0 or 1"
            self.defects.add(row, "label not 0 or 1", what, _FIX)
            return math.nan
        return value


def form_of(target: str, settings: TargetSettings) -> Form | None:
    """What the labels of a target are by its settings; None where the labels themselves tell it.

    Raises:
        ConfigError: if its kind is not registered.
    """
    if settings.kind == "auto":
        return None
    from genomecli.tasks.kinds.registry import registered

    return registered(settings.kind, target).form


def as_number(cell: str) -> float | None:
    """The value of a cell, None if it is no number. ``nan`` and ``inf`` are numbers, ``1_000`` is not."""
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _measured(cells: Sequence[str]) -> bool:
    """Whether distinct cells, all numbers, are measured values and not names of classes."""
    values = {float(cell) for cell in cells}
    if not values:
        return False
    return len(values) > MANY or any(not math.isfinite(value) or value % 1 for value in values)
