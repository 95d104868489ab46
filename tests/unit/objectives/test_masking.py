from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.corpus.batch import IGNORE
from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.vocabulary import CLS, MASK, PAD, SEP, UNK
from genomecli.objectives import masking
from genomecli.objectives.masking import MaskingPolicy, choose_runs, mask_tokens

LEXICON = build_lexicon(["x"])
VOCABULARY = LEXICON.vocabulary
FIRST = 5


def texts(generator: np.random.Generator, lengths: list[int], low: int = FIRST, high: int = 69) -> np.ndarray:
    width = max(lengths) + 2
    tokens = np.full((len(lengths), width), PAD)
    for row, length in enumerate(lengths):
        tokens[row, : length + 2] = [CLS, *generator.integers(low, high, length), SEP]
    return tokens


def test_shares_of_masks_random_tokens_and_kept_ones() -> None:
    generator = np.random.default_rng(0)
    tokens = texts(generator, [510] * 400)
    corrupted, targets = mask_tokens(tokens, VOCABULARY, MaskingPolicy(), generator)
    chosen = targets != IGNORE
    total = 510 * 400
    assert abs(chosen.sum() - 0.15 * total) < 4 * (total * 0.15 * 0.85) ** 0.5
    masked = (corrupted == MASK) & chosen
    other = chosen & ~masked & (corrupted != tokens)
    kept = chosen & (corrupted == tokens)
    n = chosen.sum()
    # A random token is the true one in 1 of 64 cases, and so looks kept.
    for part, share in ((masked, 0.8), (other, 0.1 * 63 / 64), (kept, 0.1 + 0.1 / 64)):
        assert abs(part.sum() - share * n) < 4 * (n * share * (1 - share)) ** 0.5
    assert np.array_equal(corrupted[~chosen], tokens[~chosen])
    assert np.array_equal(targets[chosen], tokens[chosen])


def test_positions_are_chosen_evenly() -> None:
    generator = np.random.default_rng(1)
    tokens = texts(generator, [40] * 20000)
    for policy in (MaskingPolicy(rate=0.2), MaskingPolicy(rate=0.2, exact=True)):
        _, targets = mask_tokens(tokens, VOCABULARY, policy, generator)
        share = (targets != IGNORE).mean(axis=0)[1:41]
        assert np.abs(share - 0.2).max() < 5 * (0.16 / 20000) ** 0.5


@pytest.mark.parametrize(("replacements", "allowed"), [("own", range(5, 69)), ("joint", range(5, 89))])
def test_random_tokens_come_from_where_they_should(replacements: str, allowed: range) -> None:
    generator = np.random.default_rng(2)
    policy = MaskingPolicy(rate=0.9, mask_share=0, random_share=1, replacements=replacements)  # type: ignore[arg-type]
    tokens = texts(generator, [500] * 100)
    corrupted, targets = mask_tokens(tokens, VOCABULARY, policy, generator)
    drawn = corrupted[targets != IGNORE]
    counts = np.bincount(drawn, minlength=VOCABULARY.size)
    assert set(np.flatnonzero(counts)) == set(allowed)
    expected = len(drawn) / len(allowed)
    assert (np.abs(counts[list(allowed)] - expected) < 5 * expected**0.5).all()


def test_own_is_the_token_s_own_block() -> None:
    generator = np.random.default_rng(3)
    lexicon = build_lexicon(["x", "y"], scope="per_species")
    policy = MaskingPolicy(rate=0.9, mask_share=0, random_share=1)
    tokens = texts(generator, [300] * 50, high=lexicon.vocabulary.size)
    corrupted, _ = mask_tokens(tokens, lexicon.vocabulary, policy, generator)
    block_of = lexicon.vocabulary.block_of
    assert np.array_equal(block_of[corrupted], block_of[tokens])
    assert (corrupted != tokens).mean() > 0.8


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.floats(0.01, 0.99),
    st.booleans(),
    st.sampled_from([1, 2, 3, 6]),
    st.floats(0, 0.6),
    st.integers(0, 10**6),
)
def test_what_always_holds(
    lengths: list[int], rate: float, exact: bool, span: int, unknown: float, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    tokens = texts(generator, lengths)
    tokens[(generator.random(tokens.shape) < unknown) & (tokens >= FIRST)] = UNK
    before = tokens.copy()
    policy = MaskingPolicy(rate=rate, exact=exact)
    corrupted, targets = mask_tokens(tokens, VOCABULARY, policy, np.random.default_rng(seed), spans=span)
    again = mask_tokens(tokens, VOCABULARY, policy, np.random.default_rng(seed), spans=span)
    assert np.array_equal(corrupted, again[0])
    assert np.array_equal(targets, again[1])
    assert np.array_equal(tokens, before)
    special = tokens < FIRST
    assert np.array_equal(corrupted[special], tokens[special])
    assert (targets[special] == IGNORE).all()
    predicted = targets != IGNORE
    assert np.array_equal(targets[predicted], tokens[predicted])
    assert ((corrupted == MASK) | (corrupted >= FIRST) | special).all()
    has_words = (tokens >= FIRST).any(axis=1)
    assert np.array_equal(predicted.any(axis=1), has_words)
    if exact and span == 1:
        words = (tokens >= FIRST).sum(axis=1)
        wanted = np.where(has_words, np.maximum(1, np.rint(rate * words)), 0)
        assert np.array_equal(predicted.sum(axis=1), wanted)


def test_rows_that_are_not_asked_for_stay() -> None:
    generator = np.random.default_rng(4)
    tokens = texts(generator, [50, 50, 50])
    rows = np.array([True, False, True])
    corrupted, targets = mask_tokens(tokens, VOCABULARY, MaskingPolicy(), generator, rows=rows)
    assert np.array_equal((targets != IGNORE).any(axis=1), rows)
    assert np.array_equal(corrupted[1], tokens[1])


@pytest.mark.parametrize(("k", "stride"), [(6, 1), (6, 2), (5, 2), (3, 1), (4, 3), (8, 1)])
@pytest.mark.parametrize("exact", [False, True])
def test_no_symbol_of_a_predicted_overlapping_token_can_be_read_elsewhere(
    k: int, stride: int, exact: bool
) -> None:
    lexicon = build_lexicon(["x"], dna="kmer", k=k, stride=stride)
    tokenizer = lexicon.tokenizer("x", "genome")
    generator = np.random.default_rng(5)
    symbols = generator.integers(0, 4, (60, tokenizer.symbols(200))).astype(np.uint8)
    symbols[generator.random(symbols.shape) < 0.004] = 6
    tokens = np.pad(tokenizer.encode_rows(symbols).astype(np.int64), ((0, 0), (1, 1)), constant_values=CLS)
    tokens[:, -1] = SEP
    policy = MaskingPolicy(rate=0.2, mask_share=1.0, random_share=0.0, exact=exact)
    corrupted, targets = mask_tokens(tokens, lexicon.vocabulary, policy, generator, spans=tokenizer.span)
    assert (targets != IGNORE).sum() > 100
    for row in range(60):
        shown = np.zeros(symbols.shape[1], dtype=bool)
        for place in np.flatnonzero(corrupted[row] >= FIRST) - 1:
            shown[place * stride : place * stride + k] = True
        for place in np.flatnonzero(targets[row] != IGNORE) - 1:
            assert not shown[place * stride : place * stride + k].any()


def test_runs_cover_their_share_and_predict_a_third_of_it() -> None:
    generator = np.random.default_rng(6)
    tokens = texts(generator, [510] * 300)
    policy = MaskingPolicy(rate=0.15, mask_share=1.0, random_share=0.0)
    corrupted, targets = mask_tokens(tokens, VOCABULARY, policy, generator, spans=6)
    covered = (corrupted == MASK)[:, 1:511]
    assert covered.mean() == pytest.approx(0.15, abs=0.01)
    edges = covered[:, :20].mean(), covered[:, -20:].mean()
    assert min(edges) > 0.1
    predicted = (targets != IGNORE).sum() / covered.sum()
    assert 0.35 < predicted < 0.6


def test_a_stretch_has_one_fate() -> None:
    generator = np.random.default_rng(7)
    free = np.ones((40, 300), dtype=bool)
    chosen, predicted, fates = choose_runs(free, 6, MaskingPolicy(rate=0.3), generator)
    assert set(predicted) <= set(chosen)
    touching = (np.diff(chosen) == 1) & (chosen[1:] % 300 != 0)
    assert (fates[1:][touching] == fates[:-1][touching]).all()
    assert len(set(fates.tolist())) == (~touching).sum() + 1


def test_runs_are_never_too_short_to_predict_anything() -> None:
    assert MaskingPolicy(run=3).run_length(6) == 11
    assert MaskingPolicy(run=20).run_length(6) == 20
    assert MaskingPolicy().run_length(6) == 16
    assert MaskingPolicy(run=4).run_length(1) == 1


def test_spans_may_differ_from_place_to_place() -> None:
    generator = np.random.default_rng(8)
    tokens = texts(generator, [200] * 40)
    spans = np.ones(tokens.shape, dtype=np.int64)
    spans[::2] = 6
    corrupted, targets = mask_tokens(
        tokens, VOCABULARY, MaskingPolicy(mask_share=1.0, random_share=0.0), generator, spans=spans
    )
    hidden, predicted = corrupted == MASK, targets != IGNORE
    assert np.array_equal(hidden[1::2], predicted[1::2])
    assert hidden[::2].sum() > predicted[::2].sum() > 0


@pytest.mark.parametrize("length", [0, 1, 5, 40])
@pytest.mark.parametrize("reach", [1, 2, 3, 7, 16, 60])
def test_runs_and_what_is_far_from_them_are_as_a_loop_finds_them(length: int, reach: int) -> None:
    flags = np.random.default_rng(reach).random((4, length)) < 0.4
    widened, far = np.zeros_like(flags), np.ones_like(flags)
    for row in range(4):
        for place in range(length):
            widened[row, place] = flags[row, max(0, place - reach + 1) : place + 1].any()
            far[row, place] = not flags[row, max(0, place - reach) : place + reach + 1].any()
    room = np.pad(flags, [(0, 0), (0, reach - 1)])
    assert (masking._dilate(room, reach)[:, :length] == widened).all()
    assert (masking._far_from(flags, reach) == far).all()


@pytest.mark.parametrize("rate", [0.0005, 0.003, 0.15, 0.4])
def test_small_rates_of_runs_are_kept_too(rate: float) -> None:
    covered = masking._cover(
        np.ones((64, 4096), dtype=np.bool_), 16, MaskingPolicy(rate=rate), np.random.default_rng(0)
    )
    expected = rate * covered.size
    assert abs(int(covered.sum()) - expected) < 5 * 4 * expected**0.5
