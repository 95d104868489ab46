"""Labelled sequences as a network reads them: tokens end to end, labels encoded, covariates standardised.

Shapes: n examples, T tokens of all of them, K covariates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.tasks.examples import Examples, Ints, LabelArray
from genomecli.tasks.kinds.registry import task_kind
from genomecli.training.task_spec import TaskSpec

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class TokenColumn:
    """The tokens of n sequences, without special tokens.

    Args:
        tokens: int32[T].
        offsets: int64[n + 1]; sequence i is ``tokens[offsets[i]:offsets[i + 1]]``, never empty.
        language: index into the lexicon's languages.
        frame: symbols before the first token.
        k: symbols a token.
        stride: symbols from one token's start to the next.
    """

    tokens: Ids
    offsets: Ints
    language: int
    frame: int = 0
    k: int = 1
    stride: int = 1

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Ints:
        """int64[n]: tokens of each sequence."""
        return np.diff(self.offsets)

    def row(self, index: int) -> Ids:
        """int32[t]: the tokens of one sequence."""
        return self.tokens[self.offsets[index] : self.offsets[index + 1]]


def join_tokens(parts: Sequence[Ids], language: int, **form: Any) -> TokenColumn:
    """A column of single sequences; ``form`` is frame, k and stride."""
    offsets = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    flat = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)
    return TokenColumn(flat, offsets, language, **form)


@dataclass(frozen=True)
class EncodedLabels:
    """Labels of one target as its kind wants them; offsets as in :class:`Labels`."""

    values: LabelArray
    offsets: Ints | None

    def symbols(self, index: int, first: int, stop: int) -> LabelArray:
        """Labels of the symbols ``first`` to ``stop`` of one sequence; fewer where it ends before."""
        assert self.offsets is not None
        begin, end = int(self.offsets[index]), int(self.offsets[index + 1])
        return self.values[begin + first : min(begin + stop, end)]


@dataclass(frozen=True)
class TaskTexts:
    """Everything that training reads of some examples.

    Args:
        texts: tokens of the n sequences.
        labels: by target.
        pair: tokens of the second sequences; None without pairs.
        covariates: float32[n, K], standardised; None without.
        ids: of the examples, for messages.
    """

    texts: TokenColumn
    labels: Mapping[str, EncodedLabels]
    pair: TokenColumn | None = None
    covariates: NDArray[np.float32] | None = None
    ids: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.texts)


def task_texts(
    spec: TaskSpec, examples: Examples, texts: TokenColumn, pair: TokenColumn | None = None
) -> TaskTexts:
    """Examples with their tokens, ready for training.

    Args:
        spec: says which targets and scales.
        examples: n of them, with labels of every target.
        texts: tokens of their sequences, in the same order.
        pair: of their second sequences.
    """
    assert len(texts) == len(examples), "each example has its tokens"
    labels = {
        target.name: EncodedLabels(
            task_kind(target).encode(examples.labels[target.name].values),
            examples.labels[target.name].offsets,
        )
        for target in spec.targets
    }
    covariates = None
    if spec.covariates is not None:
        assert examples.covariates is not None
        covariates = spec.covariates.apply(examples.covariates).astype(np.float32)
    return TaskTexts(texts, labels, pair, covariates, tuple(examples.ids))
