"""Compiled blocks give the losses and gradients of eager ones, padded and packed."""

from __future__ import annotations

import copy

import pytest
import torch

from genomecli.models.compiling import compile_blocks
from genomecli.models.language_model import LanguageModel
from genomecli.models.settings import ModelSettings


@pytest.mark.parametrize("preset", ["tiny", "cnn"])
def test_compiled_blocks_compute_what_eager_ones_do(preset: str) -> None:
    """With the backend that runs torch's own kernels; what inductor makes of them is torch's matter."""
    torch.manual_seed(0)
    settings = ModelSettings.model_validate({"preset": preset, "layers": 2, "width": 32, "context": 24})
    eager = LanguageModel(settings, 20)
    compiled = copy.deepcopy(eager)
    compile_blocks(compiled, "aot_eager")
    assert list(compiled.state_dict()) == list(eager.state_dict())
    tokens = torch.randint(5, 20, (3, 24))
    lengths = torch.tensor([24, 20, 7])
    cu = torch.tensor([0, 24, 44, 51], dtype=torch.int32)
    real = (torch.arange(24) < lengths[:, None]).flatten()
    positions = torch.arange(24).expand(3, 24).flatten()[real]
    for model in (eager, compiled):
        padded = model(tokens, lengths).last.flatten(0, 1)[real]
        packed = model.encoder.forward_packed(tokens.flatten()[real], cu, 24, positions).last
        (padded.square().mean() + packed[:, 3].sum()).backward()
        model.states = (padded.detach(), packed.detach())
    for left, right in zip(eager.states, compiled.states, strict=True):
        torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-5)
    for (name, left), right in zip(eager.named_parameters(), compiled.parameters(), strict=True):
        if left.grad is not None:
            torch.testing.assert_close(left.grad, right.grad, atol=1e-5, rtol=1e-4, msg=name)


def test_more_shapes_than_torch_compiles_by_itself_are_all_compiled() -> None:
    """Its limit is 8 graphs for all blocks together."""
    settings = ModelSettings.model_validate({"preset": "tiny", "layers": 3, "width": 32, "context": 24})
    model = LanguageModel(settings, 20)
    made: list[torch.fx.GraphModule] = []

    def counting(graph: torch.fx.GraphModule, _: object) -> torch.fx.GraphModule:
        made.append(graph)
        return graph

    torch._dynamo.reset()
    compile_blocks(model, counting)
    counts = []
    with torch.no_grad():
        for length in range(4, 16):
            model(torch.randint(5, 20, (2, length)), torch.tensor([length, length - 1]))
            counts.append(len(made))
    first = counts[0]
    assert first >= 1
    assert counts == [first * (i + 1) for i in range(12)]
    assert counts[-1] > 8
