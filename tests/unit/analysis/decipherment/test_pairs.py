"""Counts of pairs against a loop over records."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.decipherment.pairs import GROUPS, Text, count_pairs, deal


def _text(seed: int, records: int = 30) -> Text:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 12, records)
    return Text(rng.integers(-1, 5, int(lengths.sum())), lengths.astype(np.int64))


def test_pairs_are_those_of_a_loop_over_records() -> None:
    text, distances = _text(1), (1, 3)
    found = count_pairs(text, 5, distances, deal(text, np.random.default_rng(0), groups=4)).total()
    slow = np.zeros((2, 5, 5))
    start = 0
    for length in text.lengths.tolist():
        record = text.tokens[start : start + length].tolist()
        start += length
        for place, distance in enumerate(distances):
            for left, right in zip(record, record[distance:], strict=False):
                if left >= 0 and right >= 0:
                    slow[place, left, right] += 1
    assert slow.sum() > 50
    np.testing.assert_array_equal(found, slow)


def test_records_that_hold_a_pair_are_those_of_a_loop() -> None:
    text = _text(5, 60)
    pieces = np.split(text.tokens, np.cumsum(text.lengths)[:-1])
    slow = [any(p[i] >= 0 and p[i + d] >= 0 for d in (2, 5) for i in range(len(p) - d)) for p in pieces]
    assert text.holding((2, 5)).tolist() == slow
    assert 10 < sum(slow) < 50


@pytest.mark.parametrize("records", [0, 3, 10, 64])
def test_records_are_dealt_evenly_and_those_that_come_first_too(records: int) -> None:
    text = _text(6, records)
    first = np.arange(records) % 3 == 0
    plain = deal(text, np.random.default_rng(1), groups=7)
    found = deal(text, np.random.default_rng(1), groups=7, first=first)
    for groups in (plain, found, found[first], found[~first]):
        sizes = np.bincount(groups, minlength=7)
        assert sizes.sum() == len(groups)
        assert sizes.max() - sizes.min() <= 1
    for same in (np.ones(records, dtype=np.bool_), np.zeros(records, dtype=np.bool_)):
        np.testing.assert_array_equal(deal(text, np.random.default_rng(1), groups=7, first=same), plain)


def test_groups_add_up_and_can_be_weighted() -> None:
    text = _text(2)
    pairs = count_pairs(text, 5, (2,), deal(text, np.random.default_rng(0), groups=3))
    doubled = pairs.total(np.array([2, 2, 2]))
    np.testing.assert_array_equal(doubled, 2 * pairs.total())
    np.testing.assert_array_equal(pairs.total(np.array([0, 1, 0])), pairs.counts[1])


def test_shuffling_keeps_every_record_s_composition() -> None:
    text = _text(3)
    other = text.shuffled(np.random.default_rng(1))
    assert not np.array_equal(text.tokens, other.tokens)
    start = 0
    for length in text.lengths.tolist():
        piece = slice(start, start + length)
        start += length
        assert sorted(text.tokens[piece].tolist()) == sorted(other.tokens[piece].tolist())


def test_texts_without_a_pair_hold_none() -> None:
    text = Text(np.array([1, 2, 3]), np.array([1, 1, 1]))
    pairs = count_pairs(text, 5, (1,), deal(text, np.random.default_rng(0)))
    assert not pairs.counts.any()
    assert not len(pairs.held)


def test_only_groups_that_hold_a_pair_are_drawn() -> None:
    """Two records in forty groups: a draw over all groups would often hold nothing."""
    pairs = count_pairs(Text(np.arange(4), np.array([2, 2])), 5, (1,), np.array([31, 4]))
    assert len(pairs.held) == 2
    for seed in range(30):
        drawn = pairs.drawn(np.random.default_rng(seed))
        assert drawn.sum() == drawn[pairs.held].sum() == 2


def test_of_full_groups_a_draw_is_the_ordinary_bootstrap() -> None:
    text = _text(4, 900)
    pairs = count_pairs(text, 5, (1,), deal(text, np.random.default_rng(0)))
    expected = np.random.default_rng(7).multinomial(GROUPS, [1 / GROUPS] * GROUPS)
    np.testing.assert_array_equal(pairs.drawn(np.random.default_rng(7)), expected)


def test_uneven_weights_keep_the_size_and_vary_as_a_dirichlet_distribution_does() -> None:
    pairs = count_pairs(Text(np.arange(12), np.full(6, 2)), 12, (1,), np.array([0, 2, 3, 4, 5, 7]))
    rng = np.random.default_rng(3)
    drawn = np.array([pairs.shifted(rng, 0.5) for _ in range(4000)])
    assert not drawn[:, [1, 6]].any()
    held = drawn[:, pairs.held]
    np.testing.assert_allclose(held.sum(axis=1), 6)
    # Variance of a share: (1/n)(1 - 1/n) / (n a + 1); of n times a share, (n - 1) / (n a + 1).
    np.testing.assert_allclose(held.mean(axis=0), 1, atol=0.1)
    np.testing.assert_allclose(held.var(axis=0), 5 / (6 * 0.5 + 1), rtol=0.15)
