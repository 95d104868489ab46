import pytest
import torch
from pydantic import ValidationError
from torch import nn

from genomecli.errors import ConfigError, InputError
from genomecli.training.optimiser import (
    build_optimiser,
    load_optimiser_tensors,
    optimiser_tensors,
    parameter_groups,
    set_learning_rate,
)
from genomecli.training.settings import FreshOptimiserSettings, OptimiserSettings, rate_for
from tests.unit.training.toys import ToyModel

CPU = torch.device("cpu")


def _step(model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    tokens = torch.arange(12)[None]
    model(tokens).square().sum().backward()
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


def test_only_matrices_decay_and_every_parameter_is_in_one_group() -> None:
    model = ToyModel()
    decayed, others = parameter_groups(model, 0.5)
    assert {id(p) for p in decayed["params"]} == {id(model.mix.weight), id(model.out.weight)}
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.5, 0.0)
    together = [id(p) for group in (decayed, others) for p in group["params"]]
    assert sorted(together) == sorted(id(p) for p in model.parameters())


def test_a_tied_output_does_not_decay() -> None:
    model = ToyModel()
    model.out.weight = model.embedding.weight
    decayed, others = parameter_groups(model, 0.5)
    assert [id(p) for p in decayed["params"]] == [id(model.mix.weight)]
    assert any(p is model.embedding.weight for p in others["params"])


def test_frozen_parameters_are_left_out() -> None:
    model = ToyModel()
    model.mix.requires_grad_(False)
    groups = parameter_groups(model, 0.1)
    assert not any(p is model.mix.weight for group in groups for p in group["params"])


def test_one_step_is_adamw_by_its_formula() -> None:
    model = ToyModel()
    settings = OptimiserSettings(lr=0.01, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.3)
    optimiser = build_optimiser(model, settings, CPU)
    before = model.mix.weight.detach().clone()
    model(torch.arange(12)[None]).square().sum().backward()
    assert model.mix.weight.grad is not None
    gradient = model.mix.weight.grad.clone()
    optimiser.step()
    direction = gradient / (gradient.abs() + 1e-6)
    expected = before * (1 - 0.01 * 0.3) - 0.01 * direction
    torch.testing.assert_close(model.mix.weight.detach(), expected)


def test_state_goes_to_named_tensors_and_back_bit_for_bit() -> None:
    model, twin = ToyModel(), ToyModel()
    settings = OptimiserSettings()
    optimiser = build_optimiser(model, settings, CPU)
    for _ in range(3):
        _step(model, optimiser)
    flat = {name: value.clone() for name, value in optimiser_tensors(optimiser, model).items()}
    assert "mix.weight/exp_avg_sq" in flat
    twin.load_state_dict(model.state_dict())
    other = build_optimiser(twin, settings, CPU)
    load_optimiser_tensors(other, twin, flat, where="here")
    _step(model, optimiser)
    _step(twin, other)
    for (name, left), right in zip(model.named_parameters(), twin.parameters(), strict=True):
        assert torch.equal(left, right), name


def test_loading_does_not_share_memory_with_what_was_loaded() -> None:
    model = ToyModel()
    optimiser = build_optimiser(model, OptimiserSettings(), CPU)
    _step(model, optimiser)
    flat = {name: value.clone() for name, value in optimiser_tensors(optimiser, model).items()}
    kept = flat["out.weight/exp_avg"].clone()
    load_optimiser_tensors(optimiser, model, flat, where="here")
    _step(model, optimiser)
    assert torch.equal(flat["out.weight/exp_avg"], kept)


def test_state_of_another_model_is_refused() -> None:
    model = ToyModel()
    optimiser = build_optimiser(model, OptimiserSettings(), CPU)
    with pytest.raises(InputError, match=r"nothing\.weight"):
        load_optimiser_tensors(optimiser, model, {"nothing.weight/exp_avg": torch.zeros(2)}, where="x")
    with pytest.raises(InputError, match="shape"):
        load_optimiser_tensors(optimiser, model, {"mix.weight/exp_avg": torch.zeros(2)}, where="x")


def test_unknown_optimiser_and_learning_rate() -> None:
    with pytest.raises(ConfigError, match="adamw"):
        build_optimiser(ToyModel(), OptimiserSettings(name="sgd9"), CPU)
    optimiser = build_optimiser(ToyModel(), OptimiserSettings(), CPU)
    set_learning_rate(optimiser, 0.5)
    assert {group["lr"] for group in optimiser.param_groups} == {0.5}


def test_the_rate_of_a_new_network_follows_its_width() -> None:
    assert [rate_for(width) for width in (32, 64, 256, 768, 1024)] == [2e-3, 2e-3, 1e-3, 5.8e-4, 5e-4]
    fresh = FreshOptimiserSettings(weight_decay=0.5, betas=(0.8, 0.9))
    assert fresh.settled(256) == OptimiserSettings(lr=1e-3, weight_decay=0.5, betas=(0.8, 0.9))
    assert FreshOptimiserSettings(lr=0.3).settled(256).lr == 0.3
    with pytest.raises(ValidationError):
        FreshOptimiserSettings(lr=0)
