"""Tables of predictions: written, and read back exactly."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from genomecli.exchange.prediction_table import Predicted, RecordTable, RunTable, SymbolTable, read_judged
from genomecli.runtime import rng
from genomecli.tasks.schema import Target

TARGETS = (
    Target("y", "binary", ("y",), ("no", "yes")),
    Target("of", "multilabel", ("of",), ("a", "b"), separator="|"),
    Target("v", "regression", ("v",), ("v",), (0.0,), (1.0,)),
    Target("w", "regression", ("w", "x"), ("w", "x"), (0.0, 0.0), (1.0, 1.0)),
)
TOKENS = (Target("s", "token", (), ("H", "E", "C")), Target("t", "token", (), ("in", "out")))


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline=""), delimiter="\t"))


def test_a_row_a_record_comes_back_exactly() -> None:
    random = rng("table")
    table = RecordTable(TARGETS, strand=True, labels=True)
    given = []
    for number in range(20):
        scores = {t.name: random.random(t.outputs) / 3 for t in TARGETS}
        labels = {
            "y": np.asarray(number % 3 - 1),
            "of": np.array([1.0, np.nan]) if number % 2 else np.array([0.0, 1.0]),
            "v": np.array([np.nan if number == 4 else 0.1 * number]),
            "w": random.random(2),
        }
        given.append(Predicted(f'i"{number}\t', scores, "+", "", labels))
    text = table.header + b"".join(map(table.text, given))
    rows = rows_of(text)
    assert [row["id"] for row in rows] == [one.id for one in given]
    for row, one in zip(rows, given, strict=True):
        assert row["y.predicted"] == ("yes" if one.scores["y"][1] > one.scores["y"][0] else "no")
        members = [name for name, value in zip("ab", one.scores["of"], strict=True) if value >= 0.5]
        assert row["of.predicted"] == ("|".join(members) or "|")  # empty would say that nothing is known
    found = read_judged(io.StringIO(text.decode(), newline=""), TARGETS)
    for target in TARGETS:
        predictions, labels = found[target.name]
        assert predictions.scores.tolist() == [one.scores[target.name].tolist() for one in given]
        np.testing.assert_array_equal(labels.values, [one.labels[target.name] for one in given])


def test_a_row_a_symbol_comes_back_exactly() -> None:
    random = rng("symbols")
    table = SymbolTable(TOKENS, labels=True)
    given = []
    for number, length in enumerate((3, 1, 7, 7)):
        scores = {t.name: random.dirichlet(np.ones(t.outputs), length) for t in TOKENS}
        scores["s"][-1] = np.nan
        labels = {t.name: random.integers(-1, t.outputs, length) for t in TOKENS}
        given.append(
            Predicted("same" if number > 1 else f"r{number}", scores, "+", "ACGTACG"[:length], labels)
        )
    text = table.header + b"".join(map(table.text, given))
    assert [row["position"] for row in rows_of(text)[:5]] == ["1", "2", "3", "1", "1"]
    found = read_judged(io.StringIO(text.decode(), newline=""), TOKENS)
    for target in TOKENS:
        predictions, labels = found[target.name]
        assert len(predictions) == len(labels) == 4
        for number, one in enumerate(given):
            np.testing.assert_array_equal(predictions.row(number), one.scores[target.name])
            np.testing.assert_array_equal(labels.row(number), one.labels[target.name])


def test_runs_end_where_any_target_changes() -> None:
    s = np.array([[1, 0, 0]] * 4 + [[0, 1, 0]] * 2 + [[np.nan] * 3], dtype=float)
    t = np.array([[1, 0]] * 2 + [[0.25, 0.75], [0, 1]] + [[0, 1]] * 3)
    table = RunTable(TOKENS, strand=True)
    rows = rows_of(table.header + table.text(Predicted("r", {"s": s, "t": t}, "-", "", {})))
    shown = [(row["start"], row["end"], row["s.predicted"], row["t.predicted"]) for row in rows]
    assert shown == [
        ("0", "2", "H", "in"),
        ("2", "4", "H", "out"),
        ("4", "6", "E", "out"),
        ("6", "7", "", "out"),
    ]
    assert [row["t.p.out"] for row in rows] == ["0.0", "0.875", "1.0", "1.0"]
    assert rows[-1]["s.p.H"] == ""
    assert {row["strand"] for row in rows} == {"-"}


@pytest.mark.parametrize("table", [RecordTable(TARGETS), SymbolTable(TOKENS), RunTable(TOKENS)])
def test_columns_are_named_once(table: RecordTable) -> None:
    names = [name for name, _ in table.columns]
    assert len(names) == len(set(names))
    assert table.header.decode().rstrip("\n").split("\t") == names
