"""Where labels of single symbols come from: strings, an annotation, or spliced sequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from genomecli.errors import ConfigError
from genomecli.tasks.defects import Defects
from genomecli.tasks.examples import SequenceColumn
from genomecli.tasks.labels import RawLabels, form_of
from genomecli.tasks.reading_intervals import IntervalLabels
from genomecli.tasks.reading_spliced import SplicedLabels
from genomecli.tasks.reading_symbols import StringLabels
from genomecli.tasks.settings import DataSettings, TargetSettings


class SymbolSource(Protocol):
    """Labels of symbols beside the sequences."""

    files: list[dict[str, object]]
    notes: list[str]

    def check(self, ids: Sequence[str]) -> None:
        """Raise InputError if the source names none of the records."""
        ...

    def labels(self, ids: Sequence[str], sequences: SequenceColumn, defects: Defects) -> RawLabels:
        """Raw labels of the sequences, by id."""
        ...

    def elsewhere(self, ids: Iterable[str]) -> list[str]:
        """Sentences on what the source says of sequences that are not there."""
        ...

    def sides(self, ids: Sequence[str]) -> list[str]:
        """The side of a split that the source gives each record; empty where it gives none."""
        ...


def open_symbols(data: DataSettings) -> SymbolSource | None:
    """The source that the settings name, read; None if they name none. Raises InputError."""
    if data.labels is not None:
        return StringLabels(data.labels, data.missing)
    if data.intervals is not None:
        return IntervalLabels(data.intervals)
    if data.spliced is not None:
        return SplicedLabels(data.spliced)
    return None


def from_source(targets: Mapping[str, TargetSettings], source: SymbolSource | None) -> list[str]:
    """The targets whose labels the source gives: kind token without columns, or the only one, auto.

    Raises:
        ConfigError: if there is a source, and targets, and none takes it.
    """
    if source is None:
        return []
    alone = len(targets) == 1
    found = [
        name
        for name, settings in targets.items()
        if not settings.columns
        and (form_of(name, settings) == "token" or (alone and settings.kind == "auto"))
    ]
    if targets and not found:
        what = "data gives labels of symbols, and no target takes them; set the kind of one to token"
        raise ConfigError([f"{what}, without columns"])
    return found
