"""Clusters of similar sequences, for splits that no near copy crosses.

Proteins by ``mmseqs`` (Steinegger and Soding 2017) where it is installed: ``easy-cluster`` with the least
identity asked, 80 % of the shorter sequence covered, and connected components. Otherwise, and DNA always if
``mmseqs`` is not asked for, by shared k-mers (:mod:`genomecli.tasks.similar`), joined by single linkage: of
families of 60 to 250 bases that differ in a tenth of their letters, mmseqs 14 finds half, shared k-mers all.
``identity`` is that of the sequences in both. Equal sequences, of DNA also reverse complements, are always
one cluster, and so are windows of one sequence.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import numpy as np

from genomecli.corpus.genes import in_order
from genomecli.errors import ConfigError
from genomecli.tasks.duplicates import key_groups, linked, sequence_keys
from genomecli.tasks.examples import Examples, Ints
from genomecli.tasks.mmseqs import mmseqs_clusters
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.similar import IDENTITY, JUDGED_BY, NearCopies, components

NO_MMSEQS = "split.method is mmseqs, which knows no pairs; set it to kmer"
"""What is said of pairs."""


def cluster(examples: Examples, settings: SplitSettings) -> tuple[Ints, str]:
    """The cluster of each row, int64[n] numbered by first row, and a sentence on how they were made.

    Raises:
        ConfigError: if mmseqs is asked for and is not there, or the data are pairs.
        RunError: if mmseqs fails.
    """
    identity = identity_of(settings, examples.sequences.alphabet)
    if _by_mmseqs(examples, settings):
        same = linked(key_groups(sequence_keys(examples)))
        found = join(mmseqs_clusters(examples.sequences, identity), same)
        how = f"mmseqs, identity at least {identity:g}"
    else:
        near = NearCopies(examples, settings.k)
        found = in_order(
            components(int(near.same.max(initial=-1)) + 1, near.pairs(near_identity(settings)))[near.same]
        )
        judged = JUDGED_BY[examples.sequences.alphabet]
        how = f"single linkage; identity at least about {identity:g}, judged by {judged}"
        how += "; pairs whose two sequences are both similar" if examples.pair is not None else ""
    whole = join(found, windows_of_one(examples))
    how += "; windows of one sequence together" if int(whole.max()) < int(found.max()) else ""
    return whole, f"By {int(whole.max()) + 1} clusters ({how}; the largest has {largest(whole)} rows)."


def near_identity(settings: SplitSettings) -> Mapping[str, float]:
    """The identity of similar sequences, by alphabet."""
    return {name: identity_of(settings, name) for name in IDENTITY}


def identity_of(settings: SplitSettings, alphabet: str) -> float:
    """The identity that is asked for, or the usual one of an alphabet."""
    return IDENTITY[alphabet] if settings.identity is None else settings.identity


def largest(groups: Ints) -> int:
    """Rows of the largest group of int64[n], numbered from 0; 0 where there are no rows."""
    return int(np.bincount(groups).max(initial=0))


def _by_mmseqs(examples: Examples, settings: SplitSettings) -> bool:
    present = shutil.which("mmseqs") is not None
    dna = examples.sequences.alphabet == "dna"
    if settings.method == "mmseqs" and not present:
        raise ConfigError(["split.method is mmseqs, and no mmseqs is on the PATH; install it, or set kmer"])
    if settings.method == "mmseqs" and examples.pair is not None:
        raise ConfigError([NO_MMSEQS])
    if settings.method == "mmseqs":
        return True
    return settings.method == "auto" and present and examples.pair is None and not dna


def windows_of_one(examples: Examples) -> tuple[Ints, Ints]:
    """Rows that are windows of one sequence, as pairs that join them all: int64[p] each.

    They touch each other and have their label, gene or annotation in common, so they are not independent.
    """
    return linked(np.arange(len(examples)) if examples.record is None else examples.record)


def join(groups: Ints, pairs: tuple[Ints, Ints]) -> Ints:
    """Groups with some rows joined: int64[n], numbered by first row.

    Args:
        groups: int64[n].
        pairs: int64[p] each, rows whose groups become one.
    """
    count = int(groups.max(initial=-1)) + 1
    return in_order(components(count, (groups[pairs[0]], groups[pairs[1]]))[groups])
