"""Units of work: the sources of all species, one file each where files can be read apart.

Jobs of an array share the units among themselves by size alone, so that every job comes to the same shares.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomecli.corpus.settings import PolicySettings, TokenizeSettings
from genomecli.errors import UsageError
from genomecli.sequences.settings import SourceSettings

PART_VERSION = 2
"""Raised when a part's content changes its meaning, so that old parts are not taken up."""


@dataclass(frozen=True)
class Unit:
    """One source to read.

    Args:
        index: its place among all units; rows of a group are in this order.
        species: name of the species.
        code: the species' genetic code.
        source: paths, kind and how to read them.
        molecules: kinds of records that are wanted.
        policies: what becomes of sequences that are not plain.
        column: key in FASTA headers that names the split, or None.
    """

    index: int
    species: str
    code: int
    source: SourceSettings
    molecules: tuple[str, ...]
    policies: PolicySettings
    column: str | None

    @property
    def name(self) -> str:
        """Name of the unit's part folder."""
        return f"unit-{self.index:05d}"

    @property
    def streams(self) -> bool:
        """Whether it reads standard input."""
        return "-" in self.source.path

    @property
    def label(self) -> str:
        """Short text for messages."""
        names = ", ".join(Path(path).name or path for path in self.source.path[:3])
        return f"{self.species}: {names}{', ...' if len(self.source.path) > 3 else ''} ({self.source.kind})"

    def files(self) -> list[Path]:
        """The files that it reads, those of folders included."""
        beside = [self.source.annotation, self.source.regions]
        given = [*self.source.path, *(text for text in beside if isinstance(text, str))]
        found: list[Path] = []
        for path in (Path(text) for text in given if text != "-"):
            found += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        return found

    def size(self) -> int:
        """Bytes of its files; absent ones count nothing."""
        return sum(path.stat().st_size for path in self.files() if path.exists())

    def key(self) -> str:
        """Hex digits that change with all that its part depends on: settings, sizes and times of files."""
        files = [(str(p), s.st_size, s.st_mtime_ns) for p in self.files() if p.exists() and (s := p.stat())]
        values: dict[str, Any] = {
            "version": PART_VERSION,
            "species": self.species,
            "code": self.code,
            "source": self.source.model_dump(mode="json"),
            "molecules": self.molecules,
            "policies": self.policies.model_dump(mode="json", exclude={"duplicates"}),
            "column": self.column,
            "files": files,
        }
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def make_units(settings: TokenizeSettings) -> list[Unit]:
    """All units, in the order of the YAML. FASTA files of one source are units of their own."""
    units: list[Unit] = []
    column = settings.split.column if settings.split.by == "column" else None
    for species in settings.species:
        for source in species.sources:
            apart = source.kind != "annotated" and len(source.path) > 1
            sources = (
                [source.model_copy(update={"path": [path]}) for path in source.path] if apart else [source]
            )
            units += [
                Unit(
                    len(units) + i,
                    species.name,
                    species.code,
                    one,
                    tuple(species.molecules),
                    settings.policies,
                    column,
                )
                for i, one in enumerate(sources)
            ]
    return units


def check_files(units: list[Unit]) -> None:
    """Raise UsageError now, not in an hour, if a file is absent."""
    missing = [str(path) for unit in units for path in unit.files() if not os.path.exists(path)]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise UsageError(f"no such file: {', '.join(missing[:5])}{more}", fix="correct tokenize.species")


def share(units: list[Unit], job: int, jobs: int) -> list[Unit]:
    """The units of job ``job`` (from 1) of ``jobs``: the largest first, each to the job with least so far.

    Raises:
        UsageError: if there is no such job, or a unit reads standard input.
    """
    if not 1 <= job <= jobs:
        raise UsageError(f"--shard {job}/{jobs} is not possible", fix="count jobs from 1")
    if any(unit.streams for unit in units):
        raise UsageError("standard input cannot be shared among jobs", fix="leave out --shard")
    load = [0] * jobs
    mine: list[Unit] = []
    for unit in sorted(units, key=lambda unit: (-unit.size(), unit.index)):
        chosen = load.index(min(load))
        load[chosen] += unit.size() + 1
        if chosen == job - 1:
            mine.append(unit)
    return sorted(mine, key=lambda unit: unit.index)
