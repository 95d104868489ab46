"""Ranks take memory by the block, never by queries times candidates."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from genomecli.analysis.ranks import Gold, rank_vectors

FEW, MANY = 2_000, 8_000


def peak(items: int, similarity: str) -> int:
    """Bytes that numpy takes at most while vectors are ranked, beyond the vectors."""
    rng = np.random.default_rng(0)
    database = rng.normal(size=(items, 32))
    queries = database + rng.normal(size=database.shape)
    gold = Gold.single(np.arange(items))
    tracemalloc.start()
    try:
        rank_vectors(queries, database, gold, similarity=similarity)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("similarity", ["cosine", "dot", "csls"])
def test_memory_grows_with_the_items_and_not_with_their_square(similarity: str) -> None:
    few, many = peak(FEW, similarity), peak(MANY, similarity)
    assert many < 1.5 * MANY / FEW * few
    assert many < MANY * MANY * 8 / 8  # an eighth of all scores in double precision
