import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomecli.errors import ConfigError
from genomecli.training.schedule import SCHEDULES, Schedule
from genomecli.training.settings import ScheduleSettings


def test_warm_up_rises_in_equal_steps_to_the_peak() -> None:
    schedule = Schedule("constant", steps=100, warmup=4)
    assert [schedule(step) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_linear_ends_at_the_smallest_ratio() -> None:
    schedule = Schedule("linear", steps=10, min_ratio=0.1)
    assert schedule(0) == pytest.approx(1.0)
    assert schedule(9) == pytest.approx(0.1 + 0.9 * 0.1)
    assert schedule(5) == pytest.approx(0.1 + 0.9 * 0.5)
    assert schedule(50) == pytest.approx(0.1)


def test_cosine_is_half_way_down_in_the_middle() -> None:
    schedule = Schedule("cosine", steps=20)
    assert schedule(10) == pytest.approx(0.5)
    assert schedule(5) == pytest.approx(0.5 * (1 + math.cos(math.pi / 4)))


def test_wsd_stays_and_then_falls() -> None:
    schedule = Schedule("wsd", steps=110, warmup=10, decay=0.2)
    assert [schedule(step) for step in range(10, 91)] == pytest.approx([1.0] * 81)
    assert schedule(100) == pytest.approx(0.5)
    assert schedule(109) == pytest.approx(0.05)
    assert schedule(110) == pytest.approx(0.0)


@given(
    kind=st.sampled_from(sorted(SCHEDULES)),
    steps=st.integers(1, 300),
    warmup=st.integers(0, 300),
    decay=st.floats(0, 1),
    least=st.floats(0, 1),
)
def test_factors_lie_within_bounds_and_never_rise_after_warm_up(
    kind: str, steps: int, warmup: int, decay: float, least: float
) -> None:
    schedule = Schedule(kind, steps, warmup, decay, least)
    factors = [schedule(step) for step in range(steps + 3)]
    assert all(0 <= factor <= 1 + 1e-12 for factor in factors)
    after = factors[min(warmup, len(factors)) :]
    assert all(a >= b - 1e-12 for a, b in pairwise(after))


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="linear"):
        Schedule("stairs", 10)


def test_warm_up_is_a_number_of_steps_or_a_share() -> None:
    assert ScheduleSettings(warmup=7).warmup_steps(1000) == 7
    assert ScheduleSettings(warmup=0.1).warmup_steps(1000) == 100
    with pytest.raises(ValueError, match="warmup"):
        ScheduleSettings(warmup=1.5)
