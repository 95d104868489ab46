"""The weighted sum of objectives on the same batches.

Special here: each objective's losses are divided by its own count of predictions over the whole optimiser
step, which is known before the first forward pass. So neither the number of micro-batches nor that of ranks
changes the gradient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from genomecli.corpus.batch import IGNORE, Batch, Selection
from genomecli.corpus.lexicon import Lexicon
from genomecli.models.language_model import LanguageModel
from genomecli.objectives.mlm import MaskedTokens
from genomecli.objectives.protocol import Objective, ObjectiveLoss
from genomecli.objectives.registry import build_objectives
from genomecli.objectives.settings import ObjectiveSettings
from genomecli.runtime import rng

Losses = dict[str, ObjectiveLoss]


@dataclass(frozen=True)
class Mixture:
    """Several objectives at once; see :func:`build_mixture`.

    Args:
        parts: the objectives, in the order in which they corrupt.
    """

    parts: tuple[Objective, ...]

    def corrupt(self, batch: Batch, generator: np.random.Generator) -> Batch:
        """The batch corrupted by each objective in turn, with what each of them selects."""
        return self.select(self.hide(batch, generator))

    def hide(self, batch: Batch, generator: np.random.Generator) -> Batch:
        """The batch corrupted by each objective in turn."""
        for part in self.parts:
            batch = part.corrupt(batch, generator)
        return batch

    def select(self, batch: Batch) -> Batch:
        """A corrupted batch with what each objective selects."""
        return replace(batch, selected={part.name: part.select(batch) for part in self.parts})

    def heads(self, width: int, lexicon: Lexicon) -> dict[str, nn.Module]:
        """The heads of all objectives, for ``build_model(..., heads=...)``."""
        return {name: head for part in self.parts for name, head in part.heads(width, lexicon).items()}

    def counts(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Sum of weights of each objective over corrupted batches: the divisors of a step."""
        totals = {part.name: 0.0 for part in self.parts}
        for batch in batches:
            for name, chosen in batch.selected.items():
                totals[name] += float(chosen.weights.sum())
        return totals

    def losses(self, model: LanguageModel, hidden: Tensor, selected: Mapping[str, Selection]) -> Losses:
        """Each objective's sums on a corrupted batch.

        Args:
            model: whose heads are used.
            hidden: the encoder's last states of the batch, float[B, L, D] or packed float[T, D].
            selected: of the batch, on the same device.
        """
        flat = hidden.flatten(0, -2)
        return {
            part.name: part.loss(model, flat.index_select(0, selected[part.name].places), selected[part.name])
            for part in self.parts
        }

    def total(self, losses: Losses, counts: Mapping[str, float]) -> Tensor:
        """float32[]: the weighted sum of losses, each divided by its step's count. Backward goes through it.

        Over the micro-batches of a step these add up to the step's loss. An objective without any prediction
        in the step adds nothing.
        """
        terms = [
            part.weight * losses[part.name].sum / counts[part.name]
            for part in self.parts
            if counts[part.name] > 0
        ]
        if not terms:
            return sum((loss.sum for loss in losses.values()), torch.zeros(()))
        return torch.stack(terms).sum()

    def for_validation(self) -> Mixture:
        """The same objectives, masking as in validation."""
        return Mixture(
            tuple(part.for_validation() if isinstance(part, MaskedTokens) else part for part in self.parts)
        )


def build_mixture(settings: ObjectiveSettings, lexicon: Lexicon) -> Mixture:
    """The objectives that the settings choose.

    Raises:
        ConfigError: if one is not registered.
    """
    return Mixture(build_objectives(settings, lexicon))


def add_losses(first: Losses | None, second: Losses) -> Losses:
    """Sums over two batches, without gradient."""
    plain = {name: loss.detach() for name, loss in second.items()}
    return plain if first is None else {name: first[name] + loss for name, loss in plain.items()}


def corrupt_fixed(mixture: Mixture, batch: Batch, seed: int = 0) -> Batch:
    """Corrupt a validation batch so that each text's masks depend on the text alone.

    The generator is keyed by the text's record, start, strand and frame: masks are the same whatever else is
    in the batch, in whatever order, at every call.

    Args:
        mixture: whose corruption; see :meth:`Mixture.for_validation`.
        batch: from the sampler.
        seed: of the masks.
    """
    texts = []
    for place in range(len(batch.lengths)):
        text = _row(batch, place)
        places = [int(text.extras[name]) for name in ("start", "strand", "frame") if name in text.extras]
        texts.append(mixture.hide(text, rng(seed, "fixed", int(text.records), *places)))
    return mixture.select(_stack(batch, texts))


def _row(batch: Batch, place: int) -> Batch:
    """One text, without padding."""
    length = int(batch.lengths[place])

    def cut(value: Tensor | None) -> Tensor | None:
        return None if value is None else value[place : place + 1, :length]

    return replace(
        batch,
        tokens=batch.tokens[place : place + 1, :length],
        positions=batch.positions[place : place + 1, :length],
        languages=batch.languages[place : place + 1, :length],
        lengths=batch.lengths[place : place + 1],
        records=batch.records[place : place + 1],
        segments=cut(batch.segments),
        targets=cut(batch.targets),
        weights=cut(batch.weights),
        extras={name: value[place : place + 1] for name, value in batch.extras.items()},
    )


def _stack(batch: Batch, texts: Sequence[Batch]) -> Batch:
    """What corruption may change, put back in the padded batch: tokens, targets, weights and extras."""
    tokens = batch.tokens.clone()
    targets = None if texts[0].targets is None else torch.full_like(tokens, IGNORE)
    weights = None if texts[0].weights is None else torch.ones(tokens.shape)
    for place, text in enumerate(texts):
        length = text.tokens.shape[1]
        tokens[place, :length] = text.tokens[0]
        if targets is not None and text.targets is not None:
            targets[place, :length] = text.targets[0]
        if weights is not None and text.weights is not None:
            weights[place, :length] = text.weights[0]
    extras = {name: torch.cat([text.extras[name] for text in texts]) for name in texts[0].extras}
    return replace(batch, tokens=tokens, targets=targets, weights=weights, extras=extras)
