"""What is trained, and that what is not costs no memory of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from genomecli.models.language_model import LanguageModel, build_model
from genomecli.training.tuning import choose_trained
from tests.unit.training.task_toys import settings, small_start


def network(tune: str, **changes: Any) -> LanguageModel:
    form = {"preset": None, "layers": 4, "width": 16, "heads": 2, "dropout": 0.1}
    start = small_start("base", tune, **form)
    model = build_model(start.settings, start.lexicon.vocabulary.size, 1, seed=1)
    choose_trained(model, settings(model="body", tune=tune, **changes), 1)
    return model.train()


def backward(model: LanguageModel) -> dict[str, Tensor]:
    """Gradients of one loss, by parameter."""
    tokens = torch.arange(60).reshape(4, 15) % 5 + 1
    torch.manual_seed(3)
    model.zero_grad()
    model(tokens, None, None, torch.zeros_like(tokens)).last.pow(3).mean().backward()
    return {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}


@pytest.mark.parametrize("last_layers", [1, 2])
def test_frozen_blocks_leave_no_graph(last_layers: int) -> None:
    model = network("last", last_layers=last_layers)
    graphs: list[bool] = []

    def note(_module: nn.Module, _given: Any, output: Tensor) -> None:
        graphs.append(output.grad_fn is not None)

    for part in (model.encoder.stem, *model.encoder.blocks):
        part.register_forward_hook(note)
    gradients = backward(model)
    assert graphs == [False] * (5 - last_layers) + [True] * last_layers
    trained = {f"encoder.blocks.{4 - i}." for i in range(1, last_layers + 1)} | {"encoder.final_norm."}
    assert all(any(name.startswith(part) for part in trained) for name in gradients)
    assert all(any(name.startswith(part) for name in gradients) for part in trained)


def test_gradients_are_those_without_any_graph_below() -> None:
    model = network("last")
    found = backward(model)

    def without(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def run(*given: Any, **options: Any) -> Tensor:
            with torch.no_grad():
                return forward(*given, **options)

        return run

    for part in (model.encoder.stem, *list(model.encoder.blocks)[:-1]):
        part.forward = without(part.forward)
    again = backward(model)
    assert found.keys() == again.keys()
    assert all(torch.equal(found[name], again[name]) for name in found)
