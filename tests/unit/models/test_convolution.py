"""The convolution mixer: against torch's own, and blind to neighbours in the batch and to padding."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from genomecli.models.convolution import Convolution
from genomecli.models.language_model import build_model
from genomecli.models.layout import PaddedLayout
from genomecli.models.settings import ModelSettings

SETTINGS = ModelSettings(preset="cnn", width=16, layers=3, initializer_range=0.3)
LENGTHS = [40, 7, 1, 23]


@pytest.mark.parametrize("layer", [0, 2])
def test_it_is_a_dilated_convolution(layer: int) -> None:
    mixer = Convolution(SETTINGS, layer)
    x = torch.randn(2, 30, 16, generator=torch.Generator().manual_seed(1))
    kernel = mixer.taps.weight.unflatten(1, (9, 16)).transpose(1, 2)
    dilation = 2**layer
    inner = functional.conv1d(x.transpose(1, 2), kernel, padding=4 * dilation, dilation=dilation)
    expected = mixer.out(functional.gelu(inner.transpose(1, 2)))
    torch.testing.assert_close(mixer(x, PaddedLayout(30, x.device)), expected, rtol=1e-4, atol=1e-5)


def _texts() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    return torch.randint(5, 20, (len(LENGTHS), 40), generator=generator), torch.tensor(LENGTHS)


def test_padded_packed_and_single_texts_are_equal() -> None:
    model = build_model(SETTINGS, 20, seed=1).eval()
    tokens, lengths = _texts()
    padded = model(tokens, lengths).last
    altered = torch.where(torch.arange(40) < lengths[:, None], tokens, 3)
    torch.testing.assert_close(model(altered, lengths).last[1, :7], padded[1, :7])
    bounds = torch.tensor([0, *torch.tensor(LENGTHS).cumsum(0).tolist()], dtype=torch.int32)
    flat = torch.cat([row[:length] for row, length in zip(tokens, LENGTHS, strict=True)])
    places = torch.cat([torch.arange(length) for length in LENGTHS])
    packed = model.encoder.forward_packed(flat, bounds, 40, places).last
    for row, length in enumerate(LENGTHS):
        alone = model(tokens[row : row + 1, :length]).last[0]
        torch.testing.assert_close(padded[row, :length], alone)
        torch.testing.assert_close(packed[bounds[row] : bounds[row + 1]], alone)


def test_the_preset_sees_28_tokens_to_either_side() -> None:
    model = build_model(ModelSettings(preset="cnn"), 20, seed=1).eval()
    tokens = torch.full((1, 101), 7)
    base = model(tokens).last
    tokens[0, 50] = 8
    changed = (model(tokens).last - base).abs().amax(-1)[0].nonzero().squeeze(1).tolist()
    assert changed == list(range(22, 79))
