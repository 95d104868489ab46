"""What becomes of every record of a corpus in a training run, so that none is left out in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genomecli.accounts import balance

if TYPE_CHECKING:
    from genomecli.corpus.crops import Crops
    from genomecli.corpus.interface import Corpus
    from genomecli.corpus.reading_settings import ReadingSettings
    from genomecli.corpus.relations import Source

TRAIN, VALID, TEST = "for training", "for validation", "of the test part"
SHORT, UNRELATED, UNASKED = (
    "too short, or of pairs that disagree",
    "left out by the relation",
    "not asked for",
)


def account(
    corpus: Corpus,
    settings: ReadingSettings,
    sources: tuple[Source, ...],
    train: tuple[Crops, ...],
    valid: tuple[Crops, ...],
) -> dict[str, int]:
    """How many records are read for what, and why others are not; those that nothing is said of are absent.

    Args:
        corpus: all records.
        settings: what is asked for.
        sources: what the corpus has of it under the relation, over all splits.
        train, valid: what is read of them.

    Raises:
        RunError: if the counts do not add up.
    """
    tables = [corpus.records(group.species, group.molecule) for group in corpus.groups]
    size = 1 + max((int(table.row.max()) for table in tables if len(table)), default=-1)
    became = np.full(size, "", dtype=object)
    for group, table in zip(corpus.groups, tables, strict=True):
        wanted = settings.species is None or group.species in settings.species
        became[table.row] = UNRELATED if wanted and group.molecule in settings.molecules else UNASKED
    for source in sources:
        for records in (source.records, source.partners):
            if records is not None and len(records):
                split = source.records.column("split")  # of a pair, the coding sequence decides
                became[records.row] = np.where(split == "test", TEST, SHORT)
    for name, crops in ((VALID, valid), (TRAIN, train)):
        for crop in crops:
            for side in (crop.side, crop.partner):
                if side is not None:
                    became[side.rows] = name
    names, counts = np.unique(became[became != ""], return_counts=True)
    found = dict(zip(names.tolist(), counts.tolist(), strict=True))
    order = (TRAIN, VALID, TEST, SHORT, UNRELATED, UNASKED)
    went = {name: int(found[name]) for name in order if name in found}
    balance("records", sum(len(table) for table in tables), went)
    return went


def sentence(went: dict[str, int]) -> str:
    """The account in words."""
    listed = ", ".join(f"{count:,} {name}" for name, count in went.items())
    return f"of {sum(went.values()):,} records {listed}"
