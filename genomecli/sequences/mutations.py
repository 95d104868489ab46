"""Mutations as people write them: ``H24Y`` for one, ``A23T:G45D`` for several at once, places from 1."""

from __future__ import annotations

import re
from dataclasses import dataclass

WILD_TYPE = ("WT", "WILDTYPE", "WILD-TYPE", "_WT")
"""How a table names the sequence without mutations."""

_ONE = re.compile(r"^([A-Za-z*])([0-9]{1,18})([A-Za-z*])$")
_BETWEEN = re.compile(r"[:;,/+\s]+")


@dataclass(frozen=True, slots=True)
class Substitution:
    """One letter in place of another.

    Args:
        old: the wild type's letter, upper case.
        place: 0-based.
        new: the letter instead, upper case.
    """

    old: str
    place: int
    new: str

    def __str__(self) -> str:
        return f"{self.old}{self.place + 1}{self.new}"


def parse_mutations(text: str) -> tuple[Substitution, ...]:
    """The substitutions that ``text`` names, sorted by place; none for ``WT``.

    Several are parted by ``:`` (or ``;``, ``,``, ``/``, ``+`` or a blank).

    Raises:
        ValueError: for anything else, or a place that is named twice. The message is a clause.
    """
    if text.strip().upper() in WILD_TYPE:
        return ()
    found = []
    for part in _BETWEEN.split(text.strip()):
        match = _ONE.match(part)
        if match is None:
            raise ValueError(f"{text!r} is no mutation such as H24Y or A23T:G45D")
        old, number, new = match.groups()
        if int(number) == 0:
            raise ValueError(f"{text!r} names place 0; places are counted from 1")
        found.append(Substitution(old.upper(), int(number) - 1, new.upper()))
    found.sort(key=lambda mutation: mutation.place)
    places = [mutation.place for mutation in found]
    if len(set(places)) < len(places):
        raise ValueError(f"{text!r} names a place twice")
    return tuple(found)


def disagreement(mutations: tuple[Substitution, ...], wild_type: str) -> str | None:
    """How the first mutation that does not fit the wild type's letters disagrees with it; None if all fit."""
    for mutation in mutations:
        if mutation.place >= len(wild_type):
            return f"{mutation} lies beyond the wild type's {len(wild_type)} letters"
        letter = wild_type[mutation.place]
        if letter != mutation.old:
            return f"{mutation} wants {mutation.old} at {mutation.place + 1}, and the wild type has {letter}"
    return None


def undone(mutations: tuple[Substitution, ...], mutated: str) -> str:
    """The wild type that a mutated sequence was made from.

    Raises:
        ValueError: if the sequence does not hold the mutations. The message is a clause.
    """
    letters = list(mutated.upper())
    for mutation in mutations:
        here = letters[mutation.place] if mutation.place < len(letters) else "nothing"
        if here != mutation.new:
            raise ValueError(
                f"its sequence has {here} at {mutation.place + 1}, not the {mutation.new} of {mutation}"
            )
        letters[mutation.place] = mutation.old
    return "".join(letters)
