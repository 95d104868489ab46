"""The learner of fine-tuning: one body, a head a target, the weighted sum of their losses.

Texts are always padded. Heads compute in float32, whatever the body's precision.

Shapes: B texts, L padded length, D width, C outputs, S symbols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from genomecli.corpus.batch import Batch
from genomecli.corpus.vocabulary import SPECIALS
from genomecli.models.language_model import LanguageModel
from genomecli.models.task_heads import (
    UNCERTAINTY,
    SymbolHead,
    TaskHead,
    Uncertainty,
    head_name,
    symbol_means,
)
from genomecli.tasks.kinds.protocol import TaskKind
from genomecli.tasks.kinds.registry import task_kind
from genomecli.tasks.schema import Target
from genomecli.training.learner import Loss
from genomecli.training.task_data import (
    COVARIATES,
    PAIR_LANGUAGES,
    PAIR_LENGTHS,
    PAIR_TOKENS,
    SPECIAL_TOKENS,
    label_extras,
)

TINY = torch.finfo(torch.float32).tiny


class Rows(Protocol):
    """What heads see of each row, computed beforehand."""

    def of(self, rows_B: Tensor, length: int) -> Tensor:
        """Of some rows float32[B, D], pooled, or float32[B, L, D], all states.

        Args:
            rows_B: int64[B].
            length: L.
        """
        ...


@dataclass(frozen=True)
class Kept:
    """What heads see of all rows; ``second`` of the second texts of pairs, None without."""

    first: Rows
    second: Rows | None = None


class TaskLearner:
    """Gives the loss of labelled batches.

    Args:
        targets: each with its head in the model.
        stride: symbols from one token's start to the next.
        uncertainty: weigh the targets by the model's learned weights.

    Attributes:
        kept: what a body that is not tuned says of the rows; None to ask it each time.
    """

    def __init__(self, targets: Sequence[Target], stride: int = 1, *, uncertainty: bool = False) -> None:
        self.kinds: dict[str, TaskKind] = {target.name: task_kind(target) for target in targets}
        self.stride = stride
        self.uncertainty = uncertainty
        self.kept: Kept | None = None

    def prepare(self, batch: Batch, step: int, index: int) -> Batch:
        """The batch as it is; see :class:`genomecli.training.learner.Learner`."""
        return batch

    def count(self, batch: Batch) -> Mapping[str, float]:
        """See :class:`genomecli.training.learner.Learner`."""
        labels = label_extras(batch.extras)
        return {name: float(kind.weights(labels[name]).sum()) for name, kind in self.kinds.items()}

    def loss(self, model: nn.Module, batch: Batch, totals: Mapping[str, float]) -> Loss:
        """See :class:`genomecli.training.learner.Learner`; ratios are each target's mean loss."""
        network = cast("LanguageModel", model)
        outputs = self.outputs(network, batch)
        labels = label_extras(batch.extras)
        parts, ratios = [], {}
        for place, (name, kind) in enumerate(self.kinds.items()):
            total, count = kind.loss(outputs[name], labels[name], kind.weights(labels[name]))
            ratios[f"{name}_loss"] = torch.stack([total, count])
            divisor = max(totals.get(name, 0.0), TINY)
            parts.append(self._weighed(network, place, kind, total / divisor, count / divisor))
        return Loss(torch.stack(parts).sum(), ratios)

    def _weighed(
        self, model: LanguageModel, place: int, kind: TaskKind, mean: Tensor, share: Tensor
    ) -> Tensor:
        """A target's part of the step's loss.

        Args:
            model: with the learned weights.
            place: number of the target.
            kind: of the target.
            mean: this micro-batch's part of the mean loss.
            share: its part of the step's weights; these add up to 1, or to 0 where no label is known.
        """
        if self.uncertainty:
            log_variance = cast("Uncertainty", model.heads[UNCERTAINTY]).log_variance[place]
            mean = _half(kind.target) * torch.exp(-log_variance) * mean + 0.5 * log_variance * share
        return kind.target.weight * mean

    def outputs(self, model: LanguageModel, batch: Batch) -> dict[str, Tensor]:
        """float32[B, C] of each target; of token targets float32[B, S, C] from the first symbol read."""
        states, second = self._read(model, batch)
        with torch.autocast(batch.tokens.device.type, enabled=False):
            return {
                name: self._head(model.heads[head_name(name)], batch, states, second) for name in self.kinds
            }

    def _read(self, model: LanguageModel, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """What the body says of the texts and of the second ones: states, or pooled vectors if it is kept."""
        extras = batch.extras
        if self.kept is not None:
            first = self.kept.first.of(batch.records, batch.tokens.shape[1])
            other = self.kept.second
            pair = None if other is None else other.of(batch.records, extras[PAIR_TOKENS].shape[1])
            return first, pair
        lengths = None if batch.full else batch.lengths
        states = last_states(model, batch.tokens, lengths, batch.languages)
        if PAIR_TOKENS not in extras:
            return states, None
        tokens, languages = extras[PAIR_TOKENS], extras[PAIR_LANGUAGES]
        return states, last_states(model, tokens, extras[PAIR_LENGTHS], languages)

    def _head(self, head: nn.Module, batch: Batch, states: Tensor, second: Tensor | None) -> Tensor:
        if isinstance(head, SymbolHead):
            numbers = head(states[:, 1:-1])
            return symbol_means(numbers, batch.lengths - SPECIAL_TOKENS, self.stride)[0]
        assert isinstance(head, TaskHead)
        first = _pooled(head, states, batch.tokens, batch.lengths)
        other = None
        if second is not None:
            tokens, lengths = batch.extras[PAIR_TOKENS], batch.extras[PAIR_LENGTHS]
            other = _pooled(head, second, tokens, lengths)
        found: Tensor = head(first, other, batch.extras.get(COVARIATES))
        return found


def _half(target: Target) -> float:
    """The factor of a target's loss beside its variance."""
    return 0.5 if target.form == "regression" else 1.0


def learned_weights(targets: Sequence[Target], log_variances: Tensor) -> dict[str, float]:
    """The factor of each target's mean loss that its learned log variance gives.

    Args:
        targets: in the order of the log variances.
        log_variances: float32[targets].
    """
    values = torch.exp(-log_variances.double()).tolist()
    return {
        target.name: target.weight * _half(target) * value
        for target, value in zip(targets, values, strict=True)
    }


def _pooled(head: TaskHead, states: Tensor, tokens_BL: Tensor, lengths_B: Tensor) -> Tensor:
    """float32[B, D] of float32[B, L, D]; what is pooled already stays as it is."""
    if states.ndim == 2:
        return states
    pooled: Tensor = head.pool(states, counted_tokens(tokens_BL, lengths_B))
    return pooled


def last_states(model: LanguageModel, tokens: Tensor, lengths: Tensor | None, languages: Tensor) -> Tensor:
    """float32[B, L, D]: the last states."""
    last: Tensor = model(tokens, lengths, None, languages).last
    return last.float()


def counted_tokens(tokens_BL: Tensor, lengths_B: Tensor) -> Tensor:
    """bool[B, L]: tokens that count in a mean. Special tokens and padding do not, nor tokens of ambiguous
    letters, save where a stretch has no others."""
    index = torch.arange(tokens_BL.shape[1], device=tokens_BL.device)
    plain = tokens_BL >= len(SPECIALS)
    inside = (index > 0) & (index < lengths_B[:, None] - 1)
    return plain | (inside & ~plain.any(dim=1, keepdim=True))
