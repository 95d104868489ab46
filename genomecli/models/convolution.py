"""The mixer of convolutional networks: a position sees its neighbours, farther ones in higher layers.

Neighbours outside the text count as zero vectors, padded and packed alike, so texts see neither each other
nor padding. The product is one matrix over the neighbours laid side by side, since a convolution kernel may
add in another order when the batch changes.

Shapes: B texts, L padded length, T packed tokens, D width, K taps; ``...`` is B, L or T.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genomecli.models.feedforward import activation
from genomecli.models.layout import Layout, PaddedLayout
from genomecli.models.patterns import FULL, Pattern
from genomecli.models.rotary import Rotation
from genomecli.models.settings import ModelSettings

MOST_DOUBLINGS = 5
"""From the sixth layer on the distance between taps stays at 32 tokens."""


class Convolution(nn.Module):
    """out(activation(taps(neighbours))), a dilated convolution with a linear layer after it.

    It has local_window + 1 taps, in layer l (from 0) 2^l tokens apart, so that few layers see far (van den
    Oord et al. 2016, arXiv:1609.03499). Three layers of 9 taps see 28 tokens to either side.

    Args:
        settings: width, local_window, activation and bias are used.
        layer: index of the block.
    """

    def __init__(self, settings: ModelSettings, layer: int = 0) -> None:
        super().__init__()
        self.side = settings.local_window // 2
        self.dilation = 1 << min(layer, MOST_DOUBLINGS)
        self.activation = activation(settings.activation)
        width = settings.width
        self.taps = nn.Linear((2 * self.side + 1) * width, width, bias=settings.bias)
        self.out = nn.Linear(width, width, bias=settings.bias)

    def forward(
        self, x: Tensor, layout: Layout, pattern: Pattern = FULL, rotation: Rotation | None = None
    ) -> Tensor:
        """float[..., D] to float[..., D]; the pattern and the rotation are not looked at."""
        index, inside = _padded(x, layout) if isinstance(layout, PaddedLayout) else _packed(x, layout)
        shifts = range(-self.side * self.dilation, self.side * self.dilation + 1, self.dilation)
        seen = torch.cat([_shifted(x, index, inside, shift) for shift in shifts], dim=-1)
        mixed: Tensor = self.out(self.activation(self.taps(seen)))
        return mixed


def _padded(x: Tensor, layout: PaddedLayout) -> tuple[Tensor, Tensor]:
    """Places in the text, int64[1, L], and the texts' lengths, int64[B or 1, 1]."""
    length = x.shape[1]
    index = torch.arange(length, device=x.device)[None, :]
    if layout.real is None:
        return index, torch.full((1, 1), length, device=x.device)
    return index, layout.real.sum(dim=1, keepdim=True)


def _packed(x: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
    """Places in their text, int64[T], and lengths of their texts, int64[T]."""
    assert not isinstance(layout, PaddedLayout)
    lengths = layout.cu_seqlens.diff().long()
    starts = layout.cu_seqlens[:-1].long()
    total = x.shape[0]
    index = torch.arange(total, device=x.device) - starts.repeat_interleave(lengths, output_size=total)
    return index, lengths.repeat_interleave(lengths, output_size=total)


def _shifted(x: Tensor, index: Tensor, lengths: Tensor, shift: int) -> Tensor:
    """float[..., D]: the vector ``shift`` places on, 0 where the text has none."""
    place = index + shift
    seen = (place >= 0) & (place < lengths)
    moved = torch.roll(x, -shift, dims=-2)
    return torch.where(seen[..., None], moved, torch.zeros((), dtype=x.dtype, device=x.device))
