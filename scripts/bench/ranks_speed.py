"""Ranks of the right answer among many vectors, beside the matrix products alone and scikit-learn.

    python -m scripts.bench.ranks_speed [--items 200000 --repeats 1]

Vectors are random, of width 320, and row i is right for query i. The products are those of the same blocks in
single precision, the fastest that a user could ask for; ranks are exact to double precision.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np

from genomecli.analysis.candidates import Gold
from genomecli.analysis.ranks import BLOCK, rank_vectors
from scripts.bench.harness import Row, compared, in_turns, markdown

WIDTH = 320


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of a call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def products(queries: np.ndarray, database: np.ndarray) -> None:
    """All products, block by block, nothing kept."""
    queries, database = queries.astype(np.float32), database.astype(np.float32)
    for row in range(0, len(queries), BLOCK[0]):
        for column in range(0, len(database), BLOCK[1]):
            queries[row : row + BLOCK[0]] @ database[column : column + BLOCK[1]].T


def peak_of(work: Callable[[], object]) -> float:
    """MB that numpy takes at most during a call, beyond what was there."""
    import tracemalloc

    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def nearest(queries: np.ndarray, database: np.ndarray) -> None:
    """What scikit-learn's user does: the place of the right one in the sorted neighbours."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=len(database), algorithm="brute", metric="cosine").fit(database)
    for row in range(0, len(queries), 1000):
        found = index.kneighbors(queries[row : row + 1000], return_distance=False)
        (found == np.arange(row, row + len(found))[:, None]).argmax(axis=1)


def measure(*, quick: bool, items: int | None = None, repeats: int | None = None) -> list[Row]:
    """Time beside the products and beside scikit-learn, and memory; what is given wins over ``quick``."""
    items = items or (8_000 if quick else 50_000)
    repeats = repeats or (1 if quick else 3)
    random = np.random.default_rng(0)
    database = random.normal(size=(items, WIDTH))
    queries = database + random.normal(size=(items, WIDTH))
    gold = Gold.single(np.arange(items))
    what = f"ranks of {items:,} x {items:,}, width {WIDTH}"
    pairs = in_turns(
        lambda: seconds(lambda: rank_vectors(queries, database, gold)),
        lambda: seconds(lambda: products(queries, database)),
        repeats,
    )
    rows = [
        compared(
            pairs,
            benchmark="ranks",
            what=what,
            unit="s",
            peer="the matrix products alone, single precision",
            least=1 / 1.3,
            smaller=True,
        )
    ]
    some = min(2_000, items)
    few = Gold.single(np.arange(some))
    pairs = in_turns(
        lambda: seconds(lambda: rank_vectors(queries[:some], database[:some], few)),
        lambda: seconds(lambda: nearest(queries[:some], database[:some])),
        repeats,
    )
    rows.append(
        compared(
            pairs,
            benchmark="ranks",
            what=f"ranks of {some:,} x {some:,}",
            unit="s",
            peer="NearestNeighbors of scikit-learn, all sorted",
            smaller=True,
        )
    )
    peak = peak_of(lambda: rank_vectors(queries, database, gold))
    rows.append(Row("ranks", f"memory beyond the vectors, {items:,} queries", "MB", peak))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, help="vectors of each side (50,000; with --quick 8,000)")
    parser.add_argument("--repeats", type=int, help="pairs of measurements (3; with --quick 1)")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    rows = measure(quick=given.quick, items=given.items, repeats=given.repeats)
    sys.stdout.write(markdown(rows))


if __name__ == "__main__":
    main()
