"""Small stand-ins for a model, a learner and data, so that the loop is tested by itself."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genomecli.corpus.batch import IGNORE, Batch
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.runtime import seed_of
from genomecli.training.learner import Loss

VOCABULARY = 12


def toy_lexicon() -> Lexicon:
    return build_lexicon(["toy"], dna="base")


class ToyModel(nn.Module):
    """An embedding, dropout, a norm, and a matrix back to the vocabulary."""

    def __init__(self, dropout: float = 0.0, width: int = 8) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.embedding = nn.Embedding(VOCABULARY, width)
        self.mix = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, VOCABULARY, bias=False)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.1, generator=generator)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        x = x + self.dropout(torch.tanh(self.mix(x)))
        logits: Tensor = self.out(self.norm(x))
        return logits


class ToyData:
    """``micro`` batches a step of random tokens; a target is the token after its own."""

    def __init__(self, micro: int = 2, rows: int = 4, length: int = 6, seed: int = 0) -> None:
        self.micro, self.rows, self.length, self.seed = micro, rows, length, seed
        self.asked: list[int] = []

    def step(self, step: int, rank: int = 0, world: int = 1) -> list[Batch]:
        self.asked.append(step)
        return [self._batch(step, index) for index in range(self.micro)]

    def _batch(self, step: int, index: int) -> Batch:
        generator = torch.Generator().manual_seed(seed_of(self.seed, step, index) % 2**31)
        shape = (self.rows, self.length)
        tokens = torch.randint(0, VOCABULARY, shape, generator=generator)
        lengths = torch.randint(2, self.length + 1, (self.rows,), generator=generator)
        zeros = torch.zeros(shape, dtype=torch.int64)
        records = torch.arange(self.rows) + 100 * step + 10 * index
        return Batch(tokens, lengths, zeros, zeros, records, step=step)


class ToyLearner:
    """Cross-entropy of ``(token + 1) mod V`` at real positions."""

    def __init__(self, poison: tuple[int, int] | None = None) -> None:
        self.poison = poison

    def prepare(self, batch: Batch, step: int, index: int) -> Batch:
        targets = torch.where(batch.mask_BL, (batch.tokens + 1) % VOCABULARY, IGNORE)
        poison = torch.full_like(batch.lengths, (step, index) == self.poison, dtype=torch.float32)
        return Batch(
            batch.tokens,
            batch.lengths,
            batch.positions,
            batch.languages,
            batch.records,
            targets=targets,
            extras={"poison": poison},
            step=step,
        )

    def count(self, batch: Batch) -> Mapping[str, float]:
        assert batch.targets is not None
        return {"toy": float((batch.targets != IGNORE).sum())}

    def loss(self, model: nn.Module, batch: Batch, totals: Mapping[str, float]) -> Loss:
        assert batch.targets is not None
        logits = model(batch.tokens).float()
        total = cross_entropy(
            logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORE, reduction="sum"
        )
        bad = batch.extras["poison"].sum()
        total = total + torch.where(bad > 0, torch.nan, 0.0)
        count = (batch.targets != IGNORE).sum()
        return Loss(total / totals["toy"], {"toy_loss": torch.stack([total, count])})
