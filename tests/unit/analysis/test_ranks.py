"""Ranks by counting against a slow reference, and on vectors that have collapsed or repeat."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import rankdata

from genomecli.analysis.ranks import Gold, rank_matrix, rank_vectors
from genomecli.analysis.similarity import cosine, csls
from genomecli.errors import InputError


def slow_rank(scores, right, ignored):
    """Rank of the best right candidate among the wrong ones, and average precision, one query at a time."""
    wrong = scores[~right & ~ignored]
    good = scores[right & ~ignored]
    if good.size == 0:
        return np.nan, np.nan
    rank = rankdata(np.r_[-good.max(), -wrong], method="average")[0]
    everything = rankdata(np.r_[-good, -wrong], method="average")[: len(good)]
    among_right = rankdata(-good, method="average")
    return rank, float(np.mean(among_right / everything))


def slow_ranks(scores, right, ignored):
    both = [slow_rank(*line) for line in zip(scores, right, ignored, strict=True)]
    return np.array(both).reshape(-1, 2).T


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_matrix_ranks_agree_with_the_slow_reference(data):
    queries, width = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 40))
    shape = (queries, width)
    scores = data.draw(hnp.arrays(np.float64, shape, elements=st.integers(-3, 3).map(float)))
    right = data.draw(hnp.arrays(np.bool_, shape))
    ignored = data.draw(hnp.arrays(np.bool_, shape))
    block = (data.draw(st.integers(1, 4)), data.draw(st.integers(1, 11)))
    found = rank_matrix(scores, Gold.mask(right, ignored=ignored), block=block)
    ranks, precision = slow_ranks(scores, right, ignored)
    np.testing.assert_allclose(found.ranks, ranks)
    np.testing.assert_allclose(found.average_precision, precision)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    labels=st.integers(1, 6),
    similarity=st.sampled_from(["cosine", "dot", "csls"]),
)
def test_vector_ranks_agree_with_the_slow_reference(seed, labels, similarity):
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (6, 3)).astype(float)
    y = rng.integers(-2, 3, (50, 3)).astype(float)
    y[20:30] = y[:10]  # repeats: every score of theirs ties
    query_labels, item_labels = rng.integers(0, labels, 6), rng.integers(0, labels, 50)
    skip = rng.integers(-1, 50, 6)
    gold = Gold.classes(query_labels, item_labels, skip=skip)
    found = rank_vectors(x, y, gold, similarity=similarity, neighbours=4, block=(4, 7))
    table = {"cosine": cosine, "dot": lambda a, b: a @ b.T, "csls": lambda a, b: csls(a, b, 4)}[similarity](
        x, y
    )
    right = query_labels[:, None] == item_labels[None, :]
    ranks, precision = slow_ranks(np.round(table, 9), right, skip[:, None] == np.arange(50)[None, :])
    np.testing.assert_allclose(found.ranks, ranks)
    np.testing.assert_allclose(found.average_precision, precision)


@pytest.mark.parametrize("similarity", ["cosine", "dot", "csls"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e-30, 3e7])
def test_collapsed_vectors_never_score_one(similarity, value):
    x = np.full((61, 33), value)
    y = np.full((20, 33), value)
    found = rank_vectors(x, y, Gold.single(np.arange(61) % 20), similarity=similarity, block=(7, 3))
    np.testing.assert_allclose(found.ranks, 1 + 19 / 2)
    assert found.precision(5) == 0.0


def test_the_gold_does_not_count_itself_when_its_score_differs_in_the_last_bits():
    scores = np.array([[0.5, np.nextafter(0.5, 1), 0.1]])
    assert rank_matrix(scores, Gold.single([0])).ranks[0] == 1.5  # a tie, not a defeat
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 57)).astype(np.float32)
    found = rank_vectors(x, x, Gold.single(np.arange(300)), block=(11, 13))
    assert np.array_equal(found.ranks, np.ones(300))


def test_a_duplicate_of_the_gold_ties_with_it_wherever_its_block_ends():
    rng = np.random.default_rng(1)
    y = rng.normal(size=(101, 64))
    y[100] = y[3]
    found = rank_vectors(y[3:4], y, Gold.single([3]), block=(1, 9))
    assert found.ranks[0] == 1.5


def test_many_right_candidates_are_counted_the_same_by_sorting():
    rng = np.random.default_rng(2)
    scores = rng.integers(0, 9, (5, 90)).astype(float)
    right = rng.random((5, 90)) < 0.5
    found = rank_matrix(scores, Gold.mask(right), block=(2, 13))
    ranks, precision = slow_ranks(scores, right, np.zeros_like(right))
    np.testing.assert_allclose(found.ranks, ranks)
    np.testing.assert_allclose(found.average_precision, precision)


def test_summaries_leave_out_queries_without_a_right_candidate():
    scores = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    found = rank_matrix(scores, Gold.single([0, 2, -1]))
    assert found.n == 2
    assert found.mrr == pytest.approx((1 + 1 / 3) / 2)
    assert found.map == pytest.approx(found.mrr)
    assert found.precision(1) == 0.5
    assert found.precision(3) == 1.0


def test_single_precision_scores_tie_at_single_precision():
    scores = np.array([[0.5, 0.5 + 1e-7, 0.1]], dtype=np.float32)
    assert rank_matrix(scores, Gold.single([0])).ranks[0] == 1.5


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="not a number"):
        rank_matrix([[0.0, np.nan]], Gold.single([0]))
    with pytest.raises(InputError, match="first row 1"):
        rank_vectors([[0.0], [np.inf]], [[1.0]], Gold.single([0, 0]))


@pytest.mark.parametrize("similarity", ["cosine", "csls"])
@pytest.mark.parametrize("step", [1e-3, 1e-5, 1e-6, 1e-7])
def test_candidates_closer_than_single_precision_are_told_apart(similarity, step):
    rng = np.random.default_rng(4)
    database = rng.normal(size=(2_000, 48))
    # Crowds around each right one, nearer to the query or further by less than single precision can see.
    away = rng.normal(size=(20, 48))
    for number in range(20):
        database[20 + 40 * number : 60 + 40 * number] = (
            database[number] + step * rng.normal(size=(40, 1)) * away[number]
        )
    queries = database[:20] + 0.3 * away
    gold = Gold.single(np.arange(20))
    table = cosine(queries, database) if similarity == "cosine" else csls(queries, database, 5)
    found = rank_vectors(queries, database, gold, similarity=similarity)
    exact = rank_matrix(table, gold)
    assert np.array_equal(found.ranks, exact.ranks)
    assert len(np.unique(found.ranks)) > 5


def test_wide_blocks_are_counted_as_narrow_ones():
    rng = np.random.default_rng(5)
    scores = rng.integers(0, 50, (7, 3_000)).astype(float)
    gold = Gold.mask(rng.random((7, 3_000)) < 0.002)
    wide, narrow = rank_matrix(scores, gold), rank_matrix(scores, gold, block=(3, 100))
    assert np.array_equal(wide.ranks, narrow.ranks)
    np.testing.assert_allclose(wide.average_precision, narrow.average_precision)
