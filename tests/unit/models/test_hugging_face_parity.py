"""The forward pass against Hugging Face's own classes, on the same random weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from genomecli.errors import ConfigError
from genomecli.exchange.hugging_face import hugging_face_config, state_dict_from_hf, state_dict_to_hf
from genomecli.models.language_model import LanguageModel, build_model
from genomecli.models.settings import ModelSettings

transformers = pytest.importorskip("transformers")

VOCABULARY = 37
LENGTHS = torch.tensor([200, 150, 7])


def _settings(architecture: str, **options: Any) -> ModelSettings:
    sizes = {"layers": 4, "width": 32, "heads": 4, "context": 256, "initializer_range": 0.2}
    return ModelSettings(preset=None, architecture=architecture, **(sizes | options))


def _pair(settings: ModelSettings) -> tuple[LanguageModel, Any]:
    """Our model and theirs with equal weights, all of them random, norms and biases too."""
    ours = build_model(settings, VOCABULARY, seed=3).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    arguments = hugging_face_config(settings, VOCABULARY)
    if settings.architecture == "modern":
        theirs = transformers.ModernBertForMaskedLM(transformers.ModernBertConfig(**arguments))
    else:
        theirs = transformers.BertForMaskedLM(transformers.BertConfig(**arguments))
    theirs.load_state_dict(state_dict_to_hf(settings, ours.state_dict()), strict=True)
    return ours, theirs.eval()


def _tokens() -> tuple[torch.Tensor, torch.Tensor]:
    tokens = torch.randint(5, VOCABULARY, (3, 200), generator=torch.Generator().manual_seed(1))
    real = torch.arange(200)[None] < LENGTHS[:, None]
    return tokens.where(real, torch.zeros_like(tokens)), real


CASES = [
    _settings("modern"),
    _settings("modern", tied=False, local_window=64),
    _settings("modern", bias=True, activation="silu", global_every=1),
    _settings("classic"),
    _settings("classic", tied=False, activation="gelu_tanh"),
]


@pytest.mark.parametrize(
    "settings", CASES, ids=lambda s: f"{s.architecture}-{s.tied}-{s.local_window}-{s.bias}"
)
def test_every_layer_and_the_logits_agree(settings: ModelSettings) -> None:
    ours, theirs = _pair(settings)
    tokens, real = _tokens()
    segments = (torch.arange(200)[None] > 60).long().expand(3, -1)
    extra = {"token_type_ids": segments} if settings.token_types else {}
    with torch.no_grad():
        want = theirs(tokens, attention_mask=real.long(), output_hidden_states=True, **extra)
        got = ours(tokens, LENGTHS, keep_layers=range(5), segments_BL=segments)
        logits = ours.logits(got.last)
    assert len(want.hidden_states) == 5
    for layer, state in enumerate(want.hidden_states):
        torch.testing.assert_close(got.layers[layer][real], state[real], rtol=0, atol=1e-4)
    torch.testing.assert_close(logits[real], want.logits[real], rtol=0, atol=1e-4)
    torch.testing.assert_close(ours.logits(got.last, real), want.logits[real], rtol=0, atol=1e-4)


@pytest.mark.parametrize("settings", CASES[2:4], ids=["modern", "classic"])
def test_gradients_agree(settings: ModelSettings) -> None:
    ours, theirs = _pair(settings)
    tokens, real = _tokens()
    targets = tokens.masked_fill(~real, -100)
    theirs(tokens, attention_mask=real.long(), labels=targets).loss.backward()
    logits = ours.logits(ours(tokens, LENGTHS).last, real)
    torch.nn.functional.cross_entropy(logits, tokens[real]).backward()
    gradients = {name: p.grad for name, p in ours.named_parameters() if p.grad is not None}
    theirs_by_ours = state_dict_from_hf(
        settings,
        {n: p.grad for n, p in theirs.named_parameters(remove_duplicate=False) if p.grad is not None},
    )
    assert gradients.keys() == theirs_by_ours.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(theirs_by_ours[name], gradient, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("settings", CASES)
def test_names_map_both_ways(settings: ModelSettings) -> None:
    state = build_model(settings, VOCABULARY, seed=1).state_dict()
    back = state_dict_from_hf(settings, state_dict_to_hf(settings, state))
    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in state.items())


def test_base_presets_are_the_published_ones() -> None:
    modern = hugging_face_config(ModelSettings(preset="base"), 50368)
    published = transformers.ModernBertConfig()
    ours = transformers.ModernBertConfig(**modern)
    for field in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "norm_eps"):
        assert getattr(ours, field) == getattr(published, field)
    for field in (
        "layer_types",
        "rope_parameters",
        "sliding_window",
        "hidden_activation",
        "tie_word_embeddings",
    ):
        assert getattr(ours, field) == getattr(published, field)
    classic = hugging_face_config(ModelSettings(preset="classic-base"), 30522)
    defaults = transformers.BertConfig()
    for field in set(classic) - {"hidden_dropout_prob", "attention_probs_dropout_prob"}:
        assert classic[field] == getattr(defaults, field), field


def test_options_beyond_the_classes_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"model\.qk_norm.*model\.language_embedding"):
        hugging_face_config(_settings("modern", qk_norm=True, language_embedding=True), VOCABULARY)
