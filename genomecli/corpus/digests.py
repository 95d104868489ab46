"""Digests: 16 hex digits that equal sequences have in common. n rows of a merge.

Genes and proteins are hashed by BLAKE2b as they are read. Contigs are hashed by SHA-256, which processors do
two to five times faster on long texts, and once their last borders are known, since a split cuts most of
them. Until then only contigs need a digest that have length and beginning in common with another: others
cannot be the same.
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

HEAD = 1 << 16
"""Symbols by which contigs of one length are told apart at first."""


def hasher() -> hashlib.blake2b:
    """What makes the digest of a cds or protein that comes in pieces."""
    return hashlib.blake2b(digest_size=DIGITS // 2)


def digest_of(symbols: Codes) -> str:
    """The digest of a cds or protein, uint8[L]."""
    digest = hasher()
    digest.update(np.ascontiguousarray(symbols).data)
    return digest.hexdigest()


def with_twins(rows: Columns, files: Sequence[Path]) -> NDArray[np.object_]:
    """object[n]: the digests, with those of contigs that may equal another of their species filled in: of one
    length with it and of one beginning.

    Args:
        rows: ``species``, ``molecule``, ``length``, ``raw``, ``at`` and ``digest``, [n] each; the last is
            empty for contigs.
        files: raw files of symbols, which ``raw`` is an index of.
    """

    def read(row: int, most: int | None = None) -> Iterator[bytes]:
        length = int(rows["length"][row])
        with open(files[int(rows["raw"][row])], "rb") as file:
            file.seek(int(rows["at"][row]))
            for begin, end in _pieces(length if most is None else min(length, most)):
                yield file.read(end - begin)

    contigs = np.flatnonzero(rows["molecule"] == "genome")
    twins = _shared(contigs, (rows["species"], rows["length"]))
    heads = _filled(rows["digest"], twins, lambda row: read(row, HEAD))
    whole = twins[rows["length"][twins] <= HEAD]
    digests = rows["digest"].astype(object)
    digests[whole] = heads[whole]
    alike = _shared(twins, (rows["species"], rows["length"], heads))
    return _filled(digests, alike[digests[alike] == ""], read)


def _shared(chosen: NDArray[np.int64], columns: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Those of some rows that another of them equals in every column, [n] each."""
    if not len(chosen):
        return chosen
    numbers = numbered([column[chosen] for column in columns])
    return chosen[np.bincount(numbers)[numbers] > 1]


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
