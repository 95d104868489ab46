"""Clusters of similar sequences, for splits that no near copy crosses.

By ``mmseqs`` (Steinegger and Soding 2017) where it is installed: ``easy-cluster`` with the least identity
asked, 80 % of the shorter sequence covered, and connected components. Otherwise by shared k-mers
(:mod:`genomecli.tasks.similar`), joined by single linkage: ``identity`` is then the part of the k-mers that
two sequences share. That part falls faster than the identity: at k 5, proteins of 87 % identity share about
half. Equal sequences, of DNA also reverse complements, are always one cluster.
"""

from __future__ import annotations

import shutil

import numpy as np

from genomecli.corpus.families import families
from genomecli.corpus.genes import in_order
from genomecli.errors import ConfigError
from genomecli.tasks.duplicates import key_groups, linked, sequence_keys
from genomecli.tasks.examples import Examples, Ints
from genomecli.tasks.mmseqs import mmseqs_clusters
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.similar import K, sketches


def cluster(examples: Examples, settings: SplitSettings) -> tuple[Ints, str]:
    """The cluster of each row, int64[n] numbered by first row, and a sentence on how they were made.

    Raises:
        ConfigError: if mmseqs is asked for and is not there, or the data are pairs.
        RunError: if mmseqs fails.
    """
    same = linked(key_groups(sequence_keys(examples)))
    if _by_mmseqs(examples, settings):
        found = join(mmseqs_clusters(examples.sequences, settings.identity), same)
        how = f"mmseqs, identity {settings.identity:g}"
    else:
        found = families(sketches(examples, settings.k), settings.identity, same)
        k = settings.k or K[examples.sequences.alphabet]
        how = f"single linkage of sequences that share {settings.identity:g} of their {k}-mers"
    return found, f"By {int(found.max()) + 1} clusters ({how}; the largest has {largest(found)} rows)."


def largest(groups: Ints) -> int:
    """Rows of the largest group."""
    return int(np.bincount(groups).max(initial=0))


def _by_mmseqs(examples: Examples, settings: SplitSettings) -> bool:
    present = shutil.which("mmseqs") is not None
    if settings.method == "mmseqs" and not present:
        raise ConfigError(["split.method is mmseqs, and no mmseqs is on the PATH; install it, or set kmer"])
    if settings.method == "mmseqs" and examples.pair is not None:
        raise ConfigError(["split.method is mmseqs, which knows no pairs; set it to kmer"])
    return settings.method != "kmer" and present and examples.pair is None


def join(groups: Ints, pairs: tuple[Ints, Ints]) -> Ints:
    """Groups with some rows joined: int64[n], numbered by first row.

    Args:
        groups: int64[n].
        pairs: int64[p] each, rows whose groups become one.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = int(groups.max(initial=-1)) + 1
    left, right = groups[pairs[0]], groups[pairs[1]]
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    return in_order(labels[groups])
