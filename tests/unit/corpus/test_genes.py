from __future__ import annotations

from typing import Any

import numpy as np

from genomecli.corpus.duplicates import originals, repeated_ids
from genomecli.corpus.genes import gene_nodes, in_order, pair_genes


def rows(*given: tuple[str, ...]) -> dict[str, Any]:
    """species, molecule, id, key, digest, translation, [whole]."""
    names = ("species", "molecule", "id", "gene", "digest", "translation")
    columns: dict[str, Any] = {
        name: np.array([row[i] for row in given], dtype=object) for i, name in enumerate(names)
    }
    columns["whole"] = np.array([len(row) == 6 for row in given])
    columns["unit"] = np.zeros(len(given), dtype=np.int64)
    columns["ordinal"] = np.arange(len(given))
    return columns


def test_pairs_by_key_first_then_by_translation() -> None:
    table = rows(
        ("a", "cds", "c1", "k1", "", "P1"),
        ("a", "cds", "c2", "k2", "", "P2"),
        ("a", "cds", "c3", "k3", "", "P3"),
        ("a", "protein", "p2", "other", "P2", ""),
        ("a", "protein", "p1", "k1", "changed", ""),
        ("b", "protein", "p3", "k3", "P3", ""),
    )
    assert pair_genes(table).tolist() == ["k1", "c2", "", "c2", "k1", ""]


def test_repeated_keys_pair_in_order_under_different_names() -> None:
    table = rows(
        ("a", "cds", "x", "k", "", "P1"),
        ("a", "cds", "x", "k", "", "P2"),
        ("a", "cds", "x", "k", "", "P3"),
        ("a", "protein", "x", "k", "P1", ""),
        ("a", "protein", "x", "k", "P2", ""),
    )
    assert pair_genes(table).tolist() == ["k", "k#2", "", "k", "k#2"]


def test_pieces_of_cut_records_have_no_partner_but_stay_with_their_gene() -> None:
    table = rows(
        ("a", "cds", "x:1-9", "k", "", "", "piece"),
        ("a", "cds", "x:13-30", "k", "", "", "piece"),
        ("a", "protein", "x", "k", "P", ""),
        ("a", "genome", "chr", "", "", ""),
        ("a", "cds", "y", "", "", "Q"),
    )
    table["ordinal"][:2] = 0
    keys = pair_genes(table)
    assert keys.tolist() == ["", "", "", "", ""]
    assert gene_nodes(table, keys).tolist() == [0, 0, 0, -1, 1]


def test_labels_are_numbered_by_first_place() -> None:
    assert in_order(np.array([7, 3, 7, 1, 3])).tolist() == [0, 1, 0, 2, 1]


def test_repeated_sequences_and_ids_count_within_a_group() -> None:
    table = rows(
        ("a", "cds", "x", "", "D", ""),
        ("a", "protein", "x", "", "D", ""),
        ("a", "cds", "x", "", "E", ""),
        ("a", "cds", "y", "", "D", ""),
        ("b", "cds", "x", "", "D", ""),
        ("a", "genome", "x", "", "", ""),
        ("a", "genome", "y", "", "", ""),
        ("a", "cds", "z", "", "D", ""),
    )
    lengths = np.array([9, 9, 9, 9, 9, 9, 9, 8])
    found = originals(table["species"], table["molecule"], lengths, table["digest"])
    assert found.tolist() == [0, 1, 2, 0, 4, 5, 6, 7]
    assert repeated_ids(table["species"], table["molecule"], table["id"]) == 1
