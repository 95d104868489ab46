"""Weights as a function of the seed, decoding at selected positions, tying, counts, registration from
outside."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from genomecli.errors import ConfigError
from genomecli.models import registry
from genomecli.models.heads import ClassificationHead
from genomecli.models.language_model import build_model, count_parameters
from genomecli.models.layout import PaddedLayout
from genomecli.models.settings import ModelSettings
from genomecli.models.stems import TokenStem

TINY = ModelSettings(initializer_range=0.02)
SMALL = ModelSettings(preset=None, layers=8, width=128, initializer_range=0.02)
CLASSIC = ModelSettings(preset="classic-tiny")


def test_weights_are_a_function_of_the_seed_alone() -> None:
    first = build_model(TINY, 30, seed=4).state_dict()
    torch.manual_seed(99)
    torch.rand(17)
    again = build_model(TINY, 30, seed=4).state_dict()
    other = build_model(TINY, 30, seed=5).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["encoder.stem.tokens.weight"], other["encoder.stem.tokens.weight"])


def test_building_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(3)
    want = torch.rand(4)
    torch.manual_seed(3)
    build_model(TINY, 30)
    assert torch.equal(torch.rand(4), want)


def test_further_heads_and_layers_leave_the_other_weights() -> None:
    plain = build_model(TINY, 30, seed=4).state_dict()
    heads = {"cls": ClassificationHead(64, 5)}
    more = build_model(
        ModelSettings(layers=4, tied=False, initializer_range=0.02), 30, seed=4, heads=heads
    ).state_dict()
    name = "encoder.blocks.1.mixer.qkv.weight"
    assert torch.equal(plain[name], more[name])
    again = build_model(TINY, 30, seed=4, heads={"cls": ClassificationHead(64, 5)}).state_dict()
    assert torch.equal(again["heads.cls.dense.weight"], more["heads.cls.dense.weight"])


def test_known_first_weights() -> None:
    """Pinned values: a change of the scheme would silently change every replicate."""
    weight = build_model(TINY, 30, seed=0).state_dict()["encoder.blocks.0.mixer.qkv.weight"]
    assert [round(float(x), 6) for x in weight[0, :3]] == [0.001793, -0.000728, 0.000762]


def test_modern_weights_are_cut_and_scaled_by_depth() -> None:
    state = build_model(SMALL, 4000, seed=0).state_dict()
    cut_std = 0.8796  # standard deviation of a standard normal cut at 2
    into, out = state["encoder.blocks.3.mixer.qkv.weight"], state["encoder.blocks.3.mixer.out.weight"]
    assert into.abs().max() <= 0.04
    assert abs(float(into.std()) / (0.02 * cut_std) - 1) < 0.02
    assert abs(float(out.std()) / (0.02 / 4 * cut_std) - 1) < 0.02
    assert abs(float(state["encoder.stem.tokens.weight"].std()) / (0.02 * cut_std) - 1) < 0.02
    assert (state["encoder.final_norm.weight"] == 1).all()
    assert (state["lm_head.bias"] == 0).all()


def test_classic_weights_are_normal() -> None:
    state = build_model(CLASSIC, 4000, seed=0).state_dict()
    for name in ("encoder.stem.tokens.weight", "encoder.blocks.1.feedforward.out.weight"):
        assert abs(float(state[name].std()) / 0.02 - 1) < 0.02
        assert state[name].abs().max() > 0.06
    assert (state["encoder.blocks.0.mixer.qkv.bias"] == 0).all()


def test_zero_init_out_makes_each_block_the_identity() -> None:
    model = build_model(ModelSettings(zero_init_out=True), 30).eval()
    layers = model(torch.arange(10)[None], keep_layers=[0, 1, 2]).layers
    assert torch.equal(layers[0], layers[1])
    assert torch.equal(layers[0], layers[2])


@pytest.mark.parametrize("tied", [True, False])
def test_selected_logits_are_rows_of_all_logits(tied: bool) -> None:
    model = build_model(ModelSettings(tied=tied), 30)
    hidden = torch.randn(3, 9, 64)
    chosen = torch.rand(3, 9) < 0.3
    everything = model.logits(hidden)
    assert everything.shape == (3, 9, 30)
    torch.testing.assert_close(model.logits(hidden, chosen), everything[chosen])
    flat = chosen.flatten().nonzero().flatten()
    torch.testing.assert_close(model.logits(hidden, flat), everything[chosen])
    assert model.logits(hidden, torch.zeros_like(chosen)).shape == (0, 30)


def test_tied_state_holds_the_embedding_once() -> None:
    tied, untied = build_model(TINY, 30).state_dict(), build_model(ModelSettings(tied=False), 30).state_dict()
    assert untied.keys() - tied.keys() == {"lm_head.weight"}
    assert len({x.data_ptr() for x in tied.values()}) == len(tied)


def test_counts_by_part() -> None:
    model = build_model(TINY, 100, heads={"cls": ClassificationHead(64, 5)})
    counts = count_parameters(model)
    block = 4 * 64 * 64 + 3 * 64 * 96
    assert counts == {
        "embedding": 100 * 64 + 64,
        "blocks": 3 * block + 5 * 64 + 64,
        "lm_head": 64 * 64 + 64 + 100,
        "heads.cls": 64 * 64 + 64 + 64 * 5 + 5,
        "total": sum(p.numel() for p in model.parameters()),
    }


def test_a_few_steps_learn() -> None:
    model = build_model(TINY, 12, seed=0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    tokens = torch.arange(32).remainder(7).add(5).expand(4, -1)
    masked = tokens.masked_fill(torch.arange(32) % 5 == 2, 4)
    losses = []
    for _ in range(130):
        logits = model.logits(model(masked).last, masked == 4)
        loss = nn.functional.cross_entropy(logits, tokens[masked == 4])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert abs(losses[0] - math.log(12)) < 0.3
    assert losses[-1] < 0.2


@pytest.mark.parametrize("style", ["modern", "classic"])
def test_classification_gives_scores_of_each_text_by_itself(style: str) -> None:
    head = ClassificationHead(64, 3, style=style).eval()
    pooled = torch.randn(2, 64)
    scores = head(pooled)
    assert scores.shape == (2, 3)
    assert torch.allclose(scores[1:], head(pooled[1:]), atol=1e-6)


class _Shift(nn.Module):
    """A mixer from outside: looks one position back, and sets its own weight."""

    def __init__(self, settings: ModelSettings, layer: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(settings.width))
        self.register_buffer("offset", torch.full((1,), float(layer)))

    def initial_value(self, name: str, generator: object) -> object:
        return [0.5] * len(self.scale) if name == "scale" else None

    def forward(self, x: Tensor, layout: PaddedLayout, pattern: object, rotation: object) -> Tensor:
        return x.roll(1, dims=-2) * self.scale + self.offset


class _Doubled(TokenStem):
    pass


def test_mixers_and_stems_register_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MIXERS", dict(registry.MIXERS))
    monkeypatch.setattr("genomecli.models.encoder.MIXERS", registry.MIXERS)
    monkeypatch.setattr("genomecli.models.encoder.STEMS", registry.STEMS)
    registry.register_mixer("shift", _Shift)
    registry.register_mixer("shift", _Shift)
    model = build_model(ModelSettings(mixer="shift"), 30)
    assert (model.encoder.blocks[2].mixer.scale == 0.5).all()
    assert float(model.encoder.blocks[2].mixer.offset) == 2.0
    loss = model.logits(model(torch.arange(10)[None]).last).logsumexp(-1).sum()
    loss.backward()
    assert model.encoder.blocks[0].mixer.scale.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="already registered"):
        registry.register_mixer("shift", _Doubled)


def test_unknown_names_are_told_with_those_known() -> None:
    with pytest.raises(ConfigError, match="unknown mixer 'hyena'; registered are attention"):
        build_model(ModelSettings(mixer="hyena"), 30)
    with pytest.raises(ConfigError, match="unknown stem 'motif'; registered are token"):
        build_model(ModelSettings(stem="motif"), 30)


def test_the_token_stem_states_how_it_lies_over_its_input() -> None:
    assert (TokenStem.offset, TokenStem.stride) == (0, 1)
