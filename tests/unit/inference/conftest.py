"""Fixtures of the engine's tests."""

from __future__ import annotations

import pytest

from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.inference.results import LiveModel
from tests.unit.inference.inference_toys import small_model


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return build_lexicon(["one", "two"])


@pytest.fixture(scope="session", params=["modern", "classic"])
def loaded(request: pytest.FixtureRequest, lexicon: Lexicon) -> LiveModel:
    return small_model(lexicon, architecture=request.param)
