"""Groups alike in composition: planted kinds of records part, sizes are equal, and a loop agrees."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.decipherment.alike import RARE, SHORT, _away, alike_in_composition
from genomecli.analysis.decipherment.pairs import Text


def _two_kinds(seed: int, records: int = 200, length: int = 300) -> tuple[Text, np.ndarray]:
    """Half of the records like symbol 3, the other half symbol 7."""
    rng = np.random.default_rng(seed)
    kind = rng.permutation(records) % 2
    shares = np.full((2, 10), 0.08)
    shares[0, 3] = shares[1, 7] = 0.28
    tokens = [rng.choice(10, length, p=shares[k]) for k in kind]
    return Text(np.concatenate(tokens), np.full(records, length)), kind


def test_the_first_halving_parts_two_kinds_of_records() -> None:
    text, kind = _two_kinds(1)
    found = alike_in_composition(text, 10, levels=1)
    agree = (found == kind).mean()
    assert max(agree, 1 - agree) == 1.0


@pytest.mark.parametrize(("records", "levels"), [(200, 5), (33, 5), (7, 5), (1, 5), (0, 2)])
def test_groups_are_of_one_size_and_small_texts_end_as_single_records(records: int, levels: int) -> None:
    rng = np.random.default_rng(2)
    lengths = rng.integers(1, 60, records)
    text = Text(rng.integers(-1, 10, int(lengths.sum())), lengths)
    found = alike_in_composition(text, 10, levels=levels)
    sizes = np.bincount(found, minlength=2**levels)
    assert sizes.sum() == records
    assert sizes.max(initial=0) - sizes.min() <= 1


def test_records_without_any_difference_are_still_halved() -> None:
    text = Text(np.tile([1, 2, 3], 8), np.full(8, 3))
    assert np.bincount(alike_in_composition(text, 5, levels=2)).tolist() == [2, 2, 2, 2]


def test_groups_do_not_depend_on_the_order_of_records() -> None:
    text, _ = _two_kinds(4, records=64)
    rows = text.tokens.reshape(64, -1)
    order = np.random.default_rng(5).permutation(64)
    found = alike_in_composition(text, 10, levels=3)
    again = alike_in_composition(Text(rows[order].ravel(), text.lengths), 10, levels=3)
    np.testing.assert_array_equal(again, found[order])


def test_distances_from_the_mean_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(6)
    lengths = np.array([5, 40, 0, 90])
    tokens = rng.integers(-1, 4, int(lengths.sum()))
    tokens[7] = 4  # once: its share is below that from which on shares divide by themselves
    text = Text(tokens, lengths)
    known = [t for t in text.tokens.tolist() if t >= 0]
    shares = [known.count(v) / len(known) for v in range(6)]
    assert 0 < shares[4] < RARE / 6 < min(shares[:4])
    assert shares[5] == 0
    found, start = _away(text, 6), 0
    for row, length in zip(found, lengths.tolist(), strict=True):
        record = [t for t in text.tokens[start : start + length].tolist() if t >= 0]
        start += length
        for v in range(6):
            own = record.count(v) / max(len(record), 1)
            weight = np.sqrt(len(record) / (len(record) + SHORT))
            floored = max(shares[v], RARE / 6)
            assert row[v] == pytest.approx(weight * (own - shares[v]) / np.sqrt(floored))


def test_records_without_a_pair_halve_nothing() -> None:
    """Two long records among many short ones are two groups, so that a shift weighs one against the other."""
    rng = np.random.default_rng(7)
    lengths = np.array([2] * 100 + [400, 400] + [2] * 100)
    text = Text(rng.integers(0, 10, int(lengths.sum())), lengths)
    found = alike_in_composition(text, 10, among=lengths > 2)
    assert found[100] != found[101]
    assert not np.delete(found, [100, 101]).any()


def test_a_token_that_one_short_record_holds_is_not_the_first_direction() -> None:
    rng = np.random.default_rng(8)
    kind = rng.permutation(300) % 2
    shares = np.full((2, 64), 1 / 64)
    shares[:, 63] = 0
    shares[0, :20] += 0.004
    shares[1, 20:40] += 0.004
    shares /= shares.sum(axis=1, keepdims=True)
    tokens = [rng.choice(64, 300, p=shares[k]) for k in kind]
    tokens[0] = tokens[0][:30].copy()
    tokens[0][3] = 63
    found = alike_in_composition(
        Text(np.concatenate(tokens), np.array([len(t) for t in tokens])), 64, levels=1
    )
    agree = (found == kind).mean()
    assert max(agree, 1 - agree) > 0.85
