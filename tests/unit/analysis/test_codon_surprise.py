"""How surprising codons are: every codon asked once while it is hidden, and what is made of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from genomecli.analysis.codon_surprise import COLUMNS, PASSES, codon_surprises, surprise_lines
from genomecli.analysis.gold import CodonGold
from genomecli.corpus.vocabulary import MASK, SPECIALS
from genomecli.inference.decoding import Query
from genomecli.inference.items import Item
from genomecli.sequences.codes import CODONS, genetic_code

FIRST = len(SPECIALS)
CODE = genetic_code(1)


class Oracle:
    """An engine that expects codons by a rule: by usage, but the codon behind an AAA it knows.

    Args:
        window: codons that it reads at once.
        share: float64[64], probabilities where it knows nothing.
        knows: how sure it is of the codon behind AAA, of which it knows that it is TTT.
    """

    def __init__(self, window: int, share: NDArray[np.float64], knows: float = 0.0) -> None:
        self.window = window
        self.share = share
        self.knows = knows
        self.hidden: list[float] = []

    left = 0
    """Texts that are computed and were not given out: each is given out at once."""

    def decode(self, queries: Iterable[Query]) -> Iterator[NDArray[np.float64]]:
        for query in queries:
            tokens = query.item.tokens
            assert len(tokens) <= self.window
            assert (tokens[query.places] == MASK).all()
            self.hidden.append(float((tokens == MASK).mean()))
            asked = zip(query.places.tolist(), query.ids[:, 0].tolist(), strict=True)
            yield np.log([self._chance(tokens, place, word) for place, word in asked])

    def _chance(self, tokens: NDArray[np.int32], place: int, word: int) -> float:
        plain = float(self.share[word - FIRST])
        if place and tokens[place - 1] == FIRST + CODONS.index("AAA"):
            return (1 - self.knows) * plain + self.knows * (word == FIRST + CODONS.index("TTT"))
        return plain


def gene(rng: np.random.Generator, length: int, skip: tuple[int, int] = (1, 1)) -> Item:
    tokens = (FIRST + rng.integers(0, 48, length)).astype(np.int32)
    return Item("gene", tokens, 0, skip)


def test_every_codon_is_asked_once_with_no_more_than_one_in_eight_hidden() -> None:
    rng = np.random.default_rng(0)
    genes = [gene(rng, 20), gene(rng, 300), gene(rng, 61, (0, 0))]
    share = rng.dirichlet(np.ones(64))
    engine: Any = Oracle(64, share)
    found = codon_surprises(engine, genes, FIRST, CODE)
    assert [int((found.gene == number).sum()) for number in range(3)] == [18, 298, 61]
    inside = genes[1].tokens[1:-1] - FIRST
    assert np.bincount(found.codon[found.gene == 1], minlength=64).tolist() == (
        np.bincount(inside, minlength=64).tolist()
    )
    assert max(engine.hidden) <= 1 / PASSES + 1 / 20
    assert found.bits == pytest.approx(-np.log2(share[found.codon]))
    assert found.mean == pytest.approx(share)
    kinds = np.array(list(CODE.amino))
    slow = [-np.log2(share[kinds == kinds[codon]].sum()) for codon in found.codon]
    assert found.amino_bits == pytest.approx(slow)


def test_first_and_last_codons_are_those_beside_start_and_stop() -> None:
    rng = np.random.default_rng(1)
    share = np.full(64, 1 / 64)
    engine: Any = Oracle(500, share)
    found = codon_surprises(engine, [gene(rng, 102), gene(rng, 12), gene(rng, 102, (0, 1))], FIRST, CODE)
    regions = [np.bincount(found.region[found.gene == number], minlength=4).tolist() for number in range(3)]
    assert regions == [[0, 10, 80, 10], [0, 5, 0, 5], [0, 0, 91, 10]]


def read(knows: float) -> dict[tuple[Any, ...], dict[str, Any]]:
    rng = np.random.default_rng(2)
    genes = [gene(rng, 150) for _ in range(30)]
    for item in genes:  # TTT stands behind every AAA
        behind = np.flatnonzero(item.tokens[:-1] == FIRST + CODONS.index("AAA")) + 1
        item.tokens[behind] = FIRST + CODONS.index("TTT")
    engine: Any = Oracle(64, np.full(64, 1 / 64), knows)
    lines = surprise_lines("run", codon_surprises(engine, genes, FIRST, CODE), CodonGold.of(CODE), 200, rng)
    names = [name for name in COLUMNS if name != "species"]
    rows = [dict(zip(names, line, strict=True)) for line in lines]
    return {(row["codon"], row["region"]): row for row in rows}


def test_where_the_neighbourhood_tells_nothing_the_gain_is_nothing() -> None:
    rows = read(0.0)
    assert all(row["gain"] == pytest.approx(0, abs=1e-9) for row in rows.values())
    assert rows["all", "all"]["bits"] == pytest.approx(6)
    assert sum(rows[codon, "all"]["usage"] for codon in CODONS if (codon, "all") in rows) == pytest.approx(1)


def test_the_codon_that_its_neighbour_gives_away_gains_and_no_other() -> None:
    rows = read(0.9)
    gains = {codon: row["gain"] for (codon, region), row in rows.items() if region == "all"}
    assert max(gains, key=lambda codon: gains[codon]) == "TTT"
    row = rows["TTT", "all"]
    assert 0 < row["gain_low"] < row["gain"] < row["gain_high"]
    assert row["bits"] == pytest.approx(row["amino_acid_bits"] + row["synonym_bits"])
    assert abs(gains["CCC"]) < 0.05


def test_nothing_read_gives_no_rows() -> None:
    engine: Any = Oracle(64, np.full(64, 1 / 64))
    found = codon_surprises(engine, [], FIRST, CODE)
    assert surprise_lines("run", found, CodonGold.of(CODE), 10, np.random.default_rng(0)) == []
