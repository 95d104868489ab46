"""Connected components against SciPy's; equal rows as equal numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from genomecli.corpus.genes import in_order
from genomecli.corpus.numbering import components, numbered


def reference(total: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    graph = coo_array((np.ones(len(left)), (left, right)), shape=(total, total))
    return in_order(connected_components(graph, directed=False)[1])


@pytest.mark.parametrize("seed", range(20))
def test_components_are_those_of_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    total = int(random.integers(1, 400))
    left, right = random.integers(0, total, (2, int(random.integers(0, 2 * total))))
    found = components(total, left, right)
    assert np.array_equal(in_order(found), reference(total, left, right))
    for label in np.unique(found).tolist():
        assert np.flatnonzero(found == label)[0] == label  # the smallest member names it


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_long_chain_is_one_component(shuffled: bool) -> None:
    nodes = np.random.default_rng(0).permutation(5000) if shuffled else np.arange(5000)
    assert not components(5000, nodes[:-1], nodes[1:]).any()


def test_nodes_without_edges_stand_alone() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert components(4, none, none).tolist() == [0, 1, 2, 3]
    assert components(0, none, none).tolist() == []


@pytest.mark.parametrize(
    "texts", [[], ["a"], ["a", "a", "a"], ["a", "b", "a"], ["a", "a", "b"], ["b", "a", "a"]]
)
def test_rows_have_one_number_if_they_are_equal_in_every_column(texts: list[str]) -> None:
    others = np.arange(len(texts)) // 2
    found = numbered([np.array(texts, dtype=object), others])
    rows = list(zip(texts, others.tolist(), strict=True))
    assert [[a == b for b in rows] for a in rows] == (found[:, None] == found[None]).tolist()
