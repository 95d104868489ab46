"""Estimates against torch's own counters and against what autograd really keeps."""

from __future__ import annotations

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from genomecli.models.cost import estimate_cost
from genomecli.models.language_model import build_model, count_parameters
from genomecli.models.settings import ModelSettings
from genomecli.models.timing import autocast, measure_training_rate

MODELS = [
    ModelSettings(preset=None, layers=3, width=128, local_window=32),
    ModelSettings(preset=None, layers=3, width=128, architecture="classic"),
]


@pytest.mark.parametrize("settings", MODELS, ids=["modern", "classic"])
def test_matrix_operations_equal_torchs_count(settings: ModelSettings) -> None:
    model = build_model(settings, 200)
    tokens = torch.zeros(2, 64, dtype=torch.long)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model.logits(model(tokens).last)
    by_operation = counter.get_flop_counts()["Global"]
    matrices = sum(n for op, n in by_operation.items() if "attention" not in str(op))
    cost = estimate_cost(settings, 200, length=64, decoded=1.0)
    assert matrices == pytest.approx(128 * (cost.linear_flops + cost.head_flops))
    assert cost.train_flops == 3 * cost.forward_flops
    assert cost.training_seconds(1000, 1e9) == pytest.approx(1000 * cost.train_flops / 1e9)


def test_attention_operations_count_the_keys_seen() -> None:
    settings = ModelSettings(preset=None, layers=4, width=128, local_window=32)
    seen = sum(min(i + 17, 100) - max(i - 16, 0) for i in range(100)) / 100
    cost = estimate_cost(settings, 200, length=100)
    assert cost.attention_flops == pytest.approx(4 * 128 * (2 * 100 + 2 * seen))
    assert estimate_cost(settings, 200, length=5).attention_flops == pytest.approx(4 * 128 * 4 * 5)


@pytest.mark.parametrize("length", [60, 240])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("settings", MODELS, ids=["modern", "classic"])
def test_memory_is_what_autograd_keeps(settings: ModelSettings, precision: str, length: int) -> None:
    model = build_model(settings, 200)
    weights = {
        shape for p in model.parameters() for shape in (p.shape, p.T.shape if p.dim() == 2 else p.shape)
    }
    kept: dict[int, int] = {}

    def keep(x: torch.Tensor) -> torch.Tensor:
        storage = x.untyped_storage()
        if x.is_floating_point() and x.shape not in weights:  # weights, and their copies under autocast
            kept[storage.data_ptr()] = storage.nbytes()
        return x

    tokens = torch.zeros(960 // length, length, dtype=torch.long)
    chosen = torch.arange(0, tokens.numel(), 5)
    with saved_tensors_hooks(keep, lambda x: x), autocast(torch.device("cpu"), precision):
        logits = model.logits(model(tokens).last, chosen)
        loss = torch.nn.functional.cross_entropy(logits.float(), tokens.flatten()[chosen])
    sizes = {"length": length, "batch_tokens": tokens.numel(), "decoded": 0.2}
    cost = estimate_cost(settings, 200, precision=precision, on_cpu=True, **sizes)
    assert loss.requires_grad
    assert cost.activation_bytes == pytest.approx(sum(kept.values()), rel=0.1)


def test_weights_are_counted_without_building() -> None:
    settings = ModelSettings(preset="mini")
    cost = estimate_cost(settings, 100)
    total = sum(p.numel() for p in build_model(settings, 100).parameters())
    assert cost.parameters == count_parameters(build_model(settings, 100))
    assert (cost.weight_bytes, cost.gradient_bytes, cost.optimizer_bytes) == (4 * total, 4 * total, 8 * total)
    inference = estimate_cost(settings, 100, training=False)
    assert inference.gradient_bytes == inference.optimizer_bytes == 0
    assert inference.memory_bytes < cost.memory_bytes


def test_published_sizes() -> None:
    """149 and 395 million weights (ModernBERT's paper), 110 million (BERT's, with a pooler that is not
    here)."""
    for preset, millions in (("base", 149), ("large", 395)):
        total = estimate_cost(ModelSettings(preset=preset), 50368).parameters["total"]
        assert total / 1e6 == pytest.approx(millions, abs=1)
    classic = estimate_cost(ModelSettings(preset="classic-base"), 30522).parameters
    assert classic["embedding"] + classic["blocks"] == 109_482_240 - 768 * 769


def test_the_measured_rate_leaves_the_weights() -> None:
    model = build_model(ModelSettings(language_embedding=True), 30, languages=2)
    before = {name: x.clone() for name, x in model.state_dict().items()}
    rate = measure_training_rate(model, length=32, batch_tokens=256, seconds=0.02)
    assert 100 < rate < 1e8
    assert all(torch.equal(before[name], x) for name, x in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
