"""Sizes of steps that are left open."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.corpus.step_sizes import settle_sizes, step_tokens


def test_steps_grow_with_the_square_root_of_the_tokens() -> None:
    assert [step_tokens(tokens) for tokens in (1e4, 2.5e6, 25e6, 1.14e9, 10e9)] == [
        1024,
        3072,
        9216,
        65_536,
        194_560,
    ]
    assert step_tokens(None) == 8192
    lengths = [10**power for power in range(3, 12)]
    sizes = [step_tokens(tokens) for tokens in lengths]
    counts = [tokens / size for tokens, size in zip(lengths, sizes, strict=True)]
    assert all(one <= other for one, other in pairwise(sizes))
    assert all(one < other for one, other in pairwise(counts))
    assert 600 <= 2.5e6 / step_tokens(2.5e6) <= 1000


@pytest.mark.parametrize(
    ("given", "planned", "batch", "step"),
    [
        ({}, 2.5e6, 3072, 3072),
        ({}, 25e6, 9216, 9216),
        ({}, 100e6, 10_240, 20_480),
        ({}, 1.14e9, 16_384, 65_536),
        ({}, None, 8192, 8192),
        ({"context": 8192}, 2.5e6, 8192, 8192),
        ({"tokens_per_batch": 3000}, 2.5e6, 3000, 3000),
        ({"tokens_per_batch": 3000}, 25e6, 3000, 9000),
        ({"tokens_per_batch": 100_000}, 25e6, 100_000, 100_000),
        ({"tokens_per_step": 65_536}, 1e6, 16_384, 65_536),
        ({"tokens_per_step": 5000}, 1e9, 5000, 5000),
        ({"tokens_per_step": 100}, 1e9, 512, 100),
        ({"tokens_per_step": 9000, "tokens_per_batch": 4096}, 1e9, 4096, 9000),
    ],
)
def test_what_is_given_stays(given: dict[str, Any], planned: float | None, batch: int, step: int) -> None:
    settled = settle_sizes(ReadingSettings(**given), planned)
    assert (settled.tokens_per_batch, settled.tokens_per_step) == (batch, step)
    assert settled.micro_batches == -(-step // batch)
    assert settle_sizes(settled, 1.0) == settled
    assert ReadingSettings.model_validate(settled.model_dump(mode="json")) == settled


def test_every_chosen_step_is_whole_micro_batches() -> None:
    for planned in (10.0**power for power in range(4, 12)):
        settled = settle_sizes(ReadingSettings(), planned)
        assert settled.tokens_per_step == settled.micro_batches * settled.tokens_per_batch  # type: ignore[operator]


@pytest.mark.parametrize("wrong", ["automatic", 4, -1, 2.5])
def test_other_sizes_are_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        ReadingSettings(tokens_per_step=wrong)
