from pathlib import Path

import pytest

from genomecli.files import read_json
from genomecli.training.replicates import seeds_of, spread, write_spread

RUNS = {
    3: {"seed": 3, "loss": 1.0, "languages": {"a/dna": {"accuracy": 0.5}}, "name": "x", "beats": True},
    4: {"seed": 4, "loss": 3.0, "languages": {"a/dna": {"accuracy": 0.7}}, "extra": 1.0},
}


def test_seeds_are_a_count_from_the_base_or_a_list() -> None:
    assert seeds_of(None, 7) == [7]
    assert seeds_of(3, 7) == [7, 8, 9]
    assert seeds_of([5, 2], 7) == [5, 2]


def test_the_spread_is_of_the_numbers_that_all_runs_have() -> None:
    table = spread(RUNS)
    assert sorted(table) == ["languages.a/dna.accuracy", "loss"]
    assert table["loss"] == {"mean": 2.0, "sd": pytest.approx(2**0.5), "min": 1.0, "max": 3.0}
    assert spread({1: {"loss": 4.0}})["loss"]["sd"] == 0.0


def test_the_summary_has_a_column_for_each_seed(tmp_path: Path) -> None:
    write_spread(tmp_path, RUNS)
    rows = [line.split("\t") for line in (tmp_path / "summary.tsv").read_text().splitlines()]
    assert rows[0] == ["figure", "mean", "sd", "min", "max", "seed-3", "seed-4"]
    assert rows[2][0] == "loss"
    assert [float(value) for value in rows[2][5:]] == [1.0, 3.0]
    assert read_json(tmp_path / "summary.json")["seeds"] == [3, 4]
