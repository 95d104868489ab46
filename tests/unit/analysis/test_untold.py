"""Figures over codons that a network was not told: what it found, apart from what it was shown."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from genomecli.analysis.gold import CodonGold
from genomecli.analysis.held_out import held_out_null, leave_one_amino_acid_out
from genomecli.analysis.permutations import block_permutation_null, block_permutations
from genomecli.analysis.ranks import Gold, rank_matrix
from genomecli.analysis.report import limits
from genomecli.analysis.similarity import similarity
from genomecli.analysis.story import untold_sentence
from genomecli.analysis.untold import told_codons, untold_rows
from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.sequences.codes import CODONS, genetic_code
from tests.unit.analysis.pair_toys import QUICK, planted_pair


def figures(rows: Any) -> dict[str, Any]:
    return {row.scope: row for row in rows if row.statistic == "mrr"}


def test_what_was_told_alone_is_not_what_was_found() -> None:
    pair = planted_pair(noise=0.05)
    told = pair.gold.codons[pair.gold.classes % 2 == 0]
    known = np.isin(pair.gold.codons, told)
    rng = np.random.default_rng(0)
    forgotten = replace(
        pair, codons=np.where(known[:, None], pair.codons, rng.normal(size=pair.codons.shape))
    )
    found = {}
    for name, vectors in (("all", pair), ("told", forgotten)):
        rows = figures(untold_rows(vectors, told, QUICK, np.random.default_rng(1)))
        assert set(rows) == {"untold", "untold_left_out"}
        assert {row.n for row in rows.values()} == {int((~known).sum())}
        found[name] = rows["untold_left_out"]
    assert found["all"].value > 0.95
    assert found["all"].p < 0.05
    assert found["told"].value < 0.3
    over_all = leave_one_amino_acid_out(forgotten.codons, forgotten.amino, forgotten.gold).forward.mrr
    assert over_all > 1.5 * found["told"].value  # over all codons the told ones hide it


def test_nulls_among_some_codons_are_those_of_the_permuted_code() -> None:
    pair = planted_pair(noise=1.0)
    among = np.arange(pair.gold.n) % 3 == 0
    dealt = block_permutations(pair.gold, 4, np.random.default_rng(2))
    table = similarity("cosine", pair.codons, pair.amino, 3)
    rotated = held_out_null(pair.codons, pair.amino, pair.gold, dealt, among=among).forward
    plain = block_permutation_null(table, pair.gold, dealt, among=among).forward
    for row, first, second in zip(dealt, rotated, plain, strict=True):
        code = CodonGold(pair.gold.codons, row[pair.gold.classes], pair.gold.letters)
        slow = leave_one_amino_acid_out(pair.codons, pair.amino, code).forward.reciprocal[among].mean()
        assert first == pytest.approx(slow, abs=1e-12)
        ranks = rank_matrix(table, Gold.single(code.classes))
        assert second == pytest.approx(ranks.reciprocal[among].mean(), abs=1e-12)


def test_nothing_is_reported_where_nothing_or_everything_was_told() -> None:
    pair = planted_pair()
    rng = np.random.default_rng(3)
    assert untold_rows(pair, np.zeros(0, dtype=np.int64), QUICK, rng) == []
    assert untold_rows(pair, np.arange(64), QUICK, rng) == []


def test_the_told_codons_are_those_that_training_was_given() -> None:
    given = {"relation": "anchored", "anchors": {"pairs": ["CTG:L", "ATG:M", "CTG:S"]}}
    cases: list[tuple[dict[str, Any], int]] = [
        (given, 2),
        ({"relation": "anchored", "anchors": {"pairs": 5}}, 5),
        ({"relation": "paired"}, 0),
    ]
    for values, count in cases:
        run: Any = SimpleNamespace(reading=ReadingSettings(**values))
        told = told_codons(run, "bug", genetic_code(11))
        assert len(told) == count
        if values is given:
            assert set(told.tolist()) == {
                CODONS.index("CTG"),
                CODONS.index("ATG"),
            }


def test_readers_are_told_that_a_run_was_told() -> None:
    pair = planted_pair(noise=0.05)
    rows = untold_rows(pair, pair.gold.codons[:20], QUICK, np.random.default_rng(4))
    said = untold_sentence(figures(rows)["untold_left_out"])
    assert f"over the other {pair.gold.n - 20} the MRR is" in said
    assert said.startswith("Codons that it was not told are found too: ")
    cards = [SimpleNamespace(group="a", seed=1, relation=name) for name in ("none", "back_translated")]
    for card in cards:
        result: Any = SimpleNamespace(cards=[card])
        told = any("was told what some codons mean" in text for text in limits(result))
        assert told == (card.relation == "back_translated")
