"""N-gram yardsticks against a dictionary-based reference and sources with known entropy."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.corpus.ngram import fit_contexts, fit_masked_context, fit_ngram, ngram_levels, two_sided_levels
from genomecli.errors import InputError


def flat(records):
    offsets = np.r_[0, np.cumsum([len(record) for record in records])].astype(np.int64)
    return np.array([token for record in records for token in record], dtype=np.int32), offsets


class Slow:
    """The same model, counted in dictionaries, one token at a time."""

    def __init__(self, records, size, levels, strength):
        self.size, self.levels, self.strength = size, levels, strength
        self.seen = [defaultdict(Counter) for _ in levels]
        for record in records:
            for place, token in enumerate(record):
                if 0 <= token < size:
                    for level, offsets in enumerate(levels):
                        self.seen[level][self.context(record, place, offsets)][token] += 1

    def context(self, record, place, offsets):
        def at(index):
            inside = 0 <= index < len(record) and 0 <= record[index] < self.size
            return record[index] if inside else "else"

        return tuple(at(place + offset) for offset in offsets)

    def probability(self, record, place, token):
        p = 1 / self.size
        for level, offsets in enumerate(self.levels):
            counts = self.seen[level].get(self.context(record, place, offsets))
            if counts:
                k = self.strength * len(counts)
                p = (counts[token] + k * p) / (sum(counts.values()) + k)
        return p


records_of = st.lists(st.lists(st.integers(-1, 4), max_size=9), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(train=records_of, held=records_of, two_sided=st.booleans(), strength=st.sampled_from([0.5, 1.0, 7.0]))
def test_probabilities_equal_the_slow_reference(train, held, two_sided, strength):
    train = [*train, [0]]
    levels = two_sided_levels(2) if two_sided else ngram_levels(3)
    model = fit_contexts(*flat(train), 4, levels, strength=strength)
    slow = Slow(train, 4, levels, strength)
    found = model.log_probabilities(*flat(held))
    expected = [
        np.log(slow.probability(record, place, token)) if 0 <= token < 4 else np.nan
        for record in held
        for place, token in enumerate(record)
    ]
    np.testing.assert_allclose(found, expected)


def test_probabilities_sum_to_one_over_the_vocabulary():
    rng = np.random.default_rng(0)
    tokens, offsets = rng.integers(0, 6, 500), np.array([0, 200, 500])
    for model in (fit_ngram(tokens, offsets, 6, 4), fit_masked_context(tokens, offsets, 6)):
        for context in rng.integers(0, 6, (20, 5)):
            lines = np.tile(context, (6, 1))
            lines[:, 2] = np.arange(6)
            found = model.log_probabilities(lines.ravel(), np.arange(0, 31, 5), np.arange(2, 30, 5))
            assert np.exp(found).sum() == pytest.approx(1.0)


def test_the_levels_are_the_contexts_of_the_documentation():
    assert ngram_levels(3) == ((), (-1,), (-2, -1))
    assert two_sided_levels(2) == ((), (-1,), (-1, 1), (-1, 1, -2), (-1, 1, -2, 2))


def chain(rng, length, size=8, weight=0.9):
    """A first-order Markov chain and its entropy rate's perplexity."""
    step = weight * np.eye(size)[rng.permutation(size)] + (1 - weight) / size
    uniforms, tokens = rng.random(length), np.zeros(length, dtype=np.int64)
    cumulated = np.cumsum(step, axis=1)
    for place in range(1, length):
        tokens[place] = min(np.searchsorted(cumulated[tokens[place - 1]], uniforms[place]), size - 1)
    entropy = -(step * np.log(step)).sum(axis=1).mean()  # doubly stochastic: states are equally likely
    return tokens, float(np.exp(entropy))


def test_a_markov_source_is_predicted_at_its_entropy_and_long_contexts_do_no_harm():
    rng = np.random.default_rng(1)
    tokens, best = chain(rng, 40_000)
    half = np.array([0, 20_000])
    train, held = (tokens[:20_000], half), (tokens[20_000:], half)
    assert fit_ngram(*train, 8, 1).perplexity(*held) == pytest.approx(8.0, rel=0.02)
    assert fit_ngram(*train, 8, 2).perplexity(*held) == pytest.approx(best, rel=0.03)
    tuned = fit_ngram(*train, 8, 5)
    assert tuned.perplexity(*held) < 1.04 * best
    assert fit_masked_context(*train, 8).perplexity(*held) < 0.9 * best  # both neighbours tell more than one


def test_tuning_distrusts_contexts_where_neighbours_say_nothing():
    rng = np.random.default_rng(2)
    train = (rng.integers(0, 16, 20_000), np.array([0, 20_000]))
    held = (rng.integers(0, 16, 5_000), np.array([0, 5_000]))
    tuned, plain = fit_ngram(*train, 16, 4), fit_ngram(*train, 16, 4, strength=1.0)
    assert tuned.perplexity(*held) < 16.2
    assert plain.perplexity(*held) > 17.0
    assert max(level.strength for level in tuned.levels) > 16


def test_ids_outside_the_vocabulary_are_neighbours_but_not_predicted():
    tokens, offsets = np.array([0, 9, 1, 0, -1, 1]), np.array([0, 3, 6])
    model = fit_ngram(tokens, offsets, 2, 2, strength=1.0)
    found = model.log_probabilities(tokens, offsets)
    assert np.isnan(found).tolist() == [False, True, False, False, True, False]
    assert found[2] == found[5]  # both follow "something else"
    assert np.isnan(model.perplexity(tokens, offsets, np.array([1, 4])))


def test_nothing_to_count_or_to_number_is_refused():
    with pytest.raises(InputError, match="no tokens"):
        fit_ngram(np.array([5]), np.array([0, 1]), 4)
    with pytest.raises(InputError, match="lower order"):
        fit_ngram(np.arange(5), np.array([0, 5]), 70_000)
    assert fit_ngram(np.arange(5), np.array([0, 5]), 4096).perplexity(np.arange(5), np.array([0, 5])) > 1
