"""The language model: an encoder, its masked-language head, and the heads that objectives add.

Shapes: B texts, L padded length, T packed tokens, N selected positions, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from genomecli.models.encoder import Encoded, Encoder
from genomecli.models.heads import MaskedLanguageHead
from genomecli.models.initialisation import initialise
from genomecli.models.settings import ModelSettings
from genomecli.models.stems import Stem
from genomecli.runtime import seed_of


class LanguageModel(nn.Module):
    """Encoder and heads. A tied output layer shares the embedding's tensor, which the state holds once.

    Args:
        settings: of the model.
        vocabulary_size: V.
        languages: number of languages; used by the language embedding alone.
        heads: further heads by name, such as a classifier.
    """

    def __init__(
        self,
        settings: ModelSettings,
        vocabulary_size: int,
        languages: int = 0,
        heads: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.vocabulary_size = vocabulary_size
        self.encoder = Encoder(settings, vocabulary_size, languages)
        self.lm_head = MaskedLanguageHead(settings, vocabulary_size)
        self.heads = nn.ModuleDict(dict(heads or {}))

    def forward(self, *texts: Any, **options: Any) -> Encoded:
        """States of padded texts; called as :meth:`Encoder.forward` is."""
        encoded: Encoded = self.encoder(*texts, **options)
        return encoded

    def logits(self, hidden: Tensor, selected: Tensor | None = None) -> Tensor:
        """Scores of all tokens at the selected positions, in the dtype of the computation.

        Args:
            hidden: float[B, L, D] or float[T, D], the encoder's last states.
            selected: bool over the positions, or int64[N] indices into them laid flat; None for all of them.
                Indices spare a wait for the device.

        Returns:
            float[N, V] in the order of the positions; float[..., V] if all are selected.
        """
        if selected is not None:
            flat = hidden.flatten(0, -2)
            hidden = (
                flat[selected.flatten()] if selected.dtype == torch.bool else flat.index_select(0, selected)
            )
        scores: Tensor = self.lm_head(hidden, cast(Stem, self.encoder.stem).output_weight())
        return scores


def build_model(
    settings: ModelSettings,
    vocabulary_size: int,
    languages: int = 0,
    seed: int = 0,
    heads: Mapping[str, nn.Module] | None = None,
) -> LanguageModel:
    """A model with fresh float32 weights on the CPU.

    The weights, those of ``heads`` included, are a function of the seed alone, and torch's global generator
    is left as it was.

    Args:
        settings: of the model.
        vocabulary_size: number of token ids.
        languages: number of languages; used by the language embedding alone.
        seed: of the weights.
        heads: further heads by name; their weights are set anew.

    Raises:
        ConfigError: if the stem or mixer is not registered.
    """
    with torch.random.fork_rng(devices=[]):
        model = LanguageModel(settings, vocabulary_size, languages, heads)
    initialise(model, settings, seed)
    return model


def weights_seed(seed: int) -> int:
    """The seed of the weights that a run with this seed begins with."""
    return seed_of(seed, "weights") % 2**31


def count_parameters(model: LanguageModel) -> dict[str, int]:
    """Number of weights by part: embedding (the stem), blocks (with the final norm), lm_head, each head,
    total.

    A tensor that two parts share counts once, in the first of them.
    """
    parts: dict[str, list[nn.Module]] = {
        "embedding": [model.encoder.stem],
        "blocks": [model.encoder.blocks, model.encoder.final_norm],
        "lm_head": [model.lm_head],
        **{f"heads.{name}": [head] for name, head in model.heads.items()},
    }
    seen: set[int] = set()
    counts: dict[str, int] = {}
    for part, modules in parts.items():
        fresh = {id(p): p.numel() for m in modules for p in m.parameters() if id(p) not in seen}
        seen |= set(fresh)
        counts[part] = sum(fresh.values())
    counts["total"] = sum(counts.values())
    return counts
