"""What reading needs of a corpus: the reader of a corpus folder offers it, and so may anything in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.manifest import Group, Molecule
from genomecli.corpus.records_table import RecordTable
from genomecli.corpus.shards import Column

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]


class Corpus(Protocol):
    """Records by group, and their symbols."""

    @property
    def groups(self) -> Sequence[Group]:
        """Every species and molecule of the corpus."""

    def records(
        self, species: str | None = None, molecule: Molecule | None = None, split: str | None = None
    ) -> RecordTable:
        """The records of a group."""

    def gather(
        self, rows: Ints, starts: Ints, lengths: Ints, column: Column = "symbols"
    ) -> tuple[Bytes, Ints]:
        """Pieces of records end to end, uint8[sum of lengths], and where each begins, int64[n + 1].

        ``soft`` gives 1 at soft-masked symbols, zeros where the corpus has no mask.
        """
