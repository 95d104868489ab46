"""Stems: what turns the input into the first vectors. A stem says how its output lies over its input.

Shapes: B texts, L length, T packed tokens, D width; ``...`` is B, L or T.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn

from genomecli.models.settings import ModelSettings


class Stem(Protocol):
    """What a registered stem must do. It is built as ``cls(settings, vocabulary_size, languages)``.

    Output position i is made of the input positions from ``offset + i * stride`` on. With a tokenizer of
    ``bases_per_token`` it stands for ``stride * bases_per_token`` bases; heads and per-base output use only
    that.
    """

    offset: int
    stride: int

    def __call__(
        self,
        tokens: Tensor,
        positions: Tensor | None = ...,
        languages: Tensor | None = ...,
        segments: Tensor | None = ...,
    ) -> Tensor:
        """int64[...] each to float[..., D]; None where the stem needs none."""
        ...

    def output_weight(self) -> Tensor:
        """float[V, D]: the rows that a tied output layer reuses."""
        ...


class TokenStem(nn.Module):
    """A learned vector a token, plus those of its position, text of a pair and language as set; then
    LayerNorm.

    Args:
        settings: width, context, positions, token_types, language_embedding, stem_norm, norm_eps, bias,
            dropout are used.
        vocabulary_size: V.
        languages: number of languages; only used with ``language_embedding``.
    """

    offset = 0
    stride = 1

    def __init__(self, settings: ModelSettings, vocabulary_size: int, languages: int = 0) -> None:
        super().__init__()
        width = settings.width
        self.tokens = nn.Embedding(vocabulary_size, width)
        self.positions = nn.Embedding(settings.context, width) if settings.positions == "learned" else None
        self.token_types = nn.Embedding(settings.token_types, width) if settings.token_types else None
        self.languages = nn.Embedding(max(1, languages), width) if settings.language_embedding else None
        normed = settings.stem_norm
        self.norm = (
            nn.LayerNorm(width, eps=settings.norm_eps, bias=settings.bias) if normed else nn.Identity()
        )
        self.dropout = nn.Dropout(settings.dropout)

    def forward(
        self,
        tokens: Tensor,
        positions: Tensor | None = None,
        languages: Tensor | None = None,
        segments: Tensor | None = None,
        scale: Tensor | None = None,
    ) -> Tensor:
        """The vectors that enter the first block.

        Args:
            tokens: int64[...].
            positions: int64[...] below context; None for 0, 1, 2, ... along the last axis.
            languages: int64[...]; needed if the model has a language embedding, otherwise not looked at.
            segments: int64[...], which text of a pair; None for the first. Not looked at without
                ``token_types``.
            scale: float32[..., 1], factors of the tokens' vectors; None for 1.

        Returns:
            float[..., D], normalised unless ``stem_norm`` is off.

        Raises:
            ValueError: if languages are needed and left out.
        """
        x: Tensor = self.tokens(tokens)
        if scale is not None:
            x = x * scale.to(x.dtype)
        if self.token_types is not None:
            x = x + (self.token_types.weight[0] if segments is None else self.token_types(segments))
        if self.positions is not None:
            first = self.positions.weight[: tokens.shape[-1]]
            x = x + (first if positions is None else self.positions(positions))
        if self.languages is not None:
            if languages is None:
                raise ValueError("this model has a language embedding; pass the language of each token")
            x = x + self.languages(languages)
        normed: Tensor = self.dropout(self.norm(x))
        return normed

    def output_weight(self) -> Tensor:
        """float[V, D]: the embedding's rows."""
        return self.tokens.weight
