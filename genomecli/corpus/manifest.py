"""What a corpus says of itself: species, groups, shards, as immutable values out of ``manifest.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from genomecli.errors import InputError, refusing

KIND = "corpus"
Molecule = Literal["genome", "cds", "protein"]
MOLECULES: tuple[Molecule, ...] = ("genome", "cds", "protein")


MOST = 1 << 62
"""More records or symbols than any corpus has."""


@dataclass(frozen=True)
class SpeciesInfo:
    """One species: its name, genetic code, NCBI taxonomy number if given, and note."""

    name: str
    code: int
    taxid: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Group:
    """All records of one molecule of one species; their rows follow one another.

    Args:
        species: name.
        molecule: ``genome``, ``cds`` or ``protein``.
        first_row: row of its first record.
        records: number of records.
        symbols: number of bases or residues.
        shards: indices of its files in the corpus's list of shards.
        soft: whether its shards hold a soft mask.
    """

    species: str
    molecule: Molecule
    first_row: int
    records: int
    symbols: int
    shards: tuple[int, ...]
    soft: bool = False

    @property
    def name(self) -> str:
        """``species.molecule``, as in file names."""
        return f"{self.species}.{self.molecule}"


@dataclass(frozen=True)
class CorpusInfo:
    """Species, groups and shard files of a corpus, in order."""

    species: tuple[SpeciesInfo, ...]
    groups: tuple[Group, ...]
    shards: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        groups = [{**asdict(group), "shards": list(group.shards)} for group in self.groups]
        return {"species": [asdict(s) for s in self.species], "groups": groups, "shards": list(self.shards)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, where: object) -> CorpusInfo:
        """The inverse of :meth:`to_dict`. Raises InputError for values that make no sense."""
        with refusing("is no manifest of a corpus", where=where):
            species = tuple(SpeciesInfo(**entry) for entry in values["species"])
            groups = tuple(Group(**{**g, "shards": tuple(g["shards"])}) for g in values["groups"])
            shards = tuple(str(name) for name in values["shards"])
            _check_groups(groups)
        if any(index not in range(len(shards)) for group in groups for index in group.shards):
            raise InputError("names a shard that is not listed", where=where)
        return cls(species, groups, shards)


def _check_groups(groups: Iterable[Group]) -> None:
    """Raise ValueError unless the rows of the groups follow one another, as int64 can count them."""
    row = 0
    for group in groups:
        counts = (group.first_row, group.records, group.symbols)
        if not all(type(count) is int and 0 <= count < MOST for count in counts) or group.first_row != row:
            raise ValueError(f"group {group.name} has rows and symbols that cannot be")
        row += group.records
