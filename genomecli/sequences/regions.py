"""Stretches of a genome that are wanted, from text (``chr1:100-200``) or BED.

Text counts from 1 and includes both ends, as samtools does; BED counts from 0 and leaves its end out. Inside,
and in :class:`Region`, it is the latter. A contig alone means the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from genomecli.errors import InputError

TEXT = re.compile(r"(?P<contig>.+):(?P<first>[0-9][0-9,]{0,23})-(?P<last>[0-9][0-9,]{0,23})")
"""A region as text. Commas in numbers are left out."""


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of a contig.

    Args:
        contig: id of the contig.
        start: first base, 0-based.
        stop: one past the last base; None for the contig's end.
    """

    contig: str
    start: int = 0
    stop: int | None = None

    @property
    def id(self) -> str:
        """``contig:first-last``, 1-based with both ends; a contig's own id for the whole of it."""
        return self.contig if self.stop is None else f"{self.contig}:{self.start + 1}-{self.stop}"

    def check(self, length: int, where: object) -> None:
        """Raise InputError if the region reaches beyond a contig of ``length`` bases."""
        if self.stop is not None and self.stop > length:
            raise InputError(
                f"reaches beyond its contig, which has {length:,} bases",
                where=f"{where}, region {self.id}",
                fix="correct regions, or give the assembly that they belong to",
            )


def parse_region(text: str) -> Region:
    """A region written as ``contig:first-last`` or ``contig``.

    Raises:
        InputError: if it ends before it starts, or starts before base 1.
    """
    found = TEXT.fullmatch(text)
    if found is None:
        return Region(text)
    first, last = (int(found[name].replace(",", "")) for name in ("first", "last"))
    if not 1 <= first <= last:
        what = "starts before base 1" if first < 1 else "ends before it starts"
        raise InputError(what, where=f"region {text}", fix="write contig:first-last, counted from 1")
    return Region(found["contig"], first - 1, last)


def in_order(regions: Iterable[Region], contigs: Sequence[str] | None = None) -> list[Region]:
    """Regions in the order in which they lie: contig by contig, by their start, then by their end.

    Args:
        regions: in any order.
        contigs: ids in file order; without them the contigs stay in the order of ``regions``.
    """
    wanted = list(regions)
    names = dict.fromkeys(region.contig for region in wanted) if contigs is None else contigs
    rank = {name: number for number, name in enumerate(names)}
    return sorted(
        wanted,
        key=lambda r: (rank[r.contig], r.start, float("inf") if r.stop is None else r.stop),
    )


def by_contig(regions: Iterable[Region]) -> dict[str, list[Region]]:
    """Regions in order, by contig."""
    found: dict[str, list[Region]] = {}
    for region in in_order(regions):
        found.setdefault(region.contig, []).append(region)
    return found


def overlaps(regions: Iterable[Region]) -> int:
    """How many regions share a base with one that lies before them on their contig."""
    count = 0
    for mine in by_contig(regions).values():
        reach = 0.0
        for one, other in pairwise(mine):
            reach = max(reach, float("inf") if one.stop is None else one.stop)
            count += other.start < reach
    return count


def check_contigs(regions: Iterable[Region], lengths: Mapping[str, int], where: object) -> None:
    """Raise InputError for a region of an unknown contig, or beyond its end."""
    for region in regions:
        if region.contig not in lengths:
            raise unknown_contig(region, list(lengths), where)
        region.check(lengths[region.contig], where)


def unknown_contig(region: Region, known: Sequence[str], where: object) -> InputError:
    """The error for a region of a contig that is not there."""
    shown = ", ".join(known[:4]) + (f" and {len(known) - 4} more" if len(known) > 4 else "")
    return InputError(
        f"has no contig {region.contig!r}",
        where=f"{where}, region {region.id}",
        fix=f"it holds {shown or 'none'}",
    )
