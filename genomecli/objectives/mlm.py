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

from genomecli.corpus.batch import IGNORE, Batch, Selection
from genomecli.corpus.lexicon import Lexicon
from genomecli.models.language_model import LanguageModel
from genomecli.objectives.masking import Bools, Ints, MaskingPolicy, mask_tokens
from genomecli.objectives.protocol import Objective, ObjectiveLoss, sum_losses
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
        lexicon, any_span = self.lexicon, self.lexicon.tokenizers[0].span
        names = [language.rsplit("/", 1) for language in lexicon.languages]
        spans = [
            lexicon.tokenizer(species, molecule).span if written else any_span  # no text is of that language
            for (species, molecule), written in zip(names, lexicon.written, strict=True)
        ]
        return np.array(spans, dtype=np.int64)

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

    def select(self, batch: Batch) -> Selection:
        """The hidden positions, each with its position's weight."""
        places = self._predicted(batch).flatten().nonzero().squeeze(1)
        assert batch.targets is not None
        return Selection(
            places=places,
            targets=batch.targets.flatten()[places],
            weights=torch.ones(len(places)) if batch.weights is None else batch.weights.flatten()[places],
            languages=batch.languages.flatten()[places],
        )

    def loss(self, model: LanguageModel, states_ND: Tensor, selected: Selection) -> ObjectiveLoss:
        """Cross entropy of the hidden tokens, nats; with ``softmax: own`` among those of the target's block.

        See :meth:`~genomecli.objectives.protocol.Objective.loss`.
        """
        logits = model.logits(states_ND)
        if self.softmax == "own":
            logits = logits.masked_fill(self._foreign(selected.targets), float("-inf"))
        count = len(self.lexicon.languages)
        return sum_losses(logits, selected.targets, selected.weights, selected.languages, count)

    @cached_property
    def _blocks(self) -> dict[torch.device, Tensor]:
        """int64[V], each token's block, by device: copied there once, since a copy waits."""
        return {}

    def _foreign(self, targets: Tensor) -> Tensor:
        """bool[N, V]: tokens of other blocks than the target's."""
        block = self._blocks.get(targets.device)
        if block is None:
            found = torch.from_numpy(self.lexicon.vocabulary.block_of.astype(np.int64))
            block = self._blocks[targets.device] = found.to(targets.device)
        return block[None, :] != block[targets.clamp(min=0)][:, None]


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
