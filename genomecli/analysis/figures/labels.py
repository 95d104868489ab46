"""Where labels of points go so that they do not cover each other: a simple repulsion of boxes.

Each label begins beside its point, on the side away from what it belongs to. Boxes that overlap push each
other apart along the shorter way; points push boxes off; a weak pull keeps each near its own point. Places
are in printer's points, deterministic: no random numbers.

Legend: n labels, m discs that nothing may cover.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 400
_PULL = 0.02


def spread_labels(
    points: Floats,
    size: tuple[float, float],
    away_from: Floats,
    discs: Floats,
    radius: float,
    bounds: tuple[float, float],
) -> Floats:
    """Centres of labels; float64[n, 2].

    Args:
        points: float64[n, 2], what is labelled.
        size: width and height of a label's box.
        away_from: float64[n, 2], a label begins on the far side of its point from here.
        discs: float64[m, 2], centres of discs that stay free.
        radius: of the discs.
        bounds: width and height of the field; labels stay inside of it.
    """
    half = np.array(size) / 2.0
    outward = _directions(points - away_from)
    start = points + outward * (half + 2.0)
    centres = start.copy()
    for step in range(_STEPS):
        # Towards the end only overlaps of labels count: those are worse than a label that touches a ring.
        share = max(0.0, 1.0 - step / (0.8 * _STEPS))
        others = _off_discs(centres, half, discs, radius) + _off_discs(centres, half, points, 1.5)
        move = _between_boxes(centres, half) + min(1.0, 3 * share) * others
        move += _PULL * share * (start - centres)
        centres = np.clip(centres + move, half, np.maximum(np.array(bounds) - half, half))
    return centres


def overlaps(centres: Floats, size: tuple[float, float]) -> int:
    """Number of pairs of labels whose boxes overlap.

    Args:
        centres: float64[n, 2].
        size: width and height of a box, in the same unit.
    """
    gap = np.abs(centres[:, None] - centres[None]) - np.array(size)
    both = (gap < -1e-6).all(axis=2)
    return int((both.sum() - len(centres)) // 2)


def _directions(vectors: Floats) -> Floats:
    """Unit vectors; points that lie on top of each other go to the right."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Floats = np.where(lengths > 1e-9, vectors / np.maximum(lengths, 1e-9), np.array([[1.0, 0.0]]))
    return units


def _between_boxes(centres: Floats, half: Floats) -> Floats:
    """Half of what takes every two overlapping boxes apart, along the axis on which they overlap least."""
    delta = centres[:, None] - centres[None]
    overlap = 2.0 * half - np.abs(delta)
    touching = (overlap > 0).all(axis=2) & ~np.eye(len(centres), dtype=np.bool_)
    axis = overlap.argmin(axis=2)
    # Labels at one place go apart in the order in which they come.
    order = np.sign(np.arange(len(centres))[:, None] - np.arange(len(centres))[None])
    sign = np.where(delta == 0, order[..., None], np.sign(delta))
    step = np.zeros_like(delta)
    for number in (0, 1):
        chosen = touching & (axis == number)
        step[..., number] = np.where(chosen, 0.5 * (overlap[..., number] + 0.2) * sign[..., number], 0.0)
    moved: Floats = step.sum(axis=1)
    return np.clip(moved, -6.0, 6.0)


def _off_discs(centres: Floats, half: Floats, discs: Floats, radius: float) -> Floats:
    """What takes each box off the discs that it covers."""
    delta = centres[:, None] - discs[None]
    nearest = np.clip(-delta, -half, half)
    to_box = delta + nearest
    distance = np.linalg.norm(to_box, axis=2, keepdims=True)
    away = np.where(distance > 1e-9, to_box / np.maximum(distance, 1e-9), 0.0)
    # A disc whose centre lies inside of the box pushes from its centre.
    inside = distance[..., 0] <= 1e-9
    if inside.any():
        away[inside] = _directions(delta[inside] + np.array([[1e-6, 0.0]]))
    depth = np.maximum(radius + 1.0 - distance, 0.0)
    moved: Floats = 0.6 * (away * depth).sum(axis=1)
    return np.clip(moved, -6.0, 6.0)
