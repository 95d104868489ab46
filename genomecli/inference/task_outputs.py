"""From the engine's states to the outputs of a tuned model's heads, item by item, independent of the batch.

States come from the engine bit for bit alike, whatever is read beside them. Heads compute on the CPU in
float32, one sequence at a time: in a matrix product of several rows the order of additions may change with a
row's place among them (measured: with 3 outputs it does).

Shapes: D width, C outputs, m tokens of a piece, t tokens of a text, N symbols.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from genomecli.errors import InputError
from genomecli.inference.items import Item
from genomecli.inference.pooling import Pooling, RunningPool
from genomecli.inference.remembered import Reads
from genomecli.inference.results import Piece
from genomecli.models.language_model import LanguageModel
from genomecli.models.pooling import LEARNED, AttentionPool, PlacePool, Pool
from genomecli.models.task_heads import SymbolHead, TaskHead, head_name, symbol_means
from genomecli.training.task_spec import TaskSpec

Floats = NDArray[np.float32]
Counted = NDArray[np.bool_]
Vectors = Mapping[str, Floats]


@dataclass(frozen=True)
class Read:
    """What is kept of one text.

    Args:
        vectors: float32[D] by target, pooled.
        numbers: float32[t, k, C] by target, of each token for each of its symbols.
    """

    vectors: Vectors = field(default_factory=dict)
    numbers: Mapping[str, Tensor] = field(default_factory=dict)


class Heads:
    """A tuned model's heads, copied to the CPU.

    Args:
        model: where they are.
        spec: which there are.
    """

    def __init__(self, model: LanguageModel, spec: TaskSpec) -> None:
        self.spec = spec
        found = {
            target.name: copy.deepcopy(model.heads[head_name(target.name)]).cpu().eval()
            for target in spec.targets
        }
        self.whole = {name: head for name, head in found.items() if isinstance(head, TaskHead)}
        self.symbols = {name: head for name, head in found.items() if isinstance(head, SymbolHead)}

    @torch.inference_mode()
    def read(self, engine: Reads, items: Iterable[Item]) -> Iterator[Read]:
        """What each item says, in input order; a long one is read in windows and joined."""
        if not self.symbols and self.spec.head.pooling not in LEARNED:
            for pooled in engine.pool(items, (-1,), (_plain(self.spec),)):
                yield Read(dict.fromkeys(self.whole, pooled.vectors[0, 0]))
            return
        reader: _PieceReader | None = None
        for piece in engine.pieces(items, (-1,)):
            reader = reader or _PieceReader(self)
            reader.add(piece)
            if piece.last:
                yield reader.result()
                reader = None

    @torch.inference_mode()
    def score(self, first: Vectors, second: Vectors | None, covariates: Floats | None) -> dict[str, Floats]:
        """Outputs of one sequence: float32[C] by target.

        Args:
            first: pooled vectors by target, float32[D].
            second: of the second text of a pair; None without pairs.
            covariates: standardised float32[K]; None without.
        """
        found = {}
        for name, head in self.whole.items():
            other = None if second is None else _row(second[name])
            outputs = head(_row(first[name]), other, None if covariates is None else _row(covariates))
            found[name] = outputs[0].numpy()
        return found

    @torch.inference_mode()
    def spread(
        self, numbers: Mapping[str, Tensor], stride: int, frame: int, symbols: int
    ) -> dict[str, Floats]:
        """Outputs of each symbol: float32[N, C] by target, NaN for symbols that no token covers.

        Args:
            numbers: of the t tokens of one text, float32[t, k, C] by target.
            stride: symbols from one token's start to the next.
            frame: symbols before the first token.
            symbols: N.
        """
        found = {}
        for name, values in numbers.items():
            means, covered = symbol_means(values[None], torch.tensor([len(values)]), stride)
            outputs = torch.full((symbols, values.shape[-1]), torch.nan)
            # Only symbols that stand in a token are written, so nothing lies beyond the sequence's end.
            outputs[frame : frame + means.shape[1]] = torch.where(covered[0, :, None], means[0], torch.nan)
            found[name] = outputs.numpy()
        return found


def _row(values: Floats) -> Tensor:
    """float32[1, ...], in memory of its own, so that its alignment is always the same."""
    return torch.from_numpy(values)[None].clone()


class _PieceReader:
    """Pools one text and applies the heads of symbols, piece by piece."""

    def __init__(self, heads: Heads) -> None:
        self.heads = heads
        self.numbers: dict[str, list[Tensor]] = {name: [] for name in heads.symbols}
        learned = heads.spec.head.pooling in LEARNED
        self.pool = None if learned or not heads.whole else RunningPool([_plain(heads.spec)])
        self.learned = {name: _running(head.pool) for name, head in heads.whole.items() if learned}

    def add(self, piece: Piece) -> None:
        """Take the next tokens."""
        states = piece.hidden[0]
        counted = piece.item.counted(piece.start, piece.start + len(states))
        if self.pool is not None:
            self.pool.add(piece.hidden, counted)
            self.pool.add_cls(piece.cls)
        for pool in self.learned.values():
            pool.add(states, counted)
        rows = torch.from_numpy(states).clone(memory_format=torch.contiguous_format)
        for name, head in self.heads.symbols.items():
            self.numbers[name].append(head(rows))

    def result(self) -> Read:
        """What the whole text says."""
        vectors: dict[str, Floats] = {name: pool.result() for name, pool in self.learned.items()}
        if self.pool is not None:
            vectors = dict.fromkeys(self.heads.whole, self.pool.result()[0, 0])
        return Read(vectors, {name: torch.cat(parts) for name, parts in self.numbers.items()})


def _plain(spec: TaskSpec) -> Pooling:
    return cast("Pooling", spec.head.pooling)


def _running(pool: Pool) -> _RunningAttention | _RunningPlaces:
    if pool.places is not None:
        return _RunningPlaces(pool.places)
    assert pool.attention is not None
    return _RunningAttention(pool.attention)


class _RunningPlaces:
    """Pooling by place of a text in pieces, in float64."""

    def __init__(self, pool: PlacePool) -> None:
        self._weights = pool.weights().detach().numpy().astype(np.float64)
        self._sum = np.zeros(self._weights.shape[1])
        self._tokens = self._counted = 0

    def add(self, states: Floats, counted: Counted) -> None:
        """As :meth:`_RunningAttention.add`. Raises InputError for a text with more places than are known."""
        end = self._tokens + len(states)
        if end > len(self._weights):
            raise InputError(
                f"a sequence has more than the {len(self._weights)} tokens whose places this model knows",
                fix="give sequences that are cut like those that it was tuned on",
            )
        weights = self._weights[self._tokens : end][counted]
        self._sum += (weights * states[counted]).sum(axis=0)
        self._tokens, self._counted = end, self._counted + int(counted.sum())

    def result(self) -> Floats:
        """float32[D]."""
        return (self._sum / max(self._counted, 1)).astype(np.float32)


class _RunningAttention:
    """Attention pooling of a text in pieces: weights relative to the largest score so far, in float64."""

    def __init__(self, pool: AttentionPool) -> None:
        self._query = pool.query.detach().numpy().astype(np.float64)
        self._largest = -np.inf
        self._weight = 0.0
        self._sum = np.zeros(len(self._query))

    def add(self, states: Floats, counted: Counted) -> None:
        """Take the states of the next tokens, float32[m, D], and which of them count."""
        if not counted.any():
            return
        values = states[counted].astype(np.float64)
        scores = (values * self._query).sum(axis=1) * len(self._query) ** -0.5
        largest = max(self._largest, float(scores.max()))
        kept, weights = np.exp(self._largest - largest), np.exp(scores - largest)
        self._sum = self._sum * kept + (weights[:, None] * values).sum(axis=0)
        self._weight = self._weight * kept + float(weights.sum())
        self._largest = largest

    def result(self) -> Floats:
        """float32[D]."""
        return (self._sum / self._weight).astype(np.float32)


def heads_of(model: nn.Module, spec: TaskSpec) -> Heads:
    """The heads of a tuned model."""
    return Heads(cast("LanguageModel", model), spec)
