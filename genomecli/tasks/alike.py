"""Names in labelled data that are easily taken for each other: repeated ids, classes that differ by case."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def repeated_ids(ids: Sequence[str], places: Sequence[str]) -> list[str]:
    """A sentence on ids that occur more than once, with two places of the first; none where none does.

    Args:
        ids: of the rows.
        places: likewise.
    """
    first: dict[str, int] = {}
    again: dict[str, int] = {}
    for row, name in enumerate(ids):
        if first.setdefault(name, row) != row:
            again.setdefault(name, row)
    if not again:
        return []
    name, row = next(iter(again.items()))
    many = f"{len(again)} ids occur" if len(again) > 1 else "1 id occurs"
    return [f"{many} more than once: {name!r} at {places[first[name]]} and at {places[row]}."]


def nameless(count: int) -> list[str]:
    """A sentence on rows whose id is empty; none where there is none."""
    have = "1 row has no id and is" if count == 1 else f"{count} rows have no id and are"
    return [f"{have} called record_N, by the number in the input."] if count else []


def alike_names(target: str, names: Sequence[str], declared: Collection[str]) -> list[str]:
    """Sentences on classes that differ in case or blanks only; they stay apart.

    Args:
        target: its name.
        names: of the classes that were read.
        declared: classes that the settings name, which are meant as they are.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault("".join(name.split()).casefold(), []).append(name)
    return [
        f"Target {target}: {' and '.join(map(repr, group))} differ in case or blanks only, and are "
        f"{len(group)} classes."
        for group in groups.values()
        if len(group) > 1 and not set(group) <= set(declared)
    ]
