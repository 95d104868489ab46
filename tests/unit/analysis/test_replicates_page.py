"""The page on top of several seeds: what it says, and of what."""

from __future__ import annotations

from typing import Any

import pytest

from genomecli.analysis.replicates_page import runs_table, seeds_verdict, spread_table, spread_text


def run(perplexity: float, loss: float | None, *lost: str, simple: bool = True) -> dict[str, Any]:
    levels = {"unigram": 18.0, "5-gram": 12.5} if simple else {}
    return {
        "steps": 100,
        "best": {"loss": loss, "step": 80},
        "languages": {"bug/dna": {"perplexity": perplexity, "yardsticks": levels}},
        "not_beaten": {"bug/dna": list(lost)} if lost else {},
    }


RUNS = {"seed-0": run(10.0, 2.0), "seed-1": run(13.0, 2.3, "5-gram"), "seed-2": run(10.0, 2.0)}


@pytest.mark.parametrize(
    ("names", "first", "good"),
    [
        (("seed-0", "seed-2"), "In all 2 runs the network beats every simple model.", True),
        (("seed-0", "seed-1"), "In 1 of 2 runs the network beats every simple model; not in seed-1.", False),
        (("seed-1",), "In none of the 1 runs the network beats every simple model.", False),
    ],
)
def test_the_verdict_counts_the_runs(names: tuple[str, ...], first: str, good: bool) -> None:
    found = seeds_verdict({name: RUNS[name] for name in names})
    assert (found.first, found.good) == (first, good)


def test_without_simple_models_nothing_is_claimed() -> None:
    found = seeds_verdict({"seed-0": run(10.0, None, simple=False)})
    assert found.good is None
    assert found.further == ()


def test_figures_are_mean_spread_and_range() -> None:
    assert spread_text([10.0, 13.0, 10.0]) == "11.00 ± 1.73 (10.00 to 13.00)"
    assert spread_text([2.0], 4) == "2.0000"
    table = spread_table(RUNS)
    assert list(table.columns) == ["language", "network", "unigram", "5-gram"]
    assert table.rows[0][:3] == ["bug/dna", "11.00 ± 1.73 (10.00 to 13.00)", "18.00"]
    assert [row[0] for row in runs_table(RUNS).rows] == ["seed-0", "seed-1", "seed-2"]
    assert runs_table(RUNS).rows[1][2:] == ["2.3000", "80", "13.00"]
