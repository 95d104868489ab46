"""Blocks of a genome: windows that were cut end to end, grouped by stretches of some bases of their contig.

Windows of one contig touch each other, so neighbours cannot be kept together: they would all be one group.
Instead a contig is divided into blocks. A border between two blocks lies at a border of windows, where
possible one that no labelled feature crosses, within half a block of its regular place. A feature is a run of
symbols of one class other than the first, which is the background. n windows, p pairs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from genomecli.tasks.examples import Examples, Ints
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.places import Places


def own_places(examples: Examples) -> Places:
    """Where windows were cut from; ``examples.coordinates`` are given."""
    assert examples.coordinates is not None
    contigs = {name: i for i, name in enumerate(dict.fromkeys(c for c, *_ in examples.coordinates))}
    contig = np.array([contigs[c] for c, *_ in examples.coordinates], dtype=np.int64)
    start = np.array([start for _, start, _, _ in examples.coordinates], dtype=np.int64)
    end = np.array([end for _, _, end, _ in examples.coordinates], dtype=np.int64)
    # No window crosses the origin of a ring, and blocks end there in any case.
    return Places(np.arange(len(examples), dtype=np.int64), contig, start, end, np.zeros_like(start))


def crossed(examples: Examples, raw: Mapping[str, RawLabels]) -> tuple[Ints, Ints]:
    """Neighbouring windows that a feature crosses: int64[p] each, a pair for each target with such a feature.

    Args:
        examples: n windows, with or without coordinates.
        raw: their labels; only classes of symbols that are declared in order have a background.
    """
    found = [np.zeros((2, 0), dtype=np.int64)]
    if examples.coordinates is not None:
        places = own_places(examples)
        order = np.lexsort((places.start, places.contig))
        left, right = order[:-1], order[1:]
        touch = (places.contig[left] == places.contig[right]) & (places.end[left] == places.start[right])
        touch &= (examples.sequences.lengths[left] > 0) & (examples.sequences.lengths[right] > 0)
        left, right = left[touch], right[touch]
        for labels in raw.values():
            if labels.offsets is not None and labels.declared:
                last, first = (
                    labels.values[labels.offsets[left + 1] - 1],
                    labels.values[labels.offsets[right]],
                )
                found.append(np.stack([left, right])[:, (last == first) & (last > 0)])
    pairs = np.concatenate(found, axis=1)
    return pairs[0], pairs[1]


def blocks(places: Places, size: int, kept: tuple[Ints, Ints]) -> Ints:
    """The block of each window, int64[n].

    Args:
        places: of n windows, in the order of their rows.
        size: bases of a block; a last one of less than half joins the one before.
        kept: pairs of neighbouring windows that a feature crosses.
    """
    within = np.zeros(len(places.row), dtype=bool)
    within[kept[1]] = True
    order = np.lexsort((places.start, places.contig))
    found = np.zeros(len(order), dtype=np.int64)
    number = 0
    for rows in np.split(order, np.flatnonzero(np.diff(places.contig[order])) + 1):
        for group in np.split(rows, _borders(places.start[rows], places.end[rows], within[rows], size)):
            found[group] = number
            number += 1
    return found


def _borders(start: Ints, end: Ints, within: NDArray[np.bool_], size: int) -> list[int]:
    """Windows of a contig, in order, before which a block ends."""
    borders: list[int] = []
    begin = int(start[0])
    while int(end[-1]) - begin >= 1.5 * size:
        first = (borders[-1] if borders else 0) + 1
        low, high = np.searchsorted(start, [begin + size // 2, begin + size + size // 2 + 1])
        near = np.arange(max(int(low), first), int(high))
        if not len(near):  # the next window begins further off, or is longer than a block
            near = np.array([max(int(high), first)])
            if near[0] >= len(start):
                break
        whole = near[~within[near]]
        near = whole if len(whole) else near
        borders.append(int(near[np.argmin(np.abs(start[near] - begin - size))]))
        begin = int(start[borders[-1]])
    return borders
