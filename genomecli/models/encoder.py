"""The encoder: stem, blocks, final norm. The same weights serve padded and packed texts.

Shapes: B texts, L padded length, T packed tokens, D width.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn

from genomecli.models.feedforward import feedforward
from genomecli.models.layout import Layout, PackedLayout, padded_layout
from genomecli.models.mask_scaling import packed_scale, padded_scale
from genomecli.models.patterns import FULL, Pattern, window
from genomecli.models.registry import MIXERS, STEMS, make
from genomecli.models.rotary import Rotary, Rotation
from genomecli.models.settings import ModelSettings


@dataclass
class Encoded:
    """What the encoder says.

    Args:
        last: float[B, L, D] or float[T, D], after the final norm.
        layers: the states asked for, each like ``last``: 0 is after the stem with its norm, i after block i,
            and the last one is ``last``.
    """

    last: Tensor
    layers: dict[int, Tensor] = field(default_factory=dict)


class Block(nn.Module):
    """A mixer and a feed-forward layer, each with residual and LayerNorm.

    Before them (``norm: pre``): x + f(norm(x)); the first mixer has no norm of its own if the stem ends
    with one. After them (``norm: post``): norm(x + f(x)).

    Args:
        settings: of the model.
        layer: index of the block.
    """

    def __init__(self, settings: ModelSettings, layer: int) -> None:
        super().__init__()
        self.pre = settings.norm == "pre"
        normed = self.pre and layer == 0 and settings.stem_norm and not settings.first_norm
        self.mixer_norm = nn.Identity() if normed else _norm(settings)
        self.mixer = make(MIXERS, "mixer", settings.mixer, settings, layer)
        self.feedforward_norm = _norm(settings)
        self.feedforward = feedforward(settings)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor, layout: Layout, pattern: Pattern, rotation: Rotation | None) -> Tensor:
        """float[..., D] to float[..., D]."""
        mixed: Tensor = self.mixer(self.mixer_norm(x) if self.pre else x, layout, pattern, rotation)
        x = x + self.dropout(mixed)
        if self.pre:
            return x + cast(Tensor, self.dropout(self.feedforward(self.feedforward_norm(x))))
        x = self.mixer_norm(x)
        return cast(Tensor, self.feedforward_norm(x + self.dropout(self.feedforward(x))))


def _without_last(tokens_BL: Tensor, lengths_B: Tensor | None) -> Tensor:
    """int64[B]: lengths of texts whose last token is not seen."""
    if lengths_B is not None:
        return lengths_B - 1
    rows, length = tokens_BL.shape
    return torch.full((rows,), length - 1, device=tokens_BL.device)


def _norm(settings: ModelSettings) -> nn.LayerNorm:
    return nn.LayerNorm(settings.width, eps=settings.norm_eps, bias=settings.bias)


class Encoder(nn.Module):
    """With all options off, ``modern`` computes what Hugging Face's ModernBertModel does, ``classic``
    BertModel.

    Args:
        settings: of the model.
        vocabulary_size: number of token ids.
        languages: number of languages; used by the language embedding alone.
    """

    def __init__(self, settings: ModelSettings, vocabulary_size: int, languages: int = 0) -> None:
        super().__init__()
        self.context = settings.context
        self.local = settings.local_layers
        self.mask_scaling = settings.mask_scaling
        self.closing_token = settings.closing_token
        self.stem = make(STEMS, "stem", settings.stem, settings, vocabulary_size, languages)
        self.blocks = nn.ModuleList(Block(settings, layer) for layer in range(settings.layers))
        self.final_norm = _norm(settings) if settings.norm == "pre" else nn.Identity()
        rope = settings.positions == "rope"
        shape = (settings.head_width, settings.context)
        self.rotary = Rotary(*shape, settings.rope_theta) if rope else None
        self.rotary_local = Rotary(*shape, settings.rope_theta_local) if rope and any(self.local) else None
        self.wide_pattern, self.local_pattern = FULL, window(settings.local_window)

    def forward(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor | None = None,
        positions_BL: Tensor | None = None,
        languages_BL: Tensor | None = None,
        *,
        keep_layers: Collection[int] | None = None,
        segments_BL: Tensor | None = None,
    ) -> Encoded:
        """States of padded texts. A text's states depend neither on its neighbours nor on the padding.

        Args:
            tokens_BL: int64[B, L]; what stands after a text's length is not looked at.
            lengths_B: int64[B], each at least 1; None if every text fills its row.
            positions_BL: int64[B, L] below context; None for 0 to L - 1.
            languages_BL: int64[B, L]; needed with a language embedding.
            keep_layers: which layers to return, 0 to the number of blocks.
            segments_BL: int64[B, L], first or second text of a pair; None for the first.

        Returns:
            float[B, L, D] each; at padding, and at a closing token that is not seen, it means nothing.

        Raises:
            ValueError: if L exceeds the context or a layer does not exist.
        """
        length = tokens_BL.shape[1]
        self._check(length, keep_layers)
        if not self.closing_token:
            lengths_B = _without_last(tokens_BL, lengths_B)
        layout = padded_layout(lengths_B, length, tokens_BL.device)
        extra = {"scale": padded_scale(tokens_BL, lengths_B)} if self.mask_scaling else {}
        x = self.stem(tokens_BL, positions_BL, languages_BL, segments_BL, **extra)
        return self.run(x, layout, positions_BL, length, keep_layers)

    def forward_packed(
        self,
        tokens_T: Tensor,
        cu_seqlens: Tensor,
        max_length: int,
        positions_T: Tensor,
        languages_T: Tensor | None = None,
        *,
        keep_layers: Collection[int] | None = None,
        segments_T: Tensor | None = None,
    ) -> Encoded:
        """States of texts that lie end to end; the same numbers as of the padded ones.

        Args:
            tokens_T: int64[T].
            cu_seqlens: int32[B + 1], bounds of the texts.
            max_length: tokens of the longest text.
            positions_T: int64[T] below context, starting anew in every text.
            languages_T: int64[T]; needed with a language embedding.
            keep_layers: as in :meth:`forward`.
            segments_T: int64[T] or None, as in :meth:`forward`.

        Returns:
            float[T, D] each.

        Raises:
            ValueError: if ``max_length`` exceeds the context or a layer does not exist.
        """
        self._check(max_length, keep_layers)
        if not self.closing_token:  # it is a text of its own, which no other sees
            cu_seqlens = torch.cat(
                [cu_seqlens[:1], torch.stack([cu_seqlens[1:] - 1, cu_seqlens[1:]], 1).flatten()]
            )
        layout = PackedLayout(cu_seqlens, max_length)
        extra = {"scale": packed_scale(tokens_T, cu_seqlens)} if self.mask_scaling else {}
        x = self.stem(tokens_T, positions_T, languages_T, segments_T, **extra)
        return self.run(x, layout, positions_T, len(tokens_T), keep_layers)

    def run(
        self,
        x: Tensor,
        layout: Layout,
        positions: Tensor | None,
        length: int,
        keep: Collection[int] | None = None,
    ) -> Encoded:
        """States from the stem's vectors on; what :meth:`forward` and :meth:`forward_packed` share.

        Args:
            x: float[..., D], of the stem.
            layout: which tokens make up a text.
            positions: int64[...]; None for 0 to ``length - 1``.
            length: L or T.
            keep: which layers to return.
        """
        wide = self.rotary(positions, length) if self.rotary is not None else None
        near = self.rotary_local(positions, length) if self.rotary_local is not None else None
        keep = keep or ()
        layers = {0: x} if 0 in keep else {}
        for index, (block, local) in enumerate(zip(self.blocks, self.local, strict=True), start=1):
            x = block(x, layout, self.local_pattern if local else self.wide_pattern, near if local else wide)
            if index in keep:
                layers[index] = x
        last = self.final_norm(x)
        if len(self.blocks) in layers:
            layers[len(self.blocks)] = last
        return Encoded(last, layers)

    def _check(self, length: int, keep: Collection[int] | None) -> None:
        if length > self.context:
            raise ValueError(f"a text of {length} tokens exceeds the model's context of {self.context}")
        unknown = sorted(set(keep or ()) - set(range(len(self.blocks) + 1)))
        if unknown:
            raise ValueError(f"no layers {unknown}; this model has 0 to {len(self.blocks)}")
