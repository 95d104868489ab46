"""Feed-forward layers: gated as in ModernBERT, and plain as in BERT.

Shapes: D width, I inner width; ``...`` is B, L or T.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from genomecli.models.settings import ModelSettings


def _gelu_tanh(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="tanh")


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "gelu_tanh": _gelu_tanh,
    "relu": functional.relu,
    "silu": functional.silu,
}


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """The non-linearity of that name, element by element: shape and dtype stay.

    ``gelu`` is the exact one, with erf (Hendrycks and Gimpel 2016); others are ``gelu_tanh``, ``relu`` and
    ``silu``.

    Raises:
        KeyError: for another name.
    """
    return _ACTIVATIONS[name]


class PlainFeedForward(nn.Module):
    """out(activation(into(x))).

    Args:
        settings: width, intermediate, bias and activation are used.
    """

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.activation = activation(settings.activation)
        self.into = nn.Linear(settings.width, settings.intermediate, bias=settings.bias)
        self.out = nn.Linear(settings.intermediate, settings.width, bias=settings.bias)

    def forward(self, x: Tensor) -> Tensor:
        """float[..., D] to float[..., D]."""
        result: Tensor = self.out(self.activation(self.into(x)))
        return result


class GatedFeedForward(nn.Module):
    """out(activation(a) * b), where a and b are the two halves of into(x): GeGLU (Shazeer 2020,
    arXiv:2002.05202).

    Args:
        settings: width, intermediate, bias and activation are used.
    """

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.activation = activation(settings.activation)
        self.into = nn.Linear(settings.width, 2 * settings.intermediate, bias=settings.bias)
        self.out = nn.Linear(settings.intermediate, settings.width, bias=settings.bias)

    def forward(self, x: Tensor) -> Tensor:
        """float[..., D] to float[..., D]."""
        value, gate = self.into(x).chunk(2, dim=-1)
        result: Tensor = self.out(self.activation(value) * gate)
        return result


def feedforward(settings: ModelSettings) -> nn.Module:
    """The feed-forward layer that the settings ask for."""
    return GatedFeedForward(settings) if settings.feedforward == "geglu" else PlainFeedForward(settings)
