import math
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from genomecli.errors import CheckpointedError, InterruptedRunError, RunError
from genomecli.runtime import log
from genomecli.signals import StopFlag
from genomecli.training.feed import Feed
from genomecli.training.learner import Hooks, Loss
from genomecli.training.loop import Trainer
from genomecli.training.optimiser import build_optimiser, load_optimiser_tensors, optimiser_tensors
from genomecli.training.plan import Plan, Progress
from genomecli.training.schedule import Schedule
from genomecli.training.settings import OptimiserSettings
from tests.unit.training.toys import ToyData, ToyLearner, ToyModel

CPU = torch.device("cpu")


def _plan(steps: int = 8, **changes: Any) -> Plan:
    plan = Plan(steps, 0.02, Schedule("linear", steps, warmup=2), log_every=3)
    return replace(plan, **changes)


class Recorder:
    """Hooks that write down what they get, and keep copies of the weights at every save."""

    def __init__(self, losses: list[float] | None = None) -> None:
        self.losses = losses
        self.logs: list[tuple[int, dict[str, float]]] = []
        self.saves: list[tuple[Progress, bool]] = []
        self.states: list[tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]] = []
        self.trainer: Trainer | None = None
        self.probed: list[tuple[int, Mapping[str, float]]] = []

    def hooks(self, **more: Any) -> Hooks:
        return Hooks(
            log=lambda step, figures, tokens, seconds: self.logs.append((step, dict(figures))),
            save=self._save,
            validate=self._validate if self.losses is not None else None,
            probed=lambda step, figures: self.probed.append((step, figures)),
            **more,
        )

    def _validate(self, model: nn.Module, step: int) -> dict[str, float]:
        assert not model.training
        assert self.losses is not None
        return {"loss": self.losses.pop(0)}

    def _save(self, progress: Progress, best: bool) -> None:
        self.saves.append((progress, best))
        assert self.trainer is not None
        model, optimiser = self.trainer.model, self.trainer.optimiser
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        moments = {name: value.clone() for name, value in optimiser_tensors(optimiser, model).items()}
        self.states.append((weights, moments))


def _trainer(
    plan: Plan,
    recorder: Recorder | None = None,
    *,
    data: ToyData | None = None,
    model: nn.Module | None = None,
    learner: ToyLearner | None = None,
    progress: Progress | None = None,
    **hooks: Any,
) -> Trainer:
    model = model or ToyModel(dropout=0.2)
    optimiser = build_optimiser(model, OptimiserSettings(), CPU)
    recorder = recorder or Recorder()
    recorder.trainer = Trainer(
        model, learner or ToyLearner(), data or ToyData(), optimiser, plan, recorder.hooks(**hooks), progress
    )
    return recorder.trainer


def test_it_learns_and_logs_the_mean_of_each_window() -> None:
    recorder = Recorder()
    progress = _trainer(_plan(60), recorder).run()
    assert progress.step == 60
    assert [step for step, _ in recorder.logs][:3] == [3, 6, 9]
    first, last = recorder.logs[0][1], recorder.logs[-1][1]
    assert first["toy_loss"] > 2.2
    assert last["toy_loss"] < 0.6 * first["toy_loss"]
    assert last["tokens"] == progress.tokens
    assert first["loss"] == pytest.approx(first["toy_loss"], rel=0.05)


def test_accumulation_equals_one_batch_of_all_targets() -> None:
    """Rows have different lengths: the mean over micro-batch means would differ."""

    class Joined(ToyData):
        def step(self, step: int, rank: int = 0, world: int = 1) -> list[Any]:
            parts = super().step(step)
            joined = {
                name: torch.cat([getattr(part, name) for part in parts])
                for name in ("tokens", "lengths", "positions", "languages", "records")
            }
            return [replace(parts[0], **joined)]

    models = [ToyModel(), ToyModel()]
    for model, data in zip(models, (ToyData(micro=3), Joined(micro=3)), strict=True):
        _trainer(_plan(4), data=data, model=model).run()
    for left, right in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_resumed_training_is_bit_equal(precision: str) -> None:
    plan = _plan(9, precision=precision, save_every=4)
    whole = Recorder()
    _trainer(plan, whole).run()
    halfway, (weights, moments) = whole.saves[0][0], whole.states[0]
    assert halfway.step == 4
    rest = Recorder()
    trainer = _trainer(plan, rest, progress=halfway)
    trainer.model.load_state_dict(weights)
    load_optimiser_tensors(trainer.optimiser, trainer.model, moments, where="test")
    trainer.run()
    assert whole.logs[1:] == rest.logs
    for index in (0, 1):
        for name, value in whole.states[-1][index].items():
            assert torch.equal(value, rest.states[-1][index][name]), name


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_low_precision_follows_full_precision(precision: str) -> None:
    recorders = {name: Recorder() for name in ("fp32", precision)}
    for name, recorder in recorders.items():
        _trainer(_plan(30, precision=name), recorder, model=ToyModel()).run()
    full, low = (recorder.logs[-1][1]["toy_loss"] for recorder in recorders.values())
    assert low == pytest.approx(full, rel=0.03)


def test_fp16_skips_steps_that_overflow_and_lowers_its_scale() -> None:
    recorder = Recorder()
    trainer = _trainer(_plan(1, precision="fp16"), recorder)
    trainer.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40)
    before = [parameter.detach().clone() for parameter in trainer.parameters]
    trainer.run()
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.parameters, strict=True))
    assert recorder.saves[-1][0].scaler["scale"] == 2.0**39


def test_clipping_bounds_the_norm() -> None:
    class Norms(torch.optim.SGD):
        seen: list[float]

        def step(self, closure: Any = None) -> None:
            grads = [p.grad for group in self.param_groups for p in group["params"]]
            self.seen.append(float(nn.utils.get_total_norm(grads)))

    for clip, expected in ((0.05, 0.05), (0.0, None)):
        model = ToyModel()
        optimiser = Norms(model.parameters(), lr=0.1)
        optimiser.seen = []
        Trainer(model, ToyLearner(), ToyData(), optimiser, _plan(2, clip=clip)).run()
        if expected is None:
            assert min(optimiser.seen) > 0.06
        else:
            assert optimiser.seen == pytest.approx([expected] * 2, rel=1e-4)


def test_a_loss_that_is_no_number_stops_before_the_update_and_names_records() -> None:
    recorder = Recorder()
    trainer = _trainer(_plan(8), recorder, learner=ToyLearner(poison=(5, 1)),
                       name_records=lambda rows: [f"gene{row}" for row in rows])  # fmt: skip
    with pytest.raises(RunError, match=r"step 6") as caught:
        trainer.run()
    assert "gene510, gene511, gene512, gene513" in str(caught.value)
    assert trainer.progress.step == 5
    assert all(torch.isfinite(parameter).all() for parameter in trainer.parameters)


def test_a_step_with_a_bad_loss_can_be_skipped_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """The weights are those of a run that never had the step."""
    recorder = Recorder()
    trainer = _trainer(_plan(8, skip_bad=True), recorder, learner=ToyLearner(poison=(5, 1)),
                       name_records=lambda rows: [f"gene{row}" for row in rows])  # fmt: skip
    with caplog.at_level("WARNING", logger=log.name):
        log.addHandler(caplog.handler)
        end = trainer.run()
        log.removeHandler(caplog.handler)
    assert (end.step, end.skipped) == (8, 1)
    assert "step 6 is skipped" in caplog.text
    assert "gene510, gene511, gene512, gene513" in caplog.text
    assert all(torch.isfinite(parameter).all() for parameter in trainer.parameters)
    untouched = _trainer(_plan(8), Recorder())
    for step in (0, 1, 2, 3, 4, 6, 7):
        untouched.progress = replace(untouched.progress, step=step)
        untouched._step(Feed(untouched.data, untouched.learner, 8, ahead=False))
    for mine, theirs in zip(trainer.parameters, untouched.parameters, strict=True):
        assert torch.equal(mine, theirs)


def test_a_run_whose_losses_are_all_bad_ends() -> None:
    trainer = _trainer(_plan(60, skip_bad=True), Recorder(), learner=AlwaysBad())
    with pytest.raises(RunError, match="21 steps in a row, up to 21"):
        trainer.run()


class AlwaysBad(ToyLearner):
    def loss(self, model: nn.Module, batch: Any, totals: Mapping[str, float]) -> Loss:
        return replace(super().loss(model, batch, totals), total=torch.tensor(math.nan, requires_grad=True))


def test_a_bad_loss_that_was_not_read_back_at_its_step_is_never_saved() -> None:
    """As on a GPU, where the step itself reads nothing back."""
    recorder = Recorder()
    trainer = _trainer(_plan(8), recorder)
    trainer.meters.add_loss(Loss(torch.tensor(1.0)), 1, 0)
    trainer.meters.add_loss(Loss(torch.tensor(math.inf)), 1, 1)
    trainer.meters.add_loss(Loss(torch.tensor(math.nan)), 2, 0)
    with pytest.raises(RunError, match="step 2") as caught:
        trainer._save(False)
    assert "row 110" in str(caught.value)
    assert recorder.saves == []


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("SIGINT", InterruptedRunError, 130),
        ("SIGTERM", CheckpointedError, 75),
        ("SIGUSR1", CheckpointedError, 75),
    ],
)
def test_signals_save_and_stop(name: str, error: type[Exception], code: int) -> None:
    recorder = Recorder()
    steps = iter(range(100))

    def advance() -> None:
        if next(steps) == 2:
            os.kill(os.getpid(), getattr(signal, name))

    with pytest.raises(error) as caught:
        _trainer(_plan(50), recorder, advance=advance).run()
    assert [progress.step for progress, _ in recorder.saves] == [3]
    assert caught.value.exit_code == code  # type: ignore[attr-defined]
    assert "step 3 of 50" in str(caught.value)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_second_signal_stops_at_once_and_leaves_the_last_save(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StopFlag, "TOGETHER", 0.0)
    recorder = Recorder()
    steps = iter(range(100))

    def advance() -> None:
        if next(steps) == 5:
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        _trainer(replace(_plan(50), save_every=4), recorder, advance=advance).run()
    assert [progress.step for progress, _ in recorder.saves] == [4]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_the_deadline_saves_and_asks_to_be_run_again() -> None:
    recorder = Recorder()
    with pytest.raises(CheckpointedError, match="time is over"):
        _trainer(_plan(50, deadline=time.monotonic()), recorder).run()
    assert [progress.step for progress, _ in recorder.saves] == [1]
    assert _trainer(_plan(1, deadline=time.monotonic())).run().step == 1


def test_the_best_is_marked_and_patience_ends_training() -> None:
    recorder = Recorder([3.0, 2.0, 2.5, math.nan, 1.0])
    progress = _trainer(_plan(100, validate_every=2, patience=2), recorder).run()
    assert progress.step == 8
    assert (progress.best_loss, progress.best_step) == (2.0, 4)
    assert [(p.step, best) for p, best in recorder.saves] == [(2, True), (4, True), (8, False)]


def test_probes_run_in_evaluation_mode_and_do_not_change_training() -> None:
    def probe(model: nn.Module, step: int) -> dict[str, float]:
        assert not model.training
        torch.rand(5)
        return {"mrr": step / 10}

    with_probe, without = Recorder(), Recorder()
    _trainer(_plan(6, probe_every=4), with_probe, probes={"frame0": probe}).run()
    _trainer(_plan(6), without).run()
    assert with_probe.probed == [(4, {"frame0/mrr": 0.4}), (6, {"frame0/mrr": 0.6})]
    assert with_probe.logs == without.logs


def test_one_step_ahead_in_a_thread_gives_the_same_batches() -> None:
    from genomecli.training.feed import Feed

    plain, ahead = ToyData(), ToyData()
    with Feed(plain, ToyLearner(), 4, ahead=False) as slow, Feed(ahead, ToyLearner(), 4, ahead=True) as fast:
        for step in range(4):
            left, right = slow(step), fast(step)
            assert left.totals == right.totals
            assert all(torch.equal(a.tokens, b.tokens) for a, b in zip(left.texts, right.texts, strict=True))
    assert sorted(ahead.asked) == [0, 1, 2, 3]


def test_a_batch_too_large_for_the_memory_is_computed_in_pieces() -> None:
    class Small(ToyModel):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            if len(tokens) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(tokens)

    models = [ToyModel(), Small()]
    recorders = [Recorder(), Recorder()]
    for model, recorder in zip(models, recorders, strict=True):
        trainer = _trainer(_plan(3), recorder, data=ToyData(rows=7), model=model)
        trainer.run()
    assert trainer.pieces == 4
    for left, right in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=1e-3, atol=1e-4)
    whole, pieces = (recorder.logs[0][1] for recorder in recorders)
    assert pieces == pytest.approx(whole, rel=1e-4)


def test_a_single_text_too_large_for_the_memory_is_an_error() -> None:
    class Full(ToyModel):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(RunError, match="memory"):
        _trainer(_plan(3), model=Full()).run()
