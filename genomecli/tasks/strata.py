"""Strata of rows: what a split keeps alike on all sides, from raw labels, before any target is fitted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from genomecli.tasks.examples import MISSING, Ints
from genomecli.tasks.labels import RawLabels

MOST = 60
"""Strata beyond which further targets are not combined."""

BINS = 5
"""Quantiles that measured values are cut into."""


def strata(raw: Mapping[str, RawLabels], rows: int) -> Ints:
    """int64[n], in 0..S-1: the combined class of each row over the targets.

    Classes are themselves, values their fifth of the sorted values, sets of classes the whole set; a missing
    label is a stratum of its own. Labels of symbols do not count. Targets are combined in their order for as
    long as there are at most :data:`MOST` strata, and every one has three rows for its number on average.

    Args:
        raw: labels as read, by target.
        rows: n.
    """
    found = np.zeros(rows, dtype=np.int64)
    for labels in raw.values():
        own = _own(labels)
        if own is None:
            continue
        _, combined = np.unique(found * (own.max(initial=0) + 2) + own + 1, return_inverse=True)
        combined = combined.reshape(-1).astype(np.int64)
        count = int(combined.max(initial=0)) + 1
        if count <= MOST and count * 3 <= max(rows, 3):
            found = combined
    return found


def _own(labels: RawLabels) -> Ints | None:
    if labels.form == "token":
        return None
    if labels.form == "class":
        return labels.values.astype(np.int64)
    if labels.form == "multilabel":
        _, index = np.unique(np.nan_to_num(labels.values, nan=-1.0), axis=0, return_inverse=True)
        return index.reshape(-1).astype(np.int64)
    values = labels.values[:, 0].astype(np.float64)
    known = np.flatnonzero(~np.isnan(values))
    own = np.full(len(values), MISSING, dtype=np.int64)
    rank = np.argsort(np.argsort(values[known], kind="stable"), kind="stable")
    own[known] = rank * BINS // max(len(known), 1)
    return own
