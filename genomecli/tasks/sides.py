"""Words for the sides of a split, as tables and FASTA headers write them."""

from __future__ import annotations

from collections.abc import Sequence

from genomecli.tasks.rows import FastaRows, header_value

SIDES = ("train", "valid", "test")
_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def side(word: str) -> str:
    """``train``, ``valid`` or ``test`` for any of their usual words; another word stays as it is."""
    return _WORDS.get(word.strip().lower(), word.strip())


def header_side(header: str) -> str:
    """The side that a FASTA header gives: ``SET=``, and ``VALIDATION=True`` for training records held out."""
    given = side(header_value(header, "SET"))
    held_out = header_value(header, "VALIDATION").lower() in ("true", "1", "yes")
    return "valid" if held_out and given == "train" else given


def header_sides(rows: FastaRows) -> Sequence[str]:
    """The side of each record, empty where its header gives none."""
    return [header_side(header) for header in rows.headers]
