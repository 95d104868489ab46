"""Factors of the classes' losses, from their counts in the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from genomecli.errors import UsageError
from genomecli.tasks.examples import Ints
from genomecli.tasks.schema import Target


def class_weights(
    target: Target, wanted: Literal["none", "balanced"] | Mapping[str, float], counts: Ints, known: Ints
) -> tuple[float, ...]:
    """The factor of each class, empty for 1 each.

    ``balanced`` is ``total / (C * count)`` as in scikit-learn, 1 for a class without a label. Of multilabel
    targets each class has its own question, and the factor is that of its positive rows (``pos_weight`` of
    torch): negatives / positives, 1 for a class with rows on one side only.

    Args:
        target: with its classes in order.
        wanted: the setting; a mapping may leave classes out, which have 1.
        counts: int64[C], labels of each class in the training rows.
        known: int64[C], multilabel: training rows in which it is known whether they have the class; not
            read of other kinds.

    Raises:
        UsageError: for a class that the target does not have.
    """
    if wanted == "none":
        return ()
    if isinstance(wanted, Mapping):
        strange = [name for name in wanted if name not in target.classes]
        if strange:
            what = f"target {target.name!r}: class_weights names {strange[0]!r}, which is no class of it"
            raise UsageError(what, fix=f"its classes are {', '.join(target.classes)}")
        return tuple(wanted.get(name, 1.0) for name in target.classes)
    some = np.maximum(counts, 1)
    if target.form == "multilabel":
        weights = np.where(known > counts, (known - counts) / some, 1.0)
    else:
        weights = counts.sum() / (np.count_nonzero(counts) * some)
    return tuple(np.where(counts > 0, weights, 1.0).tolist())
