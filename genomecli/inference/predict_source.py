"""Sequences to predict, out of tables and FASTA files as in training: in order, a batch of rows held at once.

A row that cannot be read is given out with its reason. Whether a file holds the molecule that the model reads
is looked at once, in its first rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from genomecli.errors import InputError
from genomecli.inference.beside_labels import BesideLabels
from genomecli.inference.items import Dropped
from genomecli.inference.predictor import Unlabelled
from genomecli.sequences.alphabets import Codes
from genomecli.tasks.covariates import read_covariates
from genomecli.tasks.defects import Defects
from genomecli.tasks.examples import Floats, LabelArray, join_sequences
from genomecli.tasks.gathering import label_cells, read_rows
from genomecli.tasks.labels import CellReader, RawLabels
from genomecli.tasks.letters import Encoder, choose_alphabet
from genomecli.tasks.reading_symbols import from_strings
from genomecli.tasks.rows import CLASS, FastaRows, Rows, TableRows, missing_column, named_ids
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import DataSettings
from genomecli.tasks.targets import as_labels, settings_of
from genomecli.training.task_spec import TaskSpec

LABELS = "labels"
"""Key of a sequence's labels, by target, in its ``meta``."""

RECORD = "record"
"""Key of the number of its record in the input."""


def unknown_of(covariates: Floats | None) -> int:
    """How many of a row's covariates, float64[K], are not known."""
    return 0 if covariates is None else int(np.isnan(covariates).sum())


@dataclass
class PredictSource:
    """The records of the inputs.

    Args:
        data: where they are and what their columns mean.
        spec: of the model.
        labels: targets whose labels are read too.
        skip: records at the start that are passed over.
        stdin: what ``-`` reads.

    Attributes:
        files: of each file that was read to its end: path, bytes, sha256, compression.
        beside: labels that stand beside the sequences; None if none are read.
        records: read so far, those passed over included.
        nameless: rows of tables whose id is empty, which are called ``record_N``.
        unknown: covariates of the rows given out that were not known, and count as the mean of the training
            rows.
    """

    data: DataSettings
    spec: TaskSpec
    labels: Sequence[Target] = ()
    skip: int = 0
    stdin: BinaryIO | None = None

    def __post_init__(self) -> None:
        self.files: list[dict[str, object]] = []
        self.records = 0
        self.unknown = 0
        self.nameless = 0
        self.beside = BesideLabels(self.data) if self.labels else None

    def entries(self) -> Iterator[Unlabelled | Dropped]:
        """Sequences and dropped records in order; ``meta`` has the record's number and its labels.

        Raises:
            InputError: for a file that cannot be read, a column that is not there, another molecule than
                the model's, or a label that cannot be read; and for any bad record where that is an error.
        """
        looked_at = -1
        for rows in read_rows(self.data, self.files, stdin=self.stdin):
            assert isinstance(rows, TableRows | FastaRows)
            first, count = self.records, len(rows.places)
            self.records += count
            new_file, looked_at = looked_at != len(self.files), len(self.files)
            if new_file:
                self._look(rows)
            if self.beside is not None:
                self.beside.see(self._ids(rows, first))
            if self.records <= self.skip:
                continue
            made = self._batch(rows, first)
            yield from made[max(0, self.skip - first) :]
        if self.beside is not None:
            self.beside.finish()

    def _look(self, rows: TableRows | FastaRows) -> None:
        """Refuse a file of the wrong molecule or without what the model wants."""
        choose_alphabet(self._sequences(rows), rows.places, molecule="auto", model=self.spec.reading.alphabet)
        if self.spec.pair is not None:
            cells = rows.column(self._pair_column(rows))
            choose_alphabet(cells, rows.places, molecule="auto", model=self.spec.pair.alphabet)
        for name in self._covariates():
            if isinstance(rows, FastaRows) and not rows.has(name):
                raise InputError(
                    f"has no covariate {name!r}, which the model wants",
                    where=rows.places[0],
                    fix=f"write {name}= into the headers, or give a table with that column",
                )
        if isinstance(rows, FastaRows):
            self._look_for_labels(rows)

    def _look_for_labels(self, rows: FastaRows) -> None:
        """Refuse FASTA whose headers hold no label of any target, where labels are wanted."""
        if any(target.per_symbol for target in self.labels):
            return  # their labels stand elsewhere
        lacking = []
        for target in self.labels:
            columns, cells = self._cells(rows, target)
            if any(map(any, cells)):
                return
            lacking.append(columns[0])
        if lacking:
            raise InputError(
                f"has no label {' or '.join(map(repr, lacking))} in its headers",
                where=rows.places[0],
                fix=f"write {lacking[0]}= into them, name the files of each class with "
                "predict.class_inputs, or set predict.measure to false",
            )

    def _sequences(self, rows: TableRows | FastaRows) -> Sequence[str]:
        if isinstance(rows, FastaRows):
            return rows.sequences
        if not rows.has(self.data.sequence):
            hint = "name that of the sequences with --set predict.sequence=COLUMN"
            raise missing_column(self.data.sequence, rows.columns, rows.where, hint)
        return rows.column(self.data.sequence)

    def _pair_column(self, rows: TableRows | FastaRows) -> str:
        if isinstance(rows, FastaRows):
            what = "FASTA has no pairs, and the model reads pairs"
            raise InputError(what, where=rows.places[0], fix="give a table with both columns")
        if self.data.pair is None:
            raise missing_column("pair", rows.columns, rows.where)
        return self.data.pair

    def _covariates(self) -> tuple[str, ...]:
        return () if self.spec.covariates is None else self.spec.covariates.names

    def _ids(self, rows: TableRows | FastaRows, first: int) -> Sequence[str]:
        if isinstance(rows, FastaRows):
            if self.data.id is None:
                return rows.ids
            # The word of the ids may be the column of the training table, which no header need have.
            named = rows.column(self.data.id)
            return [cell or own for cell, own in zip(named, rows.ids, strict=True)]
        if self.data.id is not None or rows.has("id"):
            return named_ids(rows.column(self.data.id or "id"), first)
        return [f"row_{first + i + 1}" for i in range(len(rows.places))]

    def _batch(self, rows: TableRows | FastaRows, first: int) -> list[Unlabelled | Dropped]:
        ids = self._ids(rows, first)
        if isinstance(rows, TableRows) and (self.data.id is not None or rows.has("id")):
            self.nameless += sum(not cell for cell in rows.column(self.data.id or "id"))
        defects = Defects(self.data.invalid, "set predict.invalid to drop")
        encoded = self._encoded(self._sequences(rows), self.spec.reading.alphabet, "sequence", defects)
        pairs: Sequence[Codes | None] = [None] * len(ids)
        if self.spec.pair is not None:
            cells = rows.column(self._pair_column(rows))
            pairs = self._encoded(cells, self.spec.pair.alphabet, "pair", defects)
        covariates = self._measured(rows, defects)
        if self.data.invalid == "error":
            defects.settle(rows.places, ids)
        reasons = {defect.row: defect.what for defect in reversed(defects.found)}
        labels = self._labels(rows, ids, encoded, reasons)
        made: list[Unlabelled | Dropped] = []
        for row, name in enumerate(ids):
            if row in reasons:
                made.append(Dropped(name, reasons[row], first + row))
                continue
            meta = {RECORD: first + row} | (
                {LABELS: {k: v[row] for k, v in labels.items()}} if labels else {}
            )
            known = None if covariates is None else covariates[row]
            if first + row >= self.skip:
                self.unknown += unknown_of(known)
            made.append(Unlabelled(name, encoded[row], pairs[row], known, meta))
        return made

    def _encoded(self, texts: Sequence[str], alphabet: str, column: str, defects: Defects) -> Sequence[Codes]:
        encoder = Encoder(alphabet, defects, column)
        return [encoder.encode(row, text) for row, text in enumerate(texts)]

    def _measured(self, rows: Rows, defects: Defects) -> Floats | None:
        names = self._covariates()
        if not names:
            return None
        cells = [rows.column(name) for name in names]
        return read_covariates(names, cells, self.data.missing, defects)

    def _labels(
        self,
        rows: TableRows | FastaRows,
        ids: Sequence[str],
        sequences: Sequence[Codes],
        dropped: Iterable[int],
    ) -> Mapping[str, Sequence[LabelArray]]:
        """Labels of each row by target. Raises InputError for one that cannot be read."""
        found = {}
        for target in self.labels:
            defects = Defects("error", "set predict.measure to false")
            for row in dropped:
                defects.leave_out(row, "dropped")  # its labels do not fit its sequence either
            raw = self._raw(rows, target, ids, sequences, defects)
            defects.settle(rows.places, rows.places)
            labels = as_labels(raw, target, rows.places)
            found[target.name] = [labels.row(row) for row in range(len(labels))]
        return found

    def _raw(
        self,
        rows: TableRows | FastaRows,
        target: Target,
        ids: Sequence[str],
        sequences: Sequence[Codes],
        defects: Defects,
    ) -> RawLabels:
        if not target.per_symbol:
            columns, cells = self._cells(rows, target)
            return CellReader(target.name, settings_of(target), self.data.missing, defects).read(
                columns, cells
            )
        assert self.beside is not None
        column = join_sequences(self.spec.reading.alphabet, sequences)
        raw = self.beside.labels(ids, column, defects)
        if raw is None:
            assert target.columns, "labels that stood beside the sequences in training do so here"
            name = target.columns[0]
            raw = from_strings(name, rows.column(name), column, self.data.missing, defects)
        return self.beside.masked(raw, ids, column, defects)

    def _cells(
        self, rows: TableRows | FastaRows, target: Target
    ) -> tuple[tuple[str, ...], list[Sequence[str]]]:
        """Label columns of a target of whole sequences; where files are classes, their names."""
        if isinstance(rows, FastaRows) and rows.class_name:
            return (CLASS,), [rows.column(CLASS)]
        if isinstance(rows, TableRows) and len(self.labels) > 1:
            for name in target.columns:
                if not rows.has(name):
                    hint = "or name the targets that it has labels of with predict.targets=..."
                    raise missing_column(name, rows.columns, rows.where, hint)
        return label_cells(rows, target.name, settings_of(target), alone=len(self.spec.targets) == 1)
