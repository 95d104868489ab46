"""Models of every kind of token, and scores by the plainest loops: strings, one text at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.vocabulary import CLS, MASK, SEP, UNK
from genomecli.inference.results import LiveModel
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.runtime import rng

KINDS = {"base": ("base", 1, 1), "codon": ("codon", 3, 3), "3-mer": ("kmer", 3, 1), "4-mer/2": ("kmer", 4, 2)}
COMPLEMENT = dict(zip("ACGTN", "TGCAN", strict=True))


@cache
def toy(kind: str) -> LiveModel:
    """A model with random weights that says much about its neighbours, context 64, one species."""
    dna, k, stride = KINDS[kind]
    lexicon = build_lexicon(["one"], dna=dna, k=k, stride=stride)
    settings = ModelSettings.model_validate(
        {"preset": None, "layers": 2, "width": 32, "heads": 2, "context": 64, "initializer_range": 0.3}
    )
    model = build_model(settings, lexicon.vocabulary.size, len(lexicon.languages), seed=5)
    return LiveModel(model, lexicon)


def make_sequence(length: int, letters: str = "ACGT", key: str = "sequence") -> str:
    random = rng("score tests", key)
    return "".join(letters[i] for i in random.integers(0, len(letters), length))


def other_strand(text: str) -> str:
    return "".join(COMPLEMENT[letter] for letter in reversed(text))


def words(text: str, k: int, stride: int) -> list[str]:
    return [text[i : i + k] for i in range(0, len(text) - k + 1, stride)]


class Plain:
    """A model asked in words.

    Args:
        loaded: the model.
        molecule: dna or protein.
    """

    def __init__(self, loaded: LiveModel, molecule: str = "dna") -> None:
        self.loaded = loaded
        self.block = loaded.lexicon.block("one", molecule)
        self.ids = {word: self.block.start + i for i, word in enumerate(self.block.tokens)}
        self.language = loaded.lexicon.language_id("one", molecule)

    def logs(self, text: Sequence[str], hidden: Sequence[int]) -> list[dict[str, float]]:
        """Log-probability of every word at every place of a text, some of its words hidden."""
        tokens = [MASK if i in set(hidden) else self.ids.get(word, UNK) for i, word in enumerate(text)]
        row = torch.tensor([[CLS, *tokens, SEP]])
        self.loaded.model.eval()
        with torch.no_grad():
            states = self.loaded.model(row, None, None, torch.full_like(row, self.language)).last
            scores = self.loaded.model.logits(states)[0, 1:-1, self.block.start : self.block.stop].double()
        table = torch.log_softmax(scores, dim=-1).numpy()
        return [dict(zip(self.block.tokens, values.tolist(), strict=True)) for values in table]


def window_of(text: str, middle: float, k: int, stride: int, size: int) -> int:
    """Where the window of ``size`` tokens begins whose middle is nearest to ``middle``, and on the grid."""
    total = len(words(text, k, stride))
    if total <= size:
        return 0
    starts = [stride * i for i in range(total - size + 1)]
    gaps = [abs(start + size * stride / 2 - middle) for start in starts]
    return starts[int(np.argmin(gaps))]


def plain_masked(
    plain: Plain, kind: str, text: str, place: int, new: str, *, size: int, hide: bool = True
) -> float | None:
    """Masked (or wild-type) marginal of one base, read in frame 0 of ``text``; None if no word holds it."""
    _, k, stride = KINDS[kind]
    start = window_of(text, (place // stride + 0.5) * stride, k, stride, size)
    old = words(text, k, stride)[start // stride : start // stride + size]
    changed = words(text[:place] + new + text[place + 1 :], k, stride)[
        start // stride : start // stride + size
    ]
    holding = [i for i in range(len(old)) if start + i * stride <= place < start + i * stride + k]
    if not holding:
        return None
    logs = plain.logs(old, holding if hide else [])
    return sum(logs[i][changed[i]] - logs[i][old[i]] for i in holding) / len(holding)


def mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known)
