"""Contextual means against a loop over occurrences, and their groups against separate passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from genomecli.corpus.lexicon import Lexicon
from genomecli.inference.contextual import contextual_means, gene_of
from genomecli.inference.engine import Engine
from genomecli.inference.results import LiveModel
from tests.unit.inference.inference_toys import make_items, small_model


def slow_means(engine: Engine, items: list, ids: np.ndarray, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """float64[V, D] and counts, one occurrence after the other."""
    found = {int(i): [] for i in ids}
    for result in engine.run(items, (layer,)):
        counted = result.item.counted()
        for position, token in enumerate(result.item.tokens.tolist()):
            if token in found and counted[position]:
                found[token].append(result.hidden[layer][position].astype(np.float64))
    counts = np.array([len(found[int(i)]) for i in ids])
    width = engine.settings.width
    means = [np.mean(found[int(i)], axis=0) if found[int(i)] else np.full(width, np.nan) for i in ids]
    return np.array(means), counts


def test_means_are_those_of_all_occurrences(loaded: LiveModel) -> None:
    items = [replace(item, skip=(1, 2)) for item in make_items(12, 4, 100)]
    items += make_items(2, 250, 400, key="long")
    items[3].tokens[4] = 1  # [UNK] never counts
    ids = np.array([70, *range(5, 69), 1])
    engine = Engine(loaded, window=60, stride=25, tokens_per_batch=256)
    found = contextual_means(engine, iter(items), ids, (0, -1))
    assert found.layers == (0, 3)
    for row, layer in enumerate((0, 3)):
        means, counts = slow_means(engine, items, ids, layer)
        np.testing.assert_allclose(found.means[row], means, atol=1e-6)
        assert np.array_equal(found.total, counts)
    assert found.total[0] == 0
    assert found.total[-1] == 0
    assert np.isnan(found.means[:, 0]).all()


def test_groups_add_up_and_can_be_drawn(loaded: LiveModel) -> None:
    items = [replace(item, meta={"gene": f"k{i % 9}"}) for i, item in enumerate(make_items(40, 5, 60))]
    ids = np.arange(5, 69)
    engine = Engine(loaded)
    whole = contextual_means(engine, items, ids, (2,))
    parts = contextual_means(engine, items[::-1], ids, (2,), groups=4)
    assert parts.sums.shape == (4, 1, 64, 64)
    assert np.array_equal(parts.total, whole.total)
    np.testing.assert_allclose(parts.means, whole.means, atol=1e-9)
    times = np.array([0, 2, 1, 0])
    drawn = parts.drawn(times)
    keys = [next(k for k in range(4) if parts_of(engine, item, ids, k)) for item in items]
    again = [item for item, group in zip(items, keys, strict=True) for _ in range(times[group])]
    expected = contextual_means(engine, again, ids, (2,)).means
    np.testing.assert_allclose(drawn, expected, atol=1e-9)


def parts_of(engine: Engine, item: object, ids: np.ndarray, group: int) -> bool:
    alone = contextual_means(engine, [item], ids, (2,), groups=4)
    return bool(alone.counts[group].sum())


def test_it_works_as_a_probe_of_a_model_in_training(lexicon: Lexicon) -> None:
    loaded = small_model(lexicon)
    items, ids = make_items(5, 5, 60), np.arange(5, 69)
    first = contextual_means(Engine(loaded), items, ids, "all").means
    loaded.model.train()
    again = contextual_means(Engine(loaded), items, ids, "all").means
    assert loaded.model.training
    assert np.array_equal(first, again, equal_nan=True)
    assert all(p.grad is None for p in loaded.model.parameters())
    assert torch.is_grad_enabled()


def test_a_gene_is_known_by_its_key_else_by_its_id() -> None:
    item = make_items(1, 5, 5)[0]
    assert gene_of(item) == "g0"
    assert gene_of(replace(item, meta={"gene": "thrA"})) == "thrA"
