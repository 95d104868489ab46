"""Digests: 16 hex digits that equal sequences have in common. n rows of a merge.

Genes and proteins are hashed by BLAKE2b as they are read. Contigs are hashed by SHA-256, which processors do
two to five times faster on long texts, and once their last borders are known, since a split cuts most of
them. Until then only contigs of one length need a digest: others cannot be the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.numbering import numbered
from genomecli.corpus.shards import ShardedColumns
from genomecli.sequences.alphabets import Codes

Columns = Mapping[str, NDArray[Any]]
DIGITS = 16
PIECE = 1 << 20
"""Symbols of a contig hashed at a time."""


def hasher() -> hashlib.blake2b:
    """What makes the digest of a cds or protein that comes in pieces."""
    return hashlib.blake2b(digest_size=DIGITS // 2)


def digest_of(symbols: Codes) -> str:
    """The digest of a cds or protein, uint8[L]."""
    digest = hasher()
    digest.update(np.ascontiguousarray(symbols).data)
    return digest.hexdigest()


def with_twins(rows: Columns, files: Sequence[Path]) -> NDArray[np.object_]:
    """object[n]: the digests, with those of contigs as long as another of their species filled in.

    Args:
        rows: ``species``, ``molecule``, ``length``, ``raw``, ``at`` and ``digest``, [n] each; the last is
            empty for contigs.
        files: raw files of symbols, which ``raw`` is an index of.
    """
    contigs = np.flatnonzero(rows["molecule"] == "genome")
    numbers = numbered((rows["species"][contigs], rows["length"][contigs]))
    twins = contigs[np.bincount(numbers)[numbers] > 1] if len(contigs) else contigs

    def read(row: int) -> Iterator[bytes]:
        with open(files[int(rows["raw"][row])], "rb") as file:
            file.seek(int(rows["at"][row]))
            for begin, end in _pieces(int(rows["length"][row])):
                yield file.read(end - begin)

    return _filled(rows["digest"], twins, read)


def with_contigs(rows: Columns, store: ShardedColumns) -> NDArray[np.object_]:
    """object[n]: the digests, with those of contigs that have none yet, or that a split has cut.

    Args:
        rows: ``length``, ``digest`` and, where a split has cut contigs, ``recut``, [n] each.
        store: the symbols of all rows, one after the other.
    """
    starts = np.cumsum(rows["length"]) - rows["length"]
    missing = rows["digest"] == ""
    contigs = np.flatnonzero(missing | rows["recut"] if "recut" in rows else missing)

    def read(row: int) -> Iterator[Codes]:
        start = int(starts[row])
        for begin, end in _pieces(int(rows["length"][row])):
            yield store.read(start + begin, start + end)

    return _filled(rows["digest"], contigs, read)


def _pieces(length: int) -> Iterator[tuple[int, int]]:
    return pairwise([*range(0, length, PIECE), length])


def _filled(
    digests: NDArray[Any], chosen: NDArray[np.int64], read: Callable[[int], Iterator[Any]]
) -> NDArray[np.object_]:
    found = digests.astype(object)
    for row in chosen.tolist():
        digest = hashlib.sha256()
        for piece in read(row):
            digest.update(piece)
        found[row] = digest.hexdigest()[:DIGITS]
    return found
