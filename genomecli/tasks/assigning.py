"""Groups to sides: proportions close to those asked, classes alike on all sides, and no group in two.

n rows, G groups, S strata (classes), P sides. Pure functions of their arguments and a generator.

Groups of several rows go first, the largest ahead, each to the side whose share of every stratum comes
nearest to what is asked (least squares). Groups of one row then fill up what each side still lacks in each
stratum, by largest remainders. So a giant group lands on the largest side, and many small ones even things
out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genomecli.tasks.examples import Floats, Ints

Sides = NDArray[np.int64]


def assign_groups(group: Ints, stratum: Ints, shares: Floats, rng: np.random.Generator) -> Sides:
    """The side of each row: int64[n], in 0..P-1.

    Args:
        group: int64[n], the group of each row, in 0..G-1, each there at least once.
        stratum: int64[n], the stratum of each row, in 0..S-1.
        shares: float64[P] that sum to 1; a side with share 0 gets nothing.
        rng: breaks ties and orders equals.
    """
    strata = int(stratum.max(initial=0)) + 1
    sizes = np.bincount(group)
    side_of_group = np.full(len(sizes), -1, dtype=np.int64)
    held = np.zeros((len(shares), strata), dtype=np.float64)
    totals = np.bincount(stratum, minlength=strata).astype(np.float64)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    large = order[sizes[order] > 1]
    counts = _counts(group, stratum, strata, large)
    for index, one in enumerate(large.tolist()):
        side = _nearest(counts[index], held, totals, shares)
        side_of_group[one] = side
        held[side] += counts[index]
    single = np.flatnonzero(sizes[group] == 1)
    single = single[rng.permutation(len(single))]
    side_of_group[group[single]] = _fill(stratum[single], held, totals, shares)
    _none_empty(side_of_group, sizes, shares)
    return side_of_group[group]


def _counts(group: Ints, stratum: Ints, strata: int, wanted: Ints) -> Ints:
    """int64[len(wanted), S]: rows of each stratum in the wanted groups."""
    place = np.full(int(group.max(initial=-1)) + 1, -1, dtype=np.int64)
    place[wanted] = np.arange(len(wanted))
    at = place[group]
    inside = at >= 0
    flat = np.bincount(at[inside] * strata + stratum[inside], minlength=len(wanted) * strata)
    return flat.reshape(len(wanted), strata).astype(np.int64)


def _nearest(count: Ints, held: Floats, totals: Floats, shares: Floats) -> int:
    """The side to which a group adds the least squared distance from the shares asked.

    A side that the group would fill to more than half beyond its share of all rows is passed over where
    another is left.
    """
    scale = np.maximum(totals, 1.0)
    part, missing = count / scale, held / scale - shares[:, None]
    rows, all_rows = float(count.sum()), float(totals.sum())
    weight = np.append(np.ones(len(scale)), len(scale))  # all rows together weigh as much as all strata
    size = np.append(part, rows / all_rows)
    lack = np.column_stack([missing, held.sum(axis=1) / all_rows - shares])
    cost = (weight * (2 * size * lack + size**2)).sum(axis=1)
    used = shares > 0
    over = held.sum(axis=1) + rows > 1.5 * shares * all_rows
    if over[used].all():
        return int(shares.argmax())
    return int(np.where(used & ~over, cost, np.inf).argmin())


def _fill(stratum: Ints, held: Floats, totals: Floats, shares: Floats) -> Sides:
    """The sides of single rows: what each side lacks in each stratum, by largest remainders."""
    sides = np.zeros(len(stratum), dtype=np.int64)
    carried = np.zeros(len(shares))
    wanted_rows = np.maximum(shares * totals.sum() - held.sum(axis=1), 0.0)
    for one in np.unique(stratum):
        rows = np.flatnonzero(stratum == one)
        lack = np.maximum(shares * totals[one] - held[:, one], 0.0)
        if not lack.sum():
            lack = wanted_rows
        exact = lack / max(lack.sum(), 1e-12) * len(rows)
        quota = _rounded(exact, carried, len(rows))
        carried += exact - quota
        sides[rows] = np.repeat(np.arange(len(shares)), quota)
    return sides


def _rounded(exact: Floats, carried: Floats, total: int) -> Ints:
    """Whole numbers that sum to ``total``, next to ``exact``; what earlier strata lost is made good first."""
    quota = np.floor(exact).astype(np.int64)
    rest = exact - quota + carried
    rest[exact <= 0] = -np.inf
    for side in np.argsort(-rest, kind="stable")[: total - int(quota.sum())]:
        quota[side] += 1
    return quota


def _none_empty(side_of_group: Sides, sizes: Ints, shares: Floats) -> None:
    """Give a side that was asked for and got nothing the smallest group of the side with most groups."""
    for side in np.flatnonzero(shares > 0).tolist():
        if (side_of_group == side).any():
            continue
        groups = np.bincount(side_of_group, minlength=len(shares))
        donor = int(groups.argmax())
        if groups[donor] > 1:
            mine = np.flatnonzero(side_of_group == donor)
            side_of_group[mine[np.argmin(sizes[mine])]] = side
