"""The merge's arithmetic on arrays does what loops over rows do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.corpus import holdout, merge
from genomecli.corpus.duplicates import originals, repeated_ids
from genomecli.corpus.genes import gene_nodes, pair_genes
from genomecli.corpus.merge import Raw
from genomecli.corpus.numbering import distinct, first_rows, numbered
from genomecli.corpus.splits import SIDES, _hashes
from tests.unit.corpus import slow_merge

SEEDS = range(12)


def some_rows(seed: int) -> dict[str, Any]:
    """Rows of two species in corpus order, with repeated ids, keys, texts and pieces of records."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[Any]] = {}
    at = 0
    for species in ("a", "b")[: 1 + seed % 2]:
        for molecule in ("genome", "cds", "protein"):
            if molecule != "protein" and rng.random() < 0.3:
                continue
            ordinal, place = 0, 0
            for _ in range(int(rng.integers(1, 25))):
                piece = rng.random() < 0.3
                ordinal += not piece
                place = place if piece else int(rng.integers(0, 9)) * 10
                length = int(rng.integers(1, 40))
                at += int(rng.integers(0, 2)) * 7
                text = f"{int(rng.integers(0, 9)) * 7:016x}"
                row = {
                    "species": species,
                    "molecule": molecule,
                    "unit": int(rng.integers(0, 2)),
                    "ordinal": ordinal,
                    "id": f"r{int(rng.integers(0, 30))}",
                    "gene": f"k{int(rng.integers(0, 12))}"
                    if molecule != "genome" and rng.random() < 0.7
                    else "",
                    "digest": text,
                    "translation": text if molecule == "cds" and rng.random() < 0.8 else "",
                    "whole": not piece,
                    "contig": f"c{int(rng.integers(0, 3))}" if rng.random() < 0.8 else "",
                    "length": length,
                    "at": at,
                    "raw": int(rng.integers(0, 2)),
                    "cds_start": place,
                    "cds_end": place + length,
                }
                place, at = place + length, at + length
                for name, value in row.items():
                    rows.setdefault(name, []).append(value)
    return {
        name: np.array(values, dtype=object if isinstance(values[0], str) else None)
        for name, values in rows.items()
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_repeats_and_pairs(seed: int) -> None:
    rows = some_rows(seed)
    columns = rows["species"], rows["molecule"]
    texts = *columns, rows["length"], rows["digest"]
    twice = originals(*texts) != np.arange(len(rows["id"]))
    assert twice.tolist() == slow_merge.repeated(*texts)
    assert repeated_ids(*columns, rows["id"]) == sum(slow_merge.repeated(*columns, rows["id"]))
    keys = pair_genes(rows)
    nodes = gene_nodes(rows, keys)
    assert nodes.tolist() == slow_merge.gene_nodes(rows, keys)
    rows["gene_key"] = keys
    assert merge._pair_facts(rows) == slow_merge.pair_facts(rows)
    left, right = merge._equal_proteins(rows, nodes)
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == slow_merge.equal_proteins(rows, nodes)
    kept = {name: column[::2] for name, column in rows.items()}
    assert merge._still_paired(kept).tolist() == slow_merge.still_paired(kept)


@pytest.mark.parametrize("seed", SEEDS)
def test_sides_and_blocks(seed: int) -> None:
    rows = some_rows(seed)
    nodes = gene_nodes(rows, pair_genes(rows))
    genes = nodes >= 0
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 9, len(nodes))
    expected = slow_merge.clip_to_last(numbers, rows, ~genes)
    holdout._clip_to_last(numbers, rows, ~genes)
    assert numbers.tolist() == expected
    near = np.unique(rng.integers(0, 9, nodes.max() + 1), return_inverse=True)[1]
    shares = {"valid": 0.2, "test": 0.2, "seed": seed}
    sides = holdout._gene_sides(rows, nodes, near, shares)
    assert sides.tolist() == slow_merge.gene_sides(rows, nodes, near, shares)
    places = holdout._places(rows, numbers, genes)
    for place, species, contig, number, gene in zip(
        places, rows["species"], rows["contig"], numbers, genes, strict=True
    ):
        assert place == (f"{species}\x1f{contig}\x1f{number}" if contig and gene else "")
    labels = [f"{name}\x1fé" for name in rows["id"].tolist()]
    assert _hashes(seed, labels).tolist() == slow_merge.hashes(seed, labels)


@pytest.mark.parametrize("seed", SEEDS)
def test_pieces_of_contigs_are_joined(seed: int) -> None:
    rows = some_rows(seed)
    if seed % 4 == 3:
        rows = {name: column[rows["molecule"] != "genome"] for name, column in rows.items()}
    rng = np.random.default_rng(seed)
    rows["split"] = np.array(SIDES, dtype=object)[rng.integers(0, 2, len(rows["unit"]))]
    expected = slow_merge.join_genome(rows)
    joined = holdout._join_genome({name: column.copy() for name, column in rows.items()})
    assert joined["id"].tolist() == [name for _, _, name in expected]
    assert joined["cds_end"].tolist() == [int(rows["cds_end"][last]) for _, last, _ in expected]
    for column in ("at", "contig", "split", "ordinal", "cds_start"):
        assert joined[column].tolist() == [rows[column][first] for first, _, _ in expected]
    assert joined["recut"].tolist() == [name != rows["id"][first] for first, _, name in expected]


@pytest.mark.parametrize("seed", SEEDS)
def test_spans_and_counts(seed: int) -> None:
    rows = some_rows(seed)
    raws = [Raw(Path("a"), None), Raw(Path("b"), Path("soft"))]
    starts = np.concatenate([[0], np.cumsum(rows["length"])])
    rng = np.random.default_rng(seed)
    for _ in range(5):
        low, high = np.sort(rng.choice(int(starts[-1]) + 1, 2, replace=False)).tolist()
        found = merge._spans(rows, raws, starts, low, high)
        assert found == slow_merge.spans(rows, raws, starts, low, high)
    chosen = rng.random(len(rows["unit"])) < 0.6
    kept = {name: column[chosen] for name, column in rows.items()}
    marks = list(dict.fromkeys(zip(rows["species"].tolist(), rows["molecule"].tolist(), strict=True)))
    expected = {}
    for mark in marks:
        before, after = slow_merge.extent(rows, mark), slow_merge.extent(kept, mark)
        expected[mark] = (before[0] - after[0], before[1] - after[1], after[2])
    assert merge.duplicate_tallies(rows, kept) == expected


@pytest.mark.parametrize("wide", [False, True])
def test_equal_rows_have_equal_numbers(wide: bool) -> None:
    rng = np.random.default_rng(0)
    columns = [rng.integers(-3, 3, 200) * (10**17 if wide else 1) for _ in range(5)]
    columns.append(np.array([f"t{i}" for i in rng.integers(0, 4, 200)], dtype=object))
    numbers = numbered(columns[3:])
    assert first_rows(numbers).tolist() == slow_first(columns[3:])
    numbers = numbered(columns)
    assert first_rows(numbers).tolist() == slow_first(columns)
    assert distinct(numbers) == len(set(slow_first(columns)))
    assert numbers.min() >= 0
    assert numbers.max() <= 10 * 200
    assert distinct(numbered([np.zeros(0, dtype=object)])) == 0


def slow_first(columns: list[Any]) -> list[int]:
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    return [rows.index(row) for row in rows]
