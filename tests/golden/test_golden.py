"""Losses and ids that were looked at once, and must not change without somebody's wish."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genomecli.corpus.store import CorpusReader
from genomecli.training.job import CorpusOnDisk
from tests.golden.make_golden import GOLDEN, RUNS, first_ids, first_losses, make_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusOnDisk:
    return make_corpus(tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return dict(json.loads(Path(GOLDEN).read_text()))


@pytest.mark.parametrize("name", RUNS)
def test_the_first_losses_are_those_of_before(
    corpus: CorpusOnDisk, golden: dict[str, Any], name: str
) -> None:
    assert first_losses(corpus, RUNS[name]) == pytest.approx(golden["losses"][name], abs=1e-4)


def test_the_ids_of_records_are_as_before(corpus: CorpusOnDisk, golden: dict[str, Any]) -> None:
    assert isinstance(corpus.reader, CorpusReader)
    assert first_ids(corpus.reader) == golden["ids"]
