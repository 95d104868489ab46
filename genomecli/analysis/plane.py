"""Places in the plane for the map of codons and amino acids: a picture, never a score.

The codons are rotated onto the amino acids with all pairs in the fit, so nearness in the picture flatters;
figures come from rotations that never saw what they score.
"""

from __future__ import annotations

import numpy as np

from genomecli.analysis.arrays import Floats
from genomecli.analysis.figures.space import PlaneMap
from genomecli.analysis.places import VectorPair
from genomecli.analysis.procrustes import fit_alignment


def plane_map(pair: VectorPair, axes: int, method: str = "pca") -> PlaneMap:
    """Codons and amino acids on two axes.

    Args:
        pair: the vectors.
        axes: principal axes of the rotation.
        method: ``pca``, or ``mds``: principal axes of the vectors scaled to unit length.
    """
    fit = fit_alignment(pair.codons, pair.amino[pair.gold.classes], axes, y_types=pair.amino)
    points = np.concatenate([_scaled(fit.map_x(pair.codons)), _scaled(fit.map_y(pair.amino))])
    flat, explained = _pca(points) if method == "pca" else _mds(points)
    flat = flat * np.sign(flat[np.abs(flat).argmax(axis=0), [0, 1]])
    return PlaneMap(flat[: pair.gold.n], flat[pair.gold.n :], explained)


def _scaled(points: Floats) -> Floats:
    size = float(np.sqrt((points**2).sum(axis=1).mean()))
    return points / size if size > 0 else points


def _pca(points: Floats) -> tuple[Floats, float]:
    centred = points - points.mean(axis=0)
    u, values, _ = np.linalg.svd(centred, full_matrices=False)
    total = float((values**2).sum())
    return u[:, :2] * values[:2], float((values[:2] ** 2).sum() / total) if total > 0 else 0.0


def _mds(points: Floats) -> tuple[Floats, float]:
    """Principal axes of the vectors scaled to unit length; vectors of zeros stay where they are.

    That is classical multidimensional scaling (Torgerson 1952) of their Euclidean distances, sqrt(2 - 2 cos).
    """
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    return _pca(points / np.where(norms > 0, norms, 1.0))
