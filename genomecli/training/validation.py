"""Validation: the same texts, masked alike each time, so that two figures differ by the weights alone.

Several processes share the texts and add up what they find.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import reduce
from operator import add
from typing import Any, cast

import torch
from torch import Tensor, nn

from genomecli.corpus.batch import AnyBatch, Batch
from genomecli.errors import RunError
from genomecli.models.encode import encode
from genomecli.models.language_model import LanguageModel
from genomecli.models.memory import ran_out
from genomecli.models.timing import autocast
from genomecli.objectives.mixture import Losses, Mixture, add_losses, corrupt_fixed
from genomecli.objectives.mlm import MaskedTokens
from genomecli.objectives.protocol import ObjectiveLoss
from genomecli.runtime import log
from genomecli.training.distributed import add_up, rank, world_size
from genomecli.training.feed import Place, split_rows


class Validation:
    """Call it with (model, step).

    Args:
        mixture: the objectives of training; masks are those of validation.
        batches: unmasked texts, kept in memory.
        languages: names, by language id.
        precision: of the forward pass.
        place: how batches are made ready for the device, see :func:`genomecli.training.feed.place_for`; by
            default they stay as they are.
    """

    def __init__(
        self,
        mixture: Mixture,
        batches: Iterable[Batch],
        languages: tuple[str, ...],
        precision: str,
        place: Place | None = None,
    ) -> None:
        self.mixture = mixture.for_validation()
        self.batches = [corrupt_fixed(self.mixture, batch) for batch in batches]
        self.place: Place = place or _as_it_is
        self.texts: list[AnyBatch] = [self.place(batch) for batch in self.batches]
        self.pieces = 1
        self.languages = languages
        self.precision = precision
        self.counts = self.mixture.counts(self.batches)

    def __bool__(self) -> bool:
        return bool(self.batches)

    def __call__(self, model: nn.Module, step: int) -> dict[str, Any]:
        """Figures of the validation texts.

        Returns:
            ``loss``, the weighted sum of objectives; ``objectives``, each with loss and accuracy; and
            ``languages``, each with loss, perplexity, accuracy and number of masked tokens.
        """
        network = cast("LanguageModel", model)
        device = next(network.parameters()).device
        sums: Losses | None = None
        with torch.inference_mode(), autocast(device, self.precision):
            for number in range(rank(), len(self.texts), world_size()):
                sums = add_losses(sums, self._losses(network, number))
        sums = self._of_all(sums)
        masked = self._masked(sums)
        return {
            "loss": float(self.mixture.total(sums, self.counts)),
            "objectives": {
                name: {"loss": float(part.mean), "accuracy": part.accuracy} for name, part in sums.items()
            },
            "languages": {} if masked is None else masked.by_language(self.languages),
        }

    def _losses(self, model: LanguageModel, number: int) -> Losses:
        """The losses of one batch; it is computed in halves where memory does not suffice, then all are.

        Raises:
            RunError: if one text alone does not fit the memory.
        """
        device, batch = next(model.parameters()).device, self.batches[number]
        while True:
            whole = [self.texts[number]]
            parts = whole if self.pieces == 1 else map(self.place, split_rows(batch, self.pieces))
            try:
                sums: Losses | None = None
                for texts in parts:
                    placed = texts.to(device)
                    last = encode(model, placed).last
                    sums = add_losses(sums, self.mixture.losses(model, last, placed.selected))
                assert sums is not None
                return sums
            except RuntimeError as error:
                if not ran_out(error):
                    raise
                if self.pieces >= len(batch.lengths):
                    what = "one text alone does not fit the memory of the device"
                    raise RunError(what, fix="lower the context or the model's size") from None
            self.pieces *= 2
            log.warning("out of memory: validation texts are read in %d parts from now on", self.pieces)

    def _of_all(self, sums: Losses | None) -> Losses:
        """The sums over all processes; one with fewer texts than there are processes has none of its own."""
        if world_size() == 1:
            assert sums is not None, "a validation without texts is not to be called"
            return sums
        groups = len(self.languages)
        mine = [0.0] * len(self.mixture.parts) * (4 + 3 * groups)
        if sums is not None:
            mine = [x for part in self.mixture.parts for x in _numbers(sums[part.name])]
        every = torch.tensor(add_up(mine), dtype=torch.float64).view(len(self.mixture.parts), -1)
        return {part.name: _loss_of(row, groups) for part, row in zip(self.mixture.parts, every, strict=True)}

    def _masked(self, sums: Losses) -> ObjectiveLoss | None:
        """All masked tokens, of single texts and of pairs."""
        parts = [sums[part.name] for part in self.mixture.parts if isinstance(part, MaskedTokens)]
        return reduce(add, parts) if parts else None


def _as_it_is(batch: Batch) -> AnyBatch:
    return batch


def _numbers(loss: ObjectiveLoss) -> list[float]:
    """All fields end to end, in their order."""
    values = (getattr(loss, field.name) for field in fields(loss))
    return [number for value in values for number in value.double().flatten().tolist()]


def _loss_of(numbers: Tensor, groups: int) -> ObjectiveLoss:
    """What :func:`_numbers` was made of, float64[4 + 3 G]."""
    total, count, correct, predictions = numbers[:4].unbind()
    losses, right, counts = numbers[4:].view(3, groups).unbind()
    return ObjectiveLoss(
        total, count, correct.long(), predictions.long(), losses, right.long(), counts.long()
    )
