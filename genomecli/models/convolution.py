"""The mixer of convolutional networks: a position sees its neighbours, farther ones in higher layers.

Neighbours outside the text count as zero vectors, padded and packed alike, so texts see neither each other
nor padding. The product is one matrix over the neighbours laid side by side, since a convolution kernel may
add in another order when the batch changes.

Shapes: B texts, L padded length, T packed tokens, D width, K taps; ``...`` is B, L or T.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

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
        shifts = range(-self.side * self.dilation, self.side * self.dilation + 1, self.dilation)
        padded = isinstance(layout, PaddedLayout)
        seen = torch.cat(_of_padded(x, layout, shifts) if padded else _of_packed(x, layout, shifts), dim=-1)
        mixed: Tensor = self.out(self.activation(self.taps(seen)))
        return mixed


def _of_padded(x: Tensor, layout: Layout, shifts: Sequence[int]) -> list[Tensor]:
    """float[B, L, D] a shift: the vector that many places on, 0 where the text has none."""
    assert isinstance(layout, PaddedLayout)
    if layout.real is not None:
        x = x * layout.real[:, :, None]
    spare, length = shifts[-1], x.shape[1]
    wide = pad(x, (0, 0, spare, spare))
    return [wide[:, spare + shift : spare + shift + length] for shift in shifts]


def _of_packed(x: Tensor, layout: Layout, shifts: Sequence[int]) -> list[Tensor]:
    """float[T, D] a shift, likewise."""
    assert not isinstance(layout, PaddedLayout)
    lengths, total = layout.cu_seqlens.diff().long(), x.shape[0]
    starts = layout.cu_seqlens[:-1].long().repeat_interleave(lengths, output_size=total)
    ends = lengths.repeat_interleave(lengths, output_size=total)
    index = torch.arange(total, device=x.device) - starts
    zero = torch.zeros((), dtype=x.dtype, device=x.device)
    found = []
    for shift in shifts:
        place = index + shift
        inside = (place >= 0) & (place < ends)
        found.append(torch.where(inside[:, None], torch.roll(x, -shift, dims=0), zero))
    return found
