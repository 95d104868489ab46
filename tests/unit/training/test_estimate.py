import pytest
import torch

from genomecli.models.language_model import build_model, count_parameters
from genomecli.models.settings import ModelSettings
from genomecli.training import estimate
from genomecli.training.estimate import Estimate, Load, duration, estimate_run, suggest

CPU = torch.device("cpu")
LOAD = Load(90, 2, 32, 64, 0.3, CPU, "fp32")


def test_the_estimate_counts_the_model_and_leaves_it_as_it_was() -> None:
    model = build_model(ModelSettings(preset="tiny", context=32), 90, 2, seed=3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = estimate_run(model, LOAD, tokens=10_000, seconds=0.01)
    assert found.parameters == count_parameters(model)
    assert found.seconds == pytest.approx(10_000 / found.rate)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_lines_say_what_and_warn_of_too_little_memory() -> None:
    small = Estimate({"blocks": 1000, "total": 1200}, 60_000, 1000.0, 2**20, 2**30)
    assert "1,200 parameters (blocks 1,000)" in small.lines()[0]
    assert "60,000 tokens at about 1,000 tokens/s: 60 s" in small.lines()[1]
    assert small.lines()[2] == "memory: about 1 MiB of 1.0 GiB free"
    assert "warning" in Estimate({"total": 1}, 1, 1.0, 2**31, 2**30).lines()[3]
    assert len(Estimate({"total": 1}, 1, 1.0, 2**31, None).lines()) == 3


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does a thousand million operations a second, whatever the model."""

    def rate(settings: ModelSettings, load: Load) -> float:
        return float(1e9 / estimate._cost(settings, load).train_flops)

    monkeypatch.setattr(estimate, "_measure", rate)


@pytest.mark.usefixtures("slow_machine")
def test_a_larger_corpus_and_more_time_allow_a_larger_preset() -> None:
    def largest(tokens: int, minutes: float) -> str:
        return [choice.preset for choice in suggest(LOAD, tokens, minutes) if choice.fits][-1]

    assert largest(2_000_000, 60.0) == "tiny"
    assert largest(2_000_000, 10_000.0) == "mini"
    assert largest(30_000_000, 1e7) == "small"


@pytest.mark.usefixtures("slow_machine")
def test_each_choice_says_why_it_does_not_fit() -> None:
    few = suggest(LOAD, 1000, 1e9)
    assert "more weights" in few[0].why
    assert not few[0].fits
    slow = suggest(LOAD, 10**9, 0.01)
    assert len(slow) == 1
    assert "takes" in slow[0].why


def test_durations_are_readable() -> None:
    assert [duration(s) for s in (40, 720, 12_600, 362_880)] == ["40 s", "12 min", "3.5 h", "4.2 days"]
