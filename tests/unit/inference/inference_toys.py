"""A small model and texts for the engine's tests."""

from __future__ import annotations

import numpy as np

from genomecli.corpus.lexicon import Lexicon
from genomecli.inference.items import Item
from genomecli.inference.results import LiveModel
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.runtime import rng


def small_model(lexicon: Lexicon, **changes: object) -> LiveModel:
    """Two layers of width 64, context 128, with dropout that must not matter."""
    values = {
        "layers": 3,
        "width": 64,
        "heads": 2,
        "context": 128,
        "dropout": 0.1,
        "language_embedding": True,
    }
    settings = ModelSettings.model_validate({"preset": None, **values, **changes})
    model = build_model(settings, lexicon.vocabulary.size, len(lexicon.languages), seed=3)
    return LiveModel(model, lexicon)


def make_items(count: int, low: int, high: int, *, key: str = "items") -> list[Item]:
    """Random codon texts of ``low`` to ``high`` tokens."""
    random = rng("inference tests", key)
    lengths = random.integers(low, high + 1, count)
    return [
        Item(f"g{i}", random.integers(5, 69, n).astype(np.int32), int(i % 4)) for i, n in enumerate(lengths)
    ]
