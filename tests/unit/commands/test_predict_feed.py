"""What predict says at its end of records that were not as the model knows them."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from genomecli.commands import predict
from genomecli.inference.predict_source import RECORD
from genomecli.inference.predictor import Outcome, Unlabelled

NAN = float("nan")


def record(name: str, number: int, covariates: list[float]) -> Unlabelled:
    meta = {RECORD: number, "strand": "+"}
    return Unlabelled(name, np.zeros(4, dtype=np.uint8), None, np.array(covariates), meta)


def said(outcomes: list[Outcome], unknown: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings after the last record; of two strands, the forward one is read first."""
    lines: list[str] = []
    monkeypatch.setattr(predict.log, "warning", lambda text, *args: lines.append(text % args))
    job: Any = SimpleNamespace(
        strands=("+",),
        ensemble=SimpleNamespace(predict=lambda _: iter(outcomes)),
        settings=SimpleNamespace(invalid="drop"),
        spec=SimpleNamespace(head=SimpleNamespace(places=81)),
        text=lambda outcome: b"x",
    )
    source: Any = SimpleNamespace(unknown=unknown, nameless=0, records=1, entries=lambda: iter(()))
    feed = predict.Feed(job, source)
    done = list(feed.done())
    assert len(done) == len(outcomes)
    predict._check_counts(feed, Counter(predicted=1))
    return lines


def test_short_records_are_counted_and_the_first_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [Outcome(record(f"r{i}", i, []), {}, "", short) for i, short in enumerate((0, 42, 80))]
    (line,) = said(given, 0, monkeypatch)
    assert line.startswith(
        "2 records have fewer tokens than the 81 places that the model weighs, the first 'r1'"
    )
    assert said(given[:1], 0, monkeypatch) == []
    assert said(given[1:2], 0, monkeypatch)[0].startswith("1 record has fewer")


def test_unknown_covariates_of_records_that_give_no_tokens_count_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = [Outcome(record("a", 0, [1.0, NAN]), {}), Outcome(record("b", 1, [NAN, NAN]), {}, "too long")]
    assert said(given, 3, monkeypatch) == [
        "1 cell of covariates is not known and counts as the mean of the training rows"
    ]
    assert said(given[1:], 2, monkeypatch) == []
