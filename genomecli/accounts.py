"""What came in is what went out and what was left out: each command makes sure of it before it ends."""

from __future__ import annotations

from collections.abc import Mapping

from genomecli.errors import RunError


def balance(noun: str, came_in: int, went: Mapping[str, int], *, where: object | None = None) -> None:
    """Make sure that all that came in is accounted for.

    Args:
        noun: what is counted, such as ``records``.
        came_in: how many.
        went: what became of them, a count each.
        where: file or group, if there is one.

    Raises:
        RunError: if the counts do not add up, which is a mistake of genomecli and not of the user.
    """
    if came_in != sum(went.values()):
        listed = ", ".join(f"{count} {name}" for name, count in went.items())
        what = f"counts do not add up: {came_in} {noun} in, {listed or 'none out'}"
        raise RunError(what, where=where, fix="please report this; what was written is not to be trusted")
