"""Muon and AdamW as one optimiser: each moves its parameters as it does alone."""

from __future__ import annotations

import copy

import pytest
import torch

from genomecli.errors import ConfigError
from genomecli.models.language_model import LanguageModel
from genomecli.models.settings import ModelSettings
from genomecli.training.muon import muon_names
from genomecli.training.optimiser import (
    build_optimiser,
    load_optimiser_tensors,
    optimiser_tensors,
    set_learning_rate,
)
from genomecli.training.settings import OptimiserSettings

CPU = torch.device("cpu")
MUON = OptimiserSettings(name="muon", lr=0.02, weight_decay=0.1)


def _model() -> LanguageModel:
    torch.manual_seed(0)
    settings = ModelSettings.model_validate({"preset": "tiny", "layers": 2, "width": 32, "context": 16})
    return LanguageModel(settings, 12)


def _gradients(model: LanguageModel, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def test_matrices_of_blocks_move_as_by_muon_and_the_rest_as_by_adamw() -> None:
    model = _model()
    alone, plain = copy.deepcopy(model), copy.deepcopy(model)
    joined = build_optimiser(model, MUON, CPU)
    adamw = build_optimiser(plain, OptimiserSettings(lr=0.02, weight_decay=0.1), CPU)
    chosen = muon_names(model)
    assert {name.rsplit(".", 2)[1] for name in chosen} >= {"qkv", "out"}
    matrices = [p for name, p in alone.named_parameters() if name in chosen]
    muon = torch.optim.Muon(matrices, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for step in range(3):
        for one, optimiser in ((model, joined), (alone, muon), (plain, adamw)):
            set_learning_rate(optimiser, 0.02 / (step + 1))
            _gradients(one, step)
            optimiser.step()
    others = dict(plain.named_parameters())
    by_muon = dict(alone.named_parameters())
    for name, parameter in model.named_parameters():
        expected = by_muon[name] if name in chosen else others[name]
        assert torch.equal(parameter, expected), name
        assert name not in chosen or not torch.equal(parameter, others[name])


def test_state_goes_to_named_tensors_and_back_bit_for_bit() -> None:
    model = _model()
    optimiser = build_optimiser(model, MUON, CPU)
    for step in range(2):
        _gradients(model, step)
        optimiser.step()
    flat = {name: value.clone() for name, value in optimiser_tensors(optimiser, model).items()}
    assert {name.rpartition("/")[2] for name in flat} == {"momentum_buffer", "exp_avg", "exp_avg_sq", "step"}
    twin = copy.deepcopy(model)
    other = build_optimiser(twin, MUON, CPU)
    load_optimiser_tensors(other, twin, flat, where="here")
    for one, its in ((model, optimiser), (twin, other)):
        _gradients(one, 9)
        its.step()
    for (name, left), right in zip(model.named_parameters(), twin.parameters(), strict=True):
        assert torch.equal(left, right), name


def test_rates_fall_from_block_to_block_for_both() -> None:
    model = _model()
    optimiser = build_optimiser(model, MUON, CPU, lambda name: 0.5 if ".blocks.0." in name else 1.0)
    set_learning_rate(optimiser, 0.1)
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    assert len(rates) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        assert rates[id(parameter)] == (0.05 if ".blocks.0." in name else 0.1), name


def test_an_old_torch_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(ConfigError, match=r"torch 2\.9"):
        build_optimiser(_model(), MUON, CPU)
