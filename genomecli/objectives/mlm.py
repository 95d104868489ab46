"""Masked language model: predict tokens that were hidden (Devlin et al. 2018), decoded at those places only.

B texts, L length, N predicted positions, V vocabulary, G languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from genomecli.corpus.batch import IGNORE, Batch
from genomecli.corpus.lexicon import Lexicon
from genomecli.models.language_model import LanguageModel
from genomecli.objectives.masking import Bools, Ints, MaskingPolicy, mask_tokens
from genomecli.objectives.protocol import Objective, ObjectiveLoss, flat_places, sum_losses
from genomecli.objectives.settings import MaskSettings


@dataclass(frozen=True)
class MaskedTokens:
    """The masked language model.

    Args:
        lexicon: of the batches.
        policy: masking in training.
        validation_policy: masking in validation; as in training by default.
        name: ``mlm`` or ``tlm``.
        weight: factor of its mean loss.
        texts: which texts are masked: ``all``, those of one language (``single``), or ``paired`` ones.
        softmax: over all tokens, or those of the target's own block.
    """

    lexicon: Lexicon
    policy: MaskingPolicy = field(default_factory=MaskingPolicy)
    validation_policy: MaskingPolicy | None = None
    name: str = "mlm"
    weight: float = 1.0
    texts: Literal["all", "single", "paired"] = "all"
    softmax: Literal["joint", "own"] = "joint"

    def for_validation(self) -> MaskedTokens:
        """The same objective, masking as in validation."""
        return replace(self, policy=self.validation_policy or self.policy)

    def corrupt(self, batch: Batch, generator: np.random.Generator) -> Batch:
        """Mask the texts that are its own; sets ``tokens`` and ``targets``."""
        rows = self._rows(batch)
        tokens, targets = mask_tokens(
            batch.tokens.numpy(),
            self.lexicon.vocabulary,
            self.policy,
            generator,
            spans=self._spans(batch),
            rows=rows,
        )
        hidden = torch.from_numpy(targets)
        if batch.targets is not None and rows is not None:
            hidden = torch.where(torch.from_numpy(rows)[:, None], hidden, batch.targets)
        return replace(batch, tokens=torch.from_numpy(tokens), targets=hidden)

    def _rows(self, batch: Batch) -> Bools | None:
        if self.texts == "all":
            return None
        rows: Bools = (self._paired(batch) == (self.texts == "paired")).numpy()
        return rows

    def _paired(self, batch: Batch) -> Tensor:
        if "partner" not in batch.extras:
            return torch.zeros(len(batch.lengths), dtype=torch.bool, device=batch.tokens.device)
        return batch.extras["partner"] >= 0

    @cached_property
    def _span_of_language(self) -> Ints:
        names = [language.rsplit("/", 1) for language in self.lexicon.languages]
        return np.array([self.lexicon.tokenizer(s, m).span for s, m in names], dtype=np.int64)

    def _spans(self, batch: Batch) -> Ints | int:
        """Tokens that share a symbol: one number where all positions agree, otherwise int64[B, L]."""
        known = self._span_of_language
        if (known == known[0]).all():
            return int(known[0])
        if batch.segments is not None:
            of_each: Ints = known[batch.languages.numpy()]
            return of_each
        spans: Ints = known[batch.languages[:, 0].numpy()]
        if (spans == spans[0]).all():
            return int(spans[0])
        return np.broadcast_to(spans[:, None], tuple(batch.tokens.shape))

    def heads(self, width: int, lexicon: Lexicon) -> Mapping[str, nn.Module]:
        """None beyond the model's own."""
        return {}

    def _predicted(self, batch: Batch) -> Tensor:
        """bool[B, L]."""
        assert batch.targets is not None, "the batch has not been corrupted"
        predicted = batch.targets != IGNORE
        if self.texts != "all":
            predicted = predicted & (self._paired(batch) == (self.texts == "paired"))[:, None]
        return predicted

    def count(self, batch: Batch) -> float:
        """Sum of the weights of its targets."""
        predicted = self._predicted(batch)
        return float(predicted.sum() if batch.weights is None else batch.weights[predicted].sum())

    def loss(self, model: LanguageModel, hidden: Tensor, batch: Batch) -> ObjectiveLoss:
        """Cross entropy of the hidden tokens, each with its position's weight."""
        predicted = self._predicted(batch)
        padded = predicted.flatten().nonzero().squeeze(1)
        places = padded if hidden.dim() == 3 else flat_places(predicted, hidden, batch)
        assert batch.targets is not None
        targets = batch.targets.flatten()[padded]
        logits = model.logits(hidden, places)
        if self.softmax == "own":
            logits = logits.masked_fill(self._foreign(targets), float("-inf"))
        weights = (
            torch.ones(len(padded), device=hidden.device)
            if batch.weights is None
            else batch.weights.flatten()[padded]
        )
        languages = batch.languages.flatten()[padded]
        return sum_losses(logits, targets, weights, languages, len(self.lexicon.languages))

    def _foreign(self, targets: Tensor) -> Tensor:
        """bool[N, V]: tokens of other blocks than the target's."""
        block = torch.from_numpy(self.lexicon.vocabulary.block_of.astype(np.int64)).to(targets.device)
        return block[None, :] != block[targets][:, None]


def masked_tokens(
    settings: MaskSettings, lexicon: Lexicon, *, name: str, texts: Literal["all", "single", "paired"]
) -> MaskedTokens:
    """The objective that the settings describe."""
    policy = MaskingPolicy(
        rate=settings.rate,
        mask_share=settings.mask_share,
        random_share=settings.random_share,
        replacements=settings.replacements,
        exact=settings.exact,
        run=settings.run,
    )
    return MaskedTokens(
        lexicon=lexicon,
        policy=policy,
        # Nothing that is scored may stay visible: a kept token would flatter the perplexity beside n-grams.
        validation_policy=replace(policy, rate=settings.validation_rate, mask_share=1.0, random_share=0.0),
        name=name,
        weight=settings.weight,
        texts=texts,
        softmax=settings.softmax,
    )


def build_mlm(settings: MaskSettings, lexicon: Lexicon, others: Sequence[str]) -> Sequence[Objective]:
    """The masked language model; beside ``tlm`` it keeps to texts of one language."""
    return [masked_tokens(settings, lexicon, name="mlm", texts="single" if "tlm" in others else "all")]
