"""How windows become batches: sizes that are functions of length alone, and nothing lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genomecli.corpus.vocabulary import CLS, PAD, SEP
from genomecli.inference.batching import GRAIN, Window, counted_mask, make_batch, padded_length, plan_batches
from tests.unit.inference.inference_toys import make_items


@given(st.lists(st.integers(3, 100), max_size=60), st.integers(1, 600))
def test_batches_hold_every_text_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = list(plan_batches(lengths, 100, budget))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = {padded_length(lengths[i], 100) for i in batch}
        assert len(padded) == 1
        assert len(batch) == 1 or len(batch) * padded.pop() <= budget
        full = {lengths[i] == padded_length(lengths[i], 100) for i in batch}
        assert len(full) == 1


def test_padding_fills_to_multiples_within_the_context() -> None:
    assert [padded_length(n, 100) for n in (3, 16, 17, 96, 97, 100)] == [16, 16, 32, 96, 100, 100]


def test_a_batch_frames_its_texts_and_repeats_rows_where_the_length_is_odd() -> None:
    items = make_items(3, 95, 98)
    windows = [Window(item, 0, len(item.tokens)) for item in items]
    batch = make_batch(windows, 100)
    assert batch.tokens.shape == (4, 100)
    assert batch.tokens.numel() % GRAIN == 0
    for row, item in enumerate(items):
        n = len(item.tokens)
        text = batch.tokens[row].tolist()
        assert text == [CLS, *item.tokens.tolist(), SEP, *[PAD] * (98 - n)]
        assert int(batch.lengths[row]) == n + 2
        assert set(batch.languages[row].tolist()) == {item.language}
        assert np.array_equal(np.flatnonzero(counted_mask(windows, 100)[row]), np.arange(1, n + 1))
