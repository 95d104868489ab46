"""Which rows are held out. Pure functions of the rows, the settings and a seed.

A *unit* is what stays on one side: a gene family, a gene with its near-identical copies, a contig, or a block
of one. Units are ordered by a hash of the seed and of their own content, so the order of files does not
matter; along that order the test takes its share, then the validation, the rest is for training. Shares are
met within each species, so each has all three sides if it has three units. A unit larger than what is still
wanted is passed over, so that one giant family does not become the test.

Genes and genome: by ``family`` and ``record`` the genes' sides are independent of the genome blocks', so a
model that reads both has seen held-out genes as genome: judge it on a molecule that it was not trained
on beside. By ``contig`` a gene takes the side of the block in which it starts, and only the rest of a gene
that crosses the border leaks. There, genes that are near-identical across sides all go to training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
SIDES = ("train", "valid", "test")
TRAIN, VALID, TEST = range(3)
SMALLEST_BLOCK = 1000
BLOCKS_WANTED = 40


def assign(
    labels: Sequence[str], weights: Ints, owners: Sequence[str], *, valid: float, test: float, seed: int
) -> NDArray[np.int8]:
    """The side of each unit: int8[n], an index of :data:`SIDES`.

    Args:
        labels: what is hashed, one a unit; content, not numbers.
        weights: int64[n], size of each unit in whatever the shares are meant in.
        owners: the species that each unit counts for.
        valid: share held out for validation.
        test: share held out for the test.
        seed: another seed gives another split.
    """
    sides = np.zeros(len(labels), dtype=np.int8)
    hashes = _hashes(seed, labels)
    owner = np.array(owners, dtype=object)
    for species in dict.fromkeys(owners):
        mine = np.flatnonzero(owner == species)
        mine = mine[np.argsort(hashes[mine], kind="stable")]
        _fill(sides, mine, weights, valid, test)
    return sides


def _hashes(seed: int, labels: Sequence[str]) -> NDArray[np.uint64]:
    """uint64[n]: eight bytes of the BLAKE2b of seed and label."""
    blake2b, before = hashlib.blake2b, f"{seed}\x1f"
    digests = [blake2b((before + label).encode(), digest_size=8).digest() for label in labels]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def _fill(sides: NDArray[np.int8], units: Ints, weights: Ints, valid: float, test: float) -> None:
    total = int(weights[units].sum())
    free = units
    for side, share in ((TEST, test), (VALID, valid)):
        # One unit is left for training, and one for the validation where there are three.
        spare = 2 if side == TEST and valid > 0 and len(free) > 2 else 1
        if share <= 0 or len(free) <= spare:
            continue
        taken = _take(free, weights, share * total, len(free) - spare)
        sides[taken] = side
        free = free[~np.isin(free, taken)]


def _take(units: Ints, weights: Ints, wanted: float, most: int) -> list[int]:
    """Units in their order up to the wanted weight; at least one, at most ``most``.

    Those before the first that is too large, or too much, are taken at once.
    """
    sizes = weights[units]
    left = wanted - (np.cumsum(sizes) - sizes)  # before each, if all before it are taken
    fits = (left > 0) & (sizes <= 1.5 * left)
    fits[most:] = False
    first = len(units) if fits.all() else int(np.argmin(fits))
    taken: list[int] = units[:first].tolist()
    wanted -= int(sizes[:first].sum())
    for unit, weight in zip(units[first:].tolist(), sizes[first:].tolist(), strict=True):
        if wanted <= 0 or len(taken) == most:
            break
        if weight <= 1.5 * wanted:
            taken.append(unit)
            wanted -= weight
    return taken or [int(units[np.argmin(sizes)])]


def block_length(total: int, block: int) -> int:
    """The length of blocks for a genome of ``total`` bases: a fortieth of small ones; 0 is no blocks."""
    return min(block, max(SMALLEST_BLOCK, total // BLOCKS_WANTED)) if block else 0


def cut_at_blocks(starts: Ints, stops: Ints, block: int) -> tuple[Ints, Ints, Ints]:
    """Cut intervals of contigs at multiples of ``block``.

    A rest shorter than half a block stays with the block before it.

    Args:
        starts, stops: int64[n], places on their contigs.
        block: bases; 0 cuts nothing.

    Returns:
        int64[m] interval that each piece comes from, its start and its stop.
    """
    if not block:
        return np.arange(len(starts)), starts, stops
    source, begins, ends = [], [], []
    for index, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        inner = [
            edge
            for edge in range((start // block + 1) * block, stop, block)
            if min(edge - start, stop - edge) * 2 >= block
        ]
        edges = [start, *inner, stop]
        source += [index] * (len(edges) - 1)
        begins += edges[:-1]
        ends += edges[1:]
    return (np.array(values, dtype=np.int64) for values in (source, begins, ends))  # type: ignore[return-value]


def join_pieces(keys: NDArray[Any], starts: Ints, stops: Ints) -> tuple[Ints, Ints]:
    """Runs of consecutive pieces that have one key and touch each other: int64[runs] first and last piece."""
    apart = (keys[1:] != keys[:-1]) | (stops[:-1] != starts[1:])
    bounds = np.concatenate([[0], np.flatnonzero(apart) + 1, [len(keys)]]).astype(np.int64)
    return bounds[:-1], bounds[1:] - 1
