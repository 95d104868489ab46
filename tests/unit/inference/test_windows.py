"""Window plans, their weights, and stitching against a sum over all windows."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.inference.windows import Stitcher, WindowPlan, share_weights, window_weights


@st.composite
def plans(draw: st.DrawFn) -> WindowPlan:
    window = draw(st.integers(1, 20))
    return WindowPlan(draw(st.integers(1, 120)), window, draw(st.integers(1, window)))


@given(plans())
def test_windows_cover_every_token_and_are_equally_long(plan: WindowPlan) -> None:
    starts = [plan.start(i) for i in range(plan.count)]
    assert starts[0] == 0
    assert starts[-1] + plan.size == plan.tokens
    assert starts == sorted(set(starts))
    covered = np.zeros(plan.tokens, dtype=bool)
    for start in starts:
        covered[start : start + plan.size] = True
    assert covered.all()


@given(plans())
def test_shares_of_a_token_add_up_to_one(plan: WindowPlan) -> None:
    total = np.zeros(plan.tokens)
    for which in range(plan.count):
        start = plan.start(which)
        total[start : start + plan.size] += share_weights(plan, which)
    np.testing.assert_allclose(total, 1.0)


@settings(max_examples=50)
@given(plans(), st.integers(0, 2**32 - 1))
def test_stitching_is_the_weighted_mean_over_windows(plan: WindowPlan, seed: int) -> None:
    random = np.random.default_rng(seed)
    windows = random.normal(size=(plan.count, 2, plan.size, 3)).astype(np.float32)
    expected = np.zeros((2, plan.tokens, 3))
    for which in range(plan.count):
        start = plan.start(which)
        share = share_weights(plan, which)[:, None]
        expected[:, start : start + plan.size] += share * windows[which]
    stitcher = Stitcher(plan)
    pieces = [stitcher.add(states) for states in windows]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), expected, atol=1e-5)


def test_weights_fall_towards_the_ends() -> None:
    assert window_weights(5).tolist() == [1, 2, 3, 2, 1]
    assert window_weights(4).tolist() == [1, 2, 2, 1]
