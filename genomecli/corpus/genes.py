"""Which coding sequence and which protein are one gene, and which rows must stay together.

n rows of a corpus that is being made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.numbering import components, first_rows, numbered

Columns = dict[str, NDArray[Any]]


def pair_genes(rows: Columns) -> NDArray[np.object_]:
    """The key that a cds and its protein share, and no other row of their species: object[n], str.

    Rows with one key of their source are paired first, the k-th cds with the k-th protein of that key; then
    what is left, by a translation equal to the protein. Rows without a partner get the empty string, and so
    do pieces of records that were cut.

    Args:
        rows: ``species``, ``molecule``, ``gene``, ``digest``, ``translation`` and ``whole``, [n] each.
    """
    keys = np.full(len(rows["gene"]), "", dtype=object)
    for species in dict.fromkeys(rows["species"].tolist()):
        of_species = (rows["species"] == species) & rows["whole"]
        cds = np.flatnonzero(of_species & (rows["molecule"] == "cds"))
        proteins = np.flatnonzero(of_species & (rows["molecule"] == "protein"))
        if not len(cds) or not len(proteins):
            continue
        used: set[str] = set()
        by_key = _match(cds, rows["gene"][cds], proteins, rows["gene"][proteins])
        _name(keys, by_key, rows["gene"], used)
        cds, proteins = cds[keys[cds] == ""], proteins[keys[proteins] == ""]
        by_text = _match(cds, rows["translation"][cds], proteins, rows["digest"][proteins])
        _name(keys, by_text, rows["id"], used)
    return keys


def _match(
    left: NDArray[np.int64], left_keys: Iterable[str], right: NDArray[np.int64], right_keys: Iterable[str]
) -> list[tuple[int, int]]:
    """Pairs of rows with one non-empty key, the k-th with the k-th, in the order of ``left``."""
    waiting: dict[str, list[int]] = defaultdict(list)
    for row, key in zip(right.tolist(), right_keys, strict=True):
        waiting[key].append(row)
    for queue in waiting.values():
        queue.reverse()
    return [
        (row, waiting[key].pop())
        for row, key in zip(left.tolist(), left_keys, strict=True)
        if key and waiting.get(key)
    ]


def _name(
    keys: NDArray[np.object_], pairs: Sequence[tuple[int, int]], names: NDArray[Any], used: set[str]
) -> None:
    for first, second in pairs:
        name, count = str(names[first]), 2
        while name in used:
            name, count = f"{names[first]}#{count}", count + 1
        used.add(name)
        keys[first] = keys[second] = name


def gene_nodes(rows: Columns, keys: NDArray[np.object_]) -> NDArray[np.int64]:
    """Which gene each row belongs to: int64[n], numbered in row order; -1 for genome rows.

    Rows are one gene if they are paired, are pieces of one record, or have one key of their source.

    Args:
        rows: ``species``, ``molecule``, ``gene``, ``unit`` and ``ordinal``, [n] each.
        keys: as :func:`pair_genes` gives them.
    """
    total = len(keys)
    genes = np.flatnonzero(rows["molecule"] != "genome")
    if not len(genes):
        return np.full(total, -1, dtype=np.int64)
    records = numbered([rows[name][genes] for name in ("unit", "molecule", "ordinal")])
    edges = [_to_first(genes, records)]
    for names in (keys, rows["gene"]):
        named = genes[names[genes] != ""]
        edges.append(_to_first(named, numbered((rows["species"][named], names[named]))))
    pairs = np.concatenate(edges)
    labels = components(total, pairs[:, 0], pairs[:, 1])
    nodes = np.full(total, -1, dtype=np.int64)
    nodes[genes] = in_order(labels[genes])
    return nodes


def _to_first(rows: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64[p, 2]: each row that is not the first of its number, with that first one."""
    first = rows[first_rows(numbers)]
    other = first != rows
    return np.stack([rows[other], first[other]], axis=1)


def in_order(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Labels renumbered from 0 by their first place: int64[n]."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse]
