"""The encoder: padded against packed, independence of neighbours, layers, positions, options."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from genomecli.models.encoder import Encoded, Encoder
from genomecli.models.language_model import LanguageModel, build_model
from genomecli.models.settings import ModelSettings

VOCABULARY, LANGUAGES = 23, 3
LENGTHS = [150, 61, 150, 2]


def _settings(architecture: str, **options: Any) -> ModelSettings:
    sizes = {"layers": 3, "width": 32, "heads": 2, "context": 160, "local_window": 16}
    sizes |= {"initializer_range": 0.3}  # far from the start's near-linear regime
    return ModelSettings(preset=None, architecture=architecture, **(sizes | options))


VARIANTS = [
    _settings("modern"),
    _settings("modern", positions="learned", qk_norm=True, language_embedding=True),
    _settings("modern", positions="none", feedforward="plain", bias=True, norm="post", token_types=2),
    _settings("classic"),
    _settings("classic", positions="rope", norm="pre", global_every=2, language_embedding=True),
]
variants = pytest.mark.parametrize("settings", VARIANTS, ids=range(len(VARIANTS)))


def _model(settings: ModelSettings) -> LanguageModel:
    return build_model(settings, VOCABULARY, LANGUAGES, seed=1).eval()


def _texts(lengths: list[int] = LENGTHS) -> dict[str, Tensor]:
    """Random texts, each with a second part whose positions start again at 0."""
    generator = torch.Generator().manual_seed(2)
    shape = (len(lengths), max(lengths))
    cut = torch.tensor(lengths)[:, None] // 3
    index = torch.arange(shape[1]).expand(shape)
    second = index >= cut
    return {
        "tokens": torch.randint(5, VOCABULARY, shape, generator=generator),
        "positions": torch.where(second, index - cut, index),
        "languages": torch.where(second, 2, 1),
        "segments": second.long(),
    }


def _padded(model: LanguageModel, texts: dict[str, Tensor], lengths: list[int], **more: Any) -> Encoded:
    result: Encoded = model(
        texts["tokens"],
        torch.tensor(lengths),
        texts["positions"],
        texts["languages"],
        segments_BL=texts["segments"],
        **more,
    )
    return result


def _real(lengths: list[int]) -> Tensor:
    return torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]


@variants
def test_packed_equals_padded_on_every_layer(settings: ModelSettings) -> None:
    model, texts, real = _model(settings), _texts(), _real(LENGTHS)
    padded = _padded(model, texts, LENGTHS, keep_layers=range(4))
    flat = {name: x[real] for name, x in texts.items()}
    packed = model.encoder.forward_packed(
        flat["tokens"],
        torch.tensor([0, *LENGTHS]).cumsum(0).int(),
        max(LENGTHS),
        flat["positions"],
        flat["languages"],
        keep_layers=range(4),
        segments_T=flat["segments"],
    )
    for layer in range(4):
        torch.testing.assert_close(packed.layers[layer], padded.layers[layer][real], rtol=0, atol=1e-5)
    torch.testing.assert_close(model.logits(packed.last), model.logits(padded.last, real), rtol=0, atol=1e-5)


@variants
def test_a_text_depends_neither_on_neighbours_nor_on_padding(settings: ModelSettings) -> None:
    model, texts = _model(settings), _texts()
    together = _padded(model, texts, LENGTHS).last
    for row, length in enumerate(LENGTHS):
        alone = {name: x[row : row + 1, :length] for name, x in texts.items()}
        single = _padded(model, alone, [length]).last[0]
        torch.testing.assert_close(together[row, :length], single, rtol=0, atol=1e-5)
    changed = texts | {"tokens": texts["tokens"].where(_real(LENGTHS), torch.tensor(7))}
    assert torch.equal(_padded(model, changed, LENGTHS).last[_real(LENGTHS)], together[_real(LENGTHS)])


@variants
def test_no_gradient_crosses_texts(settings: ModelSettings) -> None:
    model, texts = _model(settings), _texts([40, 30, 35])
    real = _real([40, 30, 35])
    seen: list[Tensor] = []
    model.encoder.stem.register_forward_hook(lambda m, i, out: seen.append(out.requires_grad_()))
    flat = {name: x[real] for name, x in texts.items()}
    bounds = torch.tensor([0, 40, 70, 105], dtype=torch.int32)
    last = model.encoder.forward_packed(
        flat["tokens"], bounds, 40, flat["positions"], flat["languages"], segments_T=flat["segments"]
    ).last
    (gradient,) = torch.autograd.grad(last[40:70].sin().sum(), seen[0])
    assert gradient[40:70].abs().sum() > 0
    assert not gradient[:40].any()
    assert not gradient[70:].any()


@pytest.mark.parametrize("positions", ["rope", "learned"])
def test_the_second_text_of_a_pair_gets_the_positions_it_would_have_alone(positions: str) -> None:
    model = _model(_settings("modern", positions=positions, global_every=1))
    tokens = torch.tensor([[5, 6, 7, 5, 6, 7]])
    reset = torch.tensor([[0, 1, 2, 0, 1, 2]])
    last = model(tokens, positions_BL=reset).last[0]
    torch.testing.assert_close(last[:3], last[3:], rtol=0, atol=1e-5)
    counted = model(tokens).last[0]
    assert (counted[:3] - counted[3:]).abs().max() > 1e-3
    assert torch.equal(counted, model(tokens, positions_BL=torch.arange(6)[None]).last[0])


@variants
def test_layers_are_those_that_hooks_see(settings: ModelSettings) -> None:
    model, texts = _model(settings), _texts()
    seen: list[Tensor] = []
    for module in (model.encoder.stem, *model.encoder.blocks):
        module.register_forward_hook(lambda m, i, out: seen.append(out))
    encoded = _padded(model, texts, LENGTHS, keep_layers=[0, 1, 2, 3])
    for layer in (0, 1, 2):
        assert torch.equal(encoded.layers[layer], seen[layer])
    assert encoded.layers[3] is encoded.last
    assert torch.equal(encoded.last, model.encoder.final_norm(seen[3]))
    assert _padded(model, texts, LENGTHS).layers == {}
    assert list(_padded(model, texts, LENGTHS, keep_layers=[2]).layers) == [2]


def test_wrong_layers_and_long_texts_are_refused() -> None:
    model = _model(VARIANTS[0])
    with pytest.raises(ValueError, match=r"no layers \[4\]; this model has 0 to 3"):
        model(torch.zeros(1, 5, dtype=torch.long), keep_layers=[4])
    with pytest.raises(ValueError, match="161 tokens exceeds the model's context of 160"):
        model(torch.zeros(1, 161, dtype=torch.long))


def test_local_layers_see_only_their_window() -> None:
    model = _model(_settings("modern", layers=2, global_every=2))
    first = torch.full((1, 100), 5)
    second = first.clone()
    second[0, 80] = 9
    a, b = (model(x, keep_layers=[1]).layers[1] for x in (first, second))
    assert (a != b).any(-1).all(), "layer 1 is global"
    model.encoder.local = (True, True)
    model.encoder.rotary_local = model.encoder.rotary
    a, b = (model(x, keep_layers=[1]).layers[1] for x in (first, second))
    assert (a != b).any(-1)[0].nonzero().flatten().tolist() == list(range(72, 89))


def test_language_embedding_is_looked_at_and_asked_for() -> None:
    model = _model(_settings("modern", language_embedding=True))
    tokens = torch.full((1, 4), 6)
    by_language = [model(tokens, languages_BL=torch.full((1, 4), n)).last for n in range(LANGUAGES)]
    assert not torch.allclose(by_language[0], by_language[1])
    with pytest.raises(ValueError, match="language embedding"):
        model(tokens)
    plain = _model(_settings("modern"))
    assert torch.equal(plain(tokens).last, plain(tokens, languages_BL=torch.ones_like(tokens)).last)


def test_segments_matter_in_the_classic_model_and_default_to_the_first() -> None:
    model = _model(_settings("classic"))
    tokens = torch.full((1, 4), 6)
    zero, one = (model(tokens, segments_BL=torch.full((1, 4), n)).last for n in (0, 1))
    assert torch.equal(model(tokens).last, zero)
    assert not torch.allclose(zero, one)


def test_dropout_acts_in_training_alone() -> None:
    model = _model(_settings("modern", dropout=0.3, attention_dropout=0.3))
    texts = _texts()
    assert torch.equal(_padded(model, texts, LENGTHS).last, _padded(model, texts, LENGTHS).last)
    model.train()
    assert not torch.equal(_padded(model, texts, LENGTHS).last, _padded(model, texts, LENGTHS).last)


def test_autocast_keeps_the_residual_stream_in_float32_and_stays_near() -> None:
    settings = _settings("modern", qk_norm=True, initializer_range=0.05)
    model, texts = _model(settings), _texts()
    exact = _padded(model, texts, LENGTHS, keep_layers=[1])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = _padded(model, texts, LENGTHS, keep_layers=[1])
        logits = model.logits(rough.last)
    assert rough.layers[1].dtype == rough.last.dtype == torch.float32
    assert logits.dtype == torch.bfloat16
    real = _real(LENGTHS)
    torch.testing.assert_close(rough.last[real], exact.last[real], rtol=0, atol=0.1)
    assert torch.nn.functional.cosine_similarity(rough.last[real], exact.last[real], dim=-1).min() > 0.99


def test_forward_compiles_to_one_graph() -> None:
    encoder: Encoder = _model(_settings("modern")).encoder
    tokens, lengths = torch.full((2, 120), 6), torch.tensor([120, 80])
    compiled = torch.compile(encoder, backend="eager", fullgraph=True)
    real = _real([120, 80])
    got, want = compiled(tokens, lengths).last, encoder(tokens, lengths).last
    torch.testing.assert_close(got[real], want[real], rtol=0, atol=1e-5)
