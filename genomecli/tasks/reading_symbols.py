"""Labels of single bases or residues from strings: one letter a symbol, as long as the sequence.

They come from a FASTA beside the sequences (``data.labels``, as FLIP has it), or from a column of the table.
A mask (``data.mask``) of 0 and 1 says where they count. N symbols of all n rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from genomecli.errors import InputError
from genomecli.tasks.defects import Defects
from genomecli.tasks.examples import MISSING, SequenceColumn
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.reading_fasta import read_strings
from genomecli.tasks.rows import locate
from genomecli.tasks.sides import header_side

_FIX = "give one letter a symbol, or set data.invalid to drop"
LENGTH = "labels of another length"


def from_strings(
    column: str,
    strings: Sequence[str],
    sequences: SequenceColumn,
    missing: Sequence[str],
    defects: Defects,
) -> RawLabels:
    """Raw labels of n rows.

    Args:
        column: what they are called.
        strings: n texts.
        sequences: that they belong to.
        missing: letters, and whole texts, that say that the label is not known.
        defects: rows whose strings do not fit are added here.
    """
    lengths = sequences.lengths.tolist()
    fitting = [
        _fitting(row, column, text, length, missing, defects)
        for row, (text, length) in enumerate(zip(strings, lengths, strict=True))
    ]
    letters = np.frombuffer("".join(fitting).encode("latin-1", "replace"), dtype=np.uint8)
    found = [chr(code) for code in np.flatnonzero(np.bincount(letters, minlength=256))]
    names = [letter for letter in found if letter not in missing and letter != " "]
    table = np.full(256, MISSING, dtype=np.int64)
    table[[ord(name) for name in names]] = np.arange(len(names))
    return RawLabels("token", (column,), tuple(names), table[letters], sequences.offsets)


def _fitting(row: int, column: str, text: str, length: int, missing: Sequence[str], defects: Defects) -> str:
    """The text, or blanks where it does not have the length of the sequence."""
    if len(text) == length:
        return text
    if text not in missing and row not in defects:
        defects.add(row, LENGTH, f"its {column} has {len(text)} letters, and its sequence {length}", _FIX)
    return " " * length


def masked(
    raw: RawLabels, masks: Sequence[str | None], sequences: SequenceColumn, defects: Defects
) -> RawLabels:
    """The labels, ``MISSING`` where the mask of their row is 0; a row whose mask is None keeps all."""
    values = raw.values.copy()
    for row, mask in enumerate(masks):
        if mask is None or row in defects:
            continue
        start, stop = sequences.offsets[row : row + 2].tolist()
        wrong = mask.strip("01")
        if wrong:
            what = f"its mask has the letter {wrong[0]!r}; a mask is of 0 and 1"
            defects.add(row, "mask not of 0 and 1", what, _FIX)
        elif len(mask) != stop - start:
            what = f"its mask has {len(mask)} letters, and its sequence {stop - start}"
            defects.add(row, LENGTH, what, _FIX)
        else:
            counted = np.frombuffer(mask.encode("ascii"), dtype=np.uint8) == ord("1")
            values[start:stop][~counted] = MISSING
    return replace(raw, values=values)


def unmasked(masks: Sequence[str | None]) -> list[str]:
    """A sentence on records whose mask is None, where there are any: all of their labels count."""
    bare = sum(mask is None for mask in masks)
    if not bare:
        return []
    return [f"The mask does not name {bare} of {len(masks)} records: all of their labels count."]


def without_sequence(what: str, strings: Iterable[str], ids: Iterable[str]) -> list[str]:
    """A sentence on strings that belong to no sequence, where there are any.

    Args:
        what: they are, such as ``label string``.
        strings: their ids.
        ids: of the sequences.
    """
    known = set(ids)
    bare = [name for name in strings if name not in known]
    if not bare:
        return []
    have = f"{what} has" if len(bare) == 1 else f"{what}s have"
    more = f" and {len(bare) - 3} more" if len(bare) > 3 else ""
    return [f"{len(bare)} {have} no sequence: {', '.join(bare[:3])}{more}."]


@dataclass
class StringLabels:
    """Label strings of a FASTA file, found by id.

    Args:
        path: the file.
        missing: letters that say that the label is not known.
    """

    path: str
    missing: tuple[str, ...]
    files: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _strings: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._strings = read_strings(locate(self.path), self.files)

    def check(self, ids: Sequence[str]) -> None:
        """Raise InputError if no record has a string."""
        find_all(self._strings, ids, self.path)

    def labels(self, ids: Sequence[str], sequences: SequenceColumn, defects: Defects) -> RawLabels:
        """Raw labels; records without a string are left out."""
        texts = [self._strings[name][0] if name in self._strings else "" for name in ids]
        for row, name in enumerate(ids):
            if name not in self._strings and row not in defects:
                defects.leave_out(row, "no label string")
        self.notes += self.elsewhere(ids)
        found = from_strings("label string", texts, sequences, ("", *self.missing), defects)
        return replace(found, columns=())

    def elsewhere(self, ids: Iterable[str]) -> list[str]:
        """A sentence on strings whose id no sequence has."""
        return without_sequence("label string", self._strings, ids)

    def sides(self, ids: Sequence[str]) -> list[str]:
        """The side of each record that the headers of the strings give; empty where they give none."""
        return [header_side(self._strings[name][1]) if name in self._strings else "" for name in ids]


def find_all(strings: Mapping[str, tuple[str, str]], ids: Sequence[str], where: object) -> list[str]:
    """The letters of each id, empty where there are none. Raises InputError if no id is there at all."""
    if ids and not any(name in strings for name in ids):
        raise InputError(
            f"holds none of the ids, such as {ids[0]!r}",
            where=where,
            fix=f"its own are such as {next(iter(strings))!r}; the same records need the same ids",
        )
    return [strings[name][0] if name in strings else "" for name in ids]
