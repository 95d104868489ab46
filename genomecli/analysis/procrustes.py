"""Orthogonal Procrustes between two languages, fitted on part of a dictionary and applied to the rest.

W = U V^T from the SVD of Y X^T is the rotation that brings X nearest to Y (Schoenemann 1966; for
dictionaries Xing et al. 2015, Conneau et al. 2018). Means and principal axes are fitted on the training
pairs alone: centring on all items before a leave-one-out test lets the held-out item in.

Legend: n pairs, m items, D width, k axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats, as_vectors

_ROUNDING = 1e-10


def orthogonal_map(x: ArrayLike, y: ArrayLike) -> Floats:
    """The orthogonal W, float64[Dy, Dx], that minimises the distance of ``x @ W.T`` to y.

    Args:
        x: [n, Dx] and
        y: [n, Dy], row by row a pair; a partial isometry where the widths differ.
    """
    u, _, vt = np.linalg.svd(as_vectors(y, "y").T @ as_vectors(x, "x"), full_matrices=False)
    rotation: Floats = u @ vt
    return rotation


def in_own_span(items: ArrayLike) -> Floats:
    """The same items in as few coordinates as they span; float64[m, at most m].

    An isometry: all lengths and angles stay, nothing is fitted, and wide vectors become cheap to refit.
    """
    u, values, _ = np.linalg.svd(as_vectors(items), full_matrices=False)
    flat: Floats = u * values
    return flat


@dataclass(frozen=True, eq=False)
class Plane:
    """A mean and at most k principal axes of some training items.

    Args:
        mean: float64[D].
        axes: float64[k, D], orthonormal; rows of zeros where the items have fewer dimensions.
    """

    mean: Floats
    axes: Floats

    @classmethod
    def fit(cls, items: ArrayLike, count: int) -> Plane:
        """The mean and first ``count`` principal axes of the rows of ``items`` [m, D]."""
        x_mD = as_vectors(items)
        mean = x_mD.mean(axis=0)
        _, values, vt = np.linalg.svd(x_mD - mean, full_matrices=False)
        axes = np.zeros((count, x_mD.shape[1]))
        real = values[:count] > _ROUNDING * np.linalg.norm(x_mD)
        axes[: len(real)] = vt[:count] * real[:, None]
        return cls(mean, axes)

    def project(self, items: ArrayLike) -> Floats:
        """Coordinates on the axes; float64[m, k]."""
        coordinates: Floats = (as_vectors(items) - self.mean) @ self.axes.T
        return coordinates


@dataclass(frozen=True, eq=False)
class Alignment:
    """Two planes and the rotation from the first to the second.

    Args:
        source: plane of the first language.
        target: plane of the second.
        rotation: float64[k, k], applied from the left to coordinates in the first plane.
    """

    source: Plane
    target: Plane
    rotation: Floats

    def map_x(self, x: ArrayLike) -> Floats:
        """Vectors of the first language in the target plane; float64[m, k]."""
        mapped: Floats = self.source.project(x) @ self.rotation.T
        return mapped

    def map_y(self, y: ArrayLike) -> Floats:
        """Vectors of the second language in the target plane; float64[m, k]."""
        return self.target.project(y)


def fit_alignment(
    x: ArrayLike, y: ArrayLike, axes: int = 12, *, y_types: ArrayLike | None = None
) -> Alignment:
    """Fit on training pairs only.

    Args:
        x: [n, Dx] and
        y: [n, Dy], row by row a pair.
        axes: principal axes kept on each side; 12 are enough for 20 amino acids.
        y_types: [m, Dy], the second language's training items once each, for its mean and axes where
            an item occurs in several pairs; ``y`` itself by default.
    """
    source = Plane.fit(x, axes)
    target = Plane.fit(y if y_types is None else y_types, axes)
    return Alignment(source, target, orthogonal_map(source.project(x), target.project(y)))
