"""Counts against a double loop; PPMI and skip-gram against their formulas, optimum and a planted corpus."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.analysis.cooccurrence import cooccurrence
from genomecli.analysis.similarity import cosine
from genomecli.analysis.static_embeddings import (
    _loss_and_gradient,
    context_shares,
    ppmi,
    ppmi_svd,
    word2vec,
)
from genomecli.errors import InputError


def slow_counts(records, size, window, weighting):
    table = np.zeros((size, size))
    for record in records:
        for i, left in enumerate(record):
            for d in range(1, window + 1):
                if i + d < len(record) and 0 <= left < size and 0 <= record[i + d] < size:
                    weight = (window - d + 1) / window if weighting == "dynamic" else 1
                    table[left, record[i + d]] += weight
                    table[record[i + d], left] += weight
    return table


@settings(max_examples=80, deadline=None)
@given(
    records=st.lists(st.lists(st.integers(-1, 5), max_size=8), max_size=6),
    window=st.integers(1, 4),
    chunk=st.integers(1, 9),
    weighting=st.sampled_from(["dynamic", "flat"]),
)
def test_counts_stop_at_records_whatever_the_chunks(records, window, chunk, weighting):
    tokens = np.array([token for record in records for token in record], dtype=np.int16)
    offsets = np.r_[0, np.cumsum([len(record) for record in records])].astype(np.int64)
    found = cooccurrence(tokens, offsets, 5, window=window, weighting=weighting, chunk=chunk)
    np.testing.assert_allclose(found, slow_counts(records, 5, window, weighting))


def test_a_large_vocabulary_is_counted_the_same():
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 3000, 5000)
    offsets = np.array([0, 1700, 5000])
    found = cooccurrence(tokens, offsets, 3000, window=2, weighting="flat")
    records = [tokens[:1700], tokens[1700:]]
    np.testing.assert_array_equal(found, slow_counts(records, 3000, 2, "flat"))


def test_ppmi_is_its_formula():
    counts = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 3.0], [0.0, 3.0, 6.0]])
    total, words = counts.sum(), counts.sum(axis=1)
    raised = words**0.75 / (words**0.75).sum()
    found = ppmi(counts, shift=1.2)
    for i in range(3):
        for j in range(3):
            ratio = counts[i, j] / total / (words[i] / total * raised[j])
            assert found[i, j] == pytest.approx(max(np.log(ratio) - np.log(1.2), 0) if ratio else 0)


def paired_corpus(rng, pairs=12, length=20_000):
    """Tokens 2i and 2i + 1 are synonyms: a topic is drawn by a chain, then one of its two words at random."""
    step = rng.permutation(pairs)
    topic, tokens = 0, np.empty(length, dtype=np.int64)
    for place in range(length):
        topic = step[topic] if rng.random() < 0.7 else rng.integers(pairs)
        tokens[place] = 2 * topic + rng.integers(2)
    return cooccurrence(tokens, np.array([0, length]), 2 * pairs, window=2)


@pytest.mark.parametrize("kind", ["ppmi", "word2vec"])
def test_words_used_alike_get_like_vectors(kind):
    counts = paired_corpus(np.random.default_rng(1))
    vectors = ppmi_svd(counts, 10) if kind == "ppmi" else word2vec(counts, 10).words
    similar = cosine(vectors, vectors) - 2 * np.eye(24)
    assert np.mean(similar.argmax(axis=1) == np.arange(24) ^ 1) > 0.95


def test_full_width_skip_gram_factors_the_shifted_pmi():
    """Levy and Goldberg 2014, eq. 9: without a rank limit w.c = PMI - log k."""
    rng = np.random.default_rng(2)
    counts = rng.integers(20, 90, (6, 6)).astype(float)
    counts += counts.T
    found = word2vec(counts, 6, negatives=3, iterations=2000)
    share = counts.sum(axis=1) / counts.sum()
    expected = np.log(counts / counts.sum() / (3 * share[:, None] * context_shares(counts)[None, :]))
    np.testing.assert_allclose(found.words @ found.contexts.T, expected, atol=0.02)


def test_the_gradient_is_that_of_the_loss():
    from scipy.optimize import check_grad

    rng = np.random.default_rng(3)
    positive, negative = rng.random((2, 5, 5))

    def loss(flat):
        return _loss_and_gradient(*flat.reshape(2, 5, 3), positive, negative)

    error = check_grad(lambda f: loss(f)[0], lambda f: loss(f)[1], rng.normal(size=30))
    assert error < 1e-5


def test_the_loss_of_a_fit_is_the_objective_a_pair_and_the_pull_towards_zero():
    counts = np.random.default_rng(8).integers(1, 90, (5, 5)).astype(float)
    found = word2vec(counts, 3, negatives=2)
    scores, share = found.words @ found.contexts.T, counts / counts.sum()
    noise = 2 * share.sum(axis=1)[:, None] * context_shares(counts)[None, :]
    objective = (share * -np.logaddexp(0, -scores) + noise * -np.logaddexp(0, scores)).sum()
    pull = 0.5e-6 * ((found.words**2).sum() + (found.contexts**2).sum())
    assert pull > 1e-6
    assert found.loss == pytest.approx(pull - objective, abs=1e-9)


def test_results_repeat_by_seed_and_unseen_tokens_are_zero():
    counts = paired_corpus(np.random.default_rng(4), length=2000)
    counts[3], counts[:, 3] = 0, 0
    first, second = word2vec(counts, 5, seed=1), word2vec(counts, 5, seed=1)
    np.testing.assert_array_equal(first.words, second.words)
    assert not np.array_equal(first.words, word2vec(counts, 5, seed=2).words)
    assert (first.words[3] == 0).all()
    assert (ppmi_svd(counts, 5)[3] == 0).all()


def test_the_sparse_path_spans_what_the_dense_one_does():
    rng = np.random.default_rng(5)
    topics = rng.dirichlet(np.full(500, 0.05), 8)
    mixed = 5000 * topics.T @ topics
    vectors = ppmi_svd(mixed, 6)
    u, values, _ = np.linalg.svd(ppmi(mixed))
    np.testing.assert_allclose(vectors @ vectors.T, (u[:, :6] * values[:6]) @ u[:, :6].T, atol=1e-6)
    np.testing.assert_array_equal(vectors, ppmi_svd(mixed, 6))


def test_counts_that_are_none_are_refused():
    with pytest.raises(InputError, match="no two tokens"):
        ppmi_svd(np.zeros((3, 3)), 2)
    with pytest.raises(InputError, match="square"):
        word2vec(np.ones((3, 2)), 2)
