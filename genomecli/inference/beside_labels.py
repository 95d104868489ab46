"""Labels of symbols that stand beside the sequences to predict, for ``predict.measure``: read as in training.

They are found by the ids of the records, so they are read whole before the first sequence. A record that they
do not name has no label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from genomecli.errors import InputError
from genomecli.runtime import log
from genomecli.tasks.defects import Defects
from genomecli.tasks.examples import SequenceColumn
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.reading_fasta import read_strings
from genomecli.tasks.reading_symbols import masked, unmasked, without_sequence
from genomecli.tasks.rows import locate
from genomecli.tasks.settings import DataSettings
from genomecli.tasks.symbol_sources import open_symbols


@dataclass
class BesideLabels:
    """Label strings, an annotation or spliced sequences, and a mask, as the settings name them.

    Args:
        data: names them.

    Attributes:
        files: that were read: path, bytes, sha256, compression.
    """

    data: DataSettings
    files: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._source = open_symbols(self.data)
        if self._source is not None:
            self.files += self._source.files
        self._masks = {} if self.data.mask is None else read_strings(locate(self.data.mask), self.files)
        self._bare, self._named = 0, 0
        self._ids: set[str] = set()
        self._unmatched: InputError | None = None
        self._matched = self._source is None

    def see(self, ids: Sequence[str]) -> None:
        """Take note of some records of the input."""
        self._ids.update(ids)
        self._named += sum(name in self._masks for name in ids)
        self._bare += sum(name not in self._masks for name in ids)
        if self._matched or self._source is None:
            return
        try:
            self._source.check(ids)
            self._matched = True
        except InputError as error:
            self._unmatched = self._unmatched or error

    def finish(self) -> None:
        """Count records without a mask, and labels and masks without a record.

        Raises:
            InputError: if none of all the records that were seen has labels.
        """
        if not self._matched and self._unmatched is not None:
            raise self._unmatched
        said = [] if self._source is None else self._source.elsewhere(self._ids)
        if self._masks:
            said += without_sequence("mask", self._masks, self._ids)
            said += unmasked([None] * self._bare + [""] * self._named)
        for sentence in said:
            log.warning("%s", sentence)

    def labels(self, ids: Sequence[str], sequences: SequenceColumn, defects: Defects) -> RawLabels | None:
        """Raw labels of some records, without the mask; None if they do not stand here."""
        if self._source is None:
            return None
        found = self._source.labels(ids, sequences, defects)
        self._source.notes.clear()  # one more for every batch of a stream
        return found

    def masked(
        self, raw: RawLabels, ids: Sequence[str], sequences: SequenceColumn, defects: Defects
    ) -> RawLabels:
        """The labels where the mask counts them; all of a record without one, and all if there is no mask."""
        if not self._masks:
            return raw
        masks = [self._masks[name][0] if name in self._masks else None for name in ids]
        return masked(raw, masks, sequences, defects)
