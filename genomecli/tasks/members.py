"""Pairs that share a sequence: a pair may be new although both of its sequences are known.

What is learned of single sequences (this one binds anything) then passes for knowledge of pairs. Park and
Marcotte (2012, Nature Methods 9, 1134) tell three classes of test pairs apart, by whether both, one or none
of their sequences occur in training, and find that figures differ greatly between them. n rows, F families.
"""

from __future__ import annotations

import numpy as np

from genomecli.corpus.genes import in_order
from genomecli.errors import ConfigError
from genomecli.tasks.clusters import NO_MMSEQS, identity_of, largest, near_identity
from genomecli.tasks.examples import Examples, Ints
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.similar import JUDGED_BY, NearCopies, components


def by_member(examples: Examples, settings: SplitSettings) -> tuple[Ints, str]:
    """The group of each pair, int64[n] numbered by first row, and a sentence on how they were made.

    Pairs are joined that have an equal or a similar sequence, first or second, and what hangs together by
    such pairs is one group.

    Raises:
        ConfigError: if the data are no pairs, or mmseqs is asked for.
    """
    if examples.pair is None:
        what = "split.by is member, and the data are no pairs; name the second sequences in data.pair, or set"
        raise ConfigError([f"{what} split.by to cluster"])
    if settings.method == "mmseqs":
        raise ConfigError([NO_MMSEQS])
    near = NearCopies(examples, settings.k)
    number, similar = near.members(near_identity(settings))
    families = components(int(number.max(initial=-1)) + 1, similar)[number][:, near.same]
    n, count = len(examples), int(families.max(initial=-1)) + 1
    rows = np.tile(np.arange(n, dtype=np.int64), len(families))
    found = in_order(components(n + count, (rows, n + families.reshape(-1)))[:n])
    identity = identity_of(settings, examples.sequences.alphabet)
    judged = JUDGED_BY[examples.sequences.alphabet]
    return found, (
        f"By {int(found.max(initial=-1)) + 1} groups of pairs that share a sequence or a similar one (single "
        f"linkage; identity at least about {identity:g}, judged by {judged}; the largest has "
        f"{largest(found)} rows)."
    )
