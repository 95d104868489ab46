"""The predictor: sequences in, what a tuned model says of them out, in input order and constant memory.

The figures of ``finetune`` and the output of ``predict`` both come from here, so they are equal. A sequence's
prediction does not depend on what is read beside it.

Shapes: n examples, N symbols of a sequence (of all of them in a table), C classes or values, K covariates.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from genomecli.errors import InputError
from genomecli.inference.engine import Engine
from genomecli.inference.items import Item, Reading
from genomecli.inference.remembered import Reads, Remembered
from genomecli.inference.task_outputs import Heads, Read
from genomecli.inference.task_reading import open_reading
from genomecli.inference.tuned import Tuned
from genomecli.sequences.alphabets import Codes
from genomecli.tasks.examples import Examples, Floats
from genomecli.tasks.kinds.registry import task_kind
from genomecli.tasks.predictions import Predictions
from genomecli.training.distributed import add_up, agreed
from genomecli.training.task_spec import LongInput

Outputs = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """A sequence to predict.

    Args:
        id: of the record.
        symbols: uint8[N], codes of the alphabet that the model reads.
        pair: uint8[M], the second sequence, for a model of pairs.
        covariates: float64[K] in the table's units, NaN where unknown, for a model that wants them.
        meta: whatever the caller wants back.
    """

    id: str
    symbols: Codes
    pair: Codes | None = None
    covariates: Floats | None = None
    meta: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is predicted of a sequence.

    Args:
        given: the sequence.
        scores: by target float64[C], probabilities of the classes or values in their units; of token targets
            float64[N, C], NaN for symbols that no token covers. Empty if nothing could be predicted.
        reason: why nothing could be; empty otherwise.
        short: tokens by which a text is shorter than the places that its head knows; 0 for no such head.
    """

    given: Unlabelled
    scores: Mapping[str, Floats]
    reason: str = ""
    short: int = 0


@dataclass(frozen=True, slots=True)
class _Waiting:
    given: Unlabelled
    texts: tuple[Item, ...]
    reason: str


class Predictor:
    """Applies a tuned model.

    Args:
        tuned: the model; it may be in training.
        device: where the network runs; None for where it is.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        tokens_per_batch: tokens computed at once, padding included.
        long_input: what becomes of sequences longer than the window; None for what the model was tuned with.
        window: tokens read at once, special tokens not counted; None likewise.
        stride: tokens from window to window; None for half a window.

    Raises:
        InputError: if the window exceeds the context, or the lexicon does not know the species.
    """

    def __init__(
        self,
        tuned: Tuned,
        device: torch.device | str | None = None,
        precision: str = "fp32",
        tokens_per_batch: int = 16_384,
        *,
        long_input: LongInput | None = None,
        window: int | None = None,
        stride: int | None = None,
    ) -> None:
        self.spec = tuned.spec
        self.targets = tuned.spec.targets
        how, window = long_input or tuned.spec.long_input, window or tuned.spec.window
        # A head that weighs places knows no more of them than its longest training text had.
        self.places = tuned.spec.head.places if how != "truncate" else 0
        if how == "truncate" and tuned.spec.head.places:
            window = min(window, tuned.spec.head.places)
        self.engine = Engine(
            tuned, device, precision, tokens_per_batch, long_input=how, window=window, stride=stride
        )
        self.reads: Reads = self.engine
        self.heads = Heads(tuned.model, tuned.spec)
        self.kinds = {target.name: task_kind(target) for target in self.targets}
        self.reading: Reading = open_reading(tuned.lexicon, tuned.spec.reading)
        pair = tuned.spec.pair
        self.pair_reading: Reading | None = None if pair is None else open_reading(tuned.lexicon, pair)

    def predict(self, sequences: Iterable[Unlabelled]) -> Iterator[Outcome]:
        """Predictions in input order, also of sequences of which nothing can be predicted, with the reason.

        Raises:
            InputError: if a sequence exceeds the window where that is an error.
            RunError: if one text does not fit into memory, or states are not finite.
        """
        for entry, outputs in self._outputs(sequences):
            scores = {name: self.kinds[name].scores(values) for name, values in outputs.items()}
            yield Outcome(entry.given, scores, entry.reason, self._short(entry.texts))

    def examples(self, examples: Examples) -> dict[str, Predictions]:
        """Predictions of a table, by target.

        Raises:
            InputError, RunError: as :meth:`predict`, or if a row cannot be read.
        """
        outputs = self.outputs(examples)
        found = {}
        for target in self.targets:
            scores = self.kinds[target.name].scores(outputs[target.name])
            offsets = examples.sequences.offsets if target.per_symbol else None
            found[target.name] = Predictions(target, scores, offsets)
        return found

    def outputs(self, examples: Examples) -> dict[str, Outputs]:
        """Outputs of the heads: float32[n, C] by target; of token targets float32[N, C], NaN where uncovered.

        Raises:
            InputError, RunError: as :meth:`examples`.
        """
        parts: dict[str, list[Outputs]] = {target.name: [] for target in self.targets}
        for row, (entry, outputs) in enumerate(self._outputs(unlabelled(examples))):
            if entry.reason:
                where = examples.places[row] if examples.places else f"record {entry.given.id!r}"
                raise InputError(entry.reason, where=where)
            for name, values in outputs.items():
                parts[name].append(values)
        joined: dict[str, Outputs] = {}
        for target in self.targets:
            own = parts[target.name]
            if not own:
                joined[target.name] = np.zeros((0, target.outputs), dtype=np.float32)
            else:
                joined[target.name] = np.concatenate(own) if target.per_symbol else np.stack(own)
        return joined

    def _outputs(self, sequences: Iterable[Unlabelled]) -> Iterator[tuple[_Waiting, dict[str, Outputs]]]:
        waiting: deque[_Waiting] = deque()

        def texts() -> Iterator[Item]:
            for given in sequences:
                made = self._texts(given)
                waiting.append(made)
                yield from made.texts

        def unread() -> Iterator[tuple[_Waiting, dict[str, Outputs]]]:
            while waiting and waiting[0].reason:
                yield waiting.popleft(), {}

        reads = self.heads.read(self.reads, texts())
        size = 1 if self.pair_reading is None else 2
        while group := tuple(islice(reads, size)):
            yield from unread()
            entry = waiting.popleft()
            yield entry, self._answer(entry, group)
        yield from unread()

    def _texts(self, given: Unlabelled) -> _Waiting:
        """The texts of a sequence, or the reason why it has none."""
        first = self.reading.item(given.id, given.symbols)
        if isinstance(first, str):
            return _Waiting(given, (), first)
        if self.spec.covariates is not None and given.covariates is None:
            return _Waiting(given, (), "has no covariates, which the model wants")
        if reason := self._beyond(first):
            return _Waiting(given, (), reason)
        if self.pair_reading is None:
            return _Waiting(given, (first,), "")
        if given.pair is None:
            return _Waiting(given, (), "has no second sequence, and the model reads pairs")
        second = self.pair_reading.item(given.id, given.pair)
        if isinstance(second, str):
            return _Waiting(given, (), f"its pair {second}")
        if reason := self._beyond(second):
            return _Waiting(given, (), f"its pair {reason}")
        return _Waiting(given, (first, second), "")

    def _beyond(self, text: Item) -> str:
        """Why a text is too long for a head that weighs places; empty if it is not."""
        if not self.places or len(text.tokens) <= self.places:
            return ""
        return (
            f"has {len(text.tokens)} tokens, and the model knows the places of {self.places}: "
            "cut it like those that it was tuned on, or set predict.long_input to truncate"
        )

    def _short(self, texts: tuple[Item, ...]) -> int:
        """Tokens that the shortest text lacks of the places that the head weighs; 0 for other heads."""
        places = self.spec.head.places
        return max((0, *(places - len(text.tokens) for text in texts))) if places else 0

    def _answer(self, entry: _Waiting, reads: tuple[Read, ...]) -> dict[str, Outputs]:
        """Outputs of one example, of which one text was read, or two."""
        item, scale = entry.texts[0], self.spec.covariates
        answer = self.heads.spread(reads[0].numbers, item.step, item.offset, len(entry.given.symbols))
        covariates = None
        if scale is not None:
            measured = np.asarray(entry.given.covariates, dtype=np.float64)
            covariates = scale.apply(measured).astype(np.float32)
        second = reads[1].vectors if len(reads) > 1 else None
        return answer | self.heads.score(reads[0].vectors, second, covariates)


class FrozenValidation:
    """Figures of one table while heads are trained on a body that is not: its states are computed once.

    Args:
        examples: labelled; see :func:`validation_figures`.
    """

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        self._states: Remembered | None = None

    def figures(self, predictor: Predictor) -> dict[str, Any]:
        """See :func:`validation_figures`, which says the same.

        Args:
            predictor: with the heads as they are now, and the same body each time.
        """
        self._states = self._states or Remembered(predictor.engine)
        predictor.reads = self._states
        return validation_figures(predictor, self.examples)


def unlabelled(examples: Examples) -> Iterator[Unlabelled]:
    """The sequences of a table, in order."""
    pair, covariates = examples.pair, examples.covariates
    for row in range(len(examples)):
        yield Unlabelled(
            examples.ids[row],
            examples.sequences[row],
            None if pair is None else pair[row],
            None if covariates is None else covariates[row],
        )


def validation_figures(predictor: Predictor, examples: Examples) -> dict[str, Any]:
    """The loss of labelled examples, as training computes it, on whole sequences.

    Args:
        predictor: with the model as it is now.
        examples: labelled; of several processes each gives its share of them.

    Returns:
        ``loss``, the weighted sum over the targets, and ``targets``, each with its mean ``loss``; targets
        without a label are left out.
    """
    with agreed():
        mine = _loss_sums(predictor, examples)
    sums = add_up([number for pair in mine for number in pair])
    targets: dict[str, dict[str, float]] = {}
    total = 0.0
    for target, loss, count in zip(predictor.targets, sums[::2], sums[1::2], strict=True):
        if count:
            targets[target.name] = {"loss": loss / count}
            total += target.weight * targets[target.name]["loss"]
    return {"loss": total if targets else float("nan"), "targets": targets}


def _loss_sums(predictor: Predictor, examples: Examples) -> list[tuple[float, float]]:
    """Sum of the weighted losses, and of the weights, of each target."""
    outputs = predictor.outputs(examples)
    sums = []
    for target in predictor.targets:
        kind, values = predictor.kinds[target.name], outputs[target.name]
        labels = torch.from_numpy(np.ascontiguousarray(kind.encode(examples.labels[target.name].values)))
        labels = labels.float() if labels.is_floating_point() else labels
        weights = kind.weights(labels)
        if target.per_symbol:
            weights = weights * torch.from_numpy(~np.isnan(values).any(axis=1))
        loss, count = kind.loss(torch.from_numpy(np.nan_to_num(values)), labels, weights)
        sums.append((float(loss), float(count)))
    return sums
