"""Contextual means, their groups and the means of whole texts against a loop over occurrences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from genomecli.corpus.lexicon import Lexicon
from genomecli.inference.contextual import contextual_means, gene_of
from genomecli.inference.engine import Engine
from genomecli.inference.results import LiveModel
from tests.unit.inference.inference_toys import make_items, small_model


def slow_sums(
    engine: Engine, items: list, ids: np.ndarray, layers: tuple, *, groups: int = 1, step: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums [G, C, V, D], counts [G, V] and texts' means [C, R, D], one occurrence after the other."""
    keys: list[str] = []
    sums = np.zeros((groups, len(layers), len(ids), engine.settings.width))
    counts = np.zeros((groups, len(ids)), dtype=np.int64)
    texts = np.zeros((len(layers), len(items), engine.settings.width))
    place = {int(token): i for i, token in enumerate(ids)}
    for number, result in enumerate(engine.run(items, layers)):
        key = gene_of(result.item)
        keys += [] if key in keys else [key]
        group, seen = keys.index(key) % groups, 0
        for position in range(0, len(result.item.tokens), step):
            word = place.get(int(result.item.tokens[position]))
            if word is None or not result.item.counted()[position]:
                continue
            counts[group, word] += 1
            seen += 1
            for row, layer in enumerate(layers):
                state = result.hidden[layer][position].astype(np.float64)
                sums[group, row, word] += state
                texts[row, number] += state
        texts[:, number] /= max(seen, 1)
    return sums, counts, texts


def test_means_are_those_of_all_occurrences(loaded: LiveModel) -> None:
    items = [replace(item, skip=(1, 2)) for item in make_items(12, 4, 100)]
    items += make_items(2, 250, 400, key="long")
    items[3].tokens[4] = 1  # [UNK] never counts
    ids = np.array([70, *range(5, 69), 1])
    engine = Engine(loaded, window=60, stride=25, tokens_per_batch=256)
    found = contextual_means(engine, iter(items), ids, (0, -1))
    assert found.layers == (0, 3)
    sums, counts, _ = slow_sums(engine, items, ids, (0, 3))
    assert np.array_equal(found.total, counts[0])
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found.means, sums[0] / counts[0][:, None], atol=1e-6)
    assert np.array_equal(found.at(3), found.means[1], equal_nan=True)
    assert found.total[0] == 0
    assert found.total[-1] == 0
    assert np.isnan(found.means[:, 0]).all()


@pytest.mark.parametrize("step", [1, 3])
def test_groups_and_texts_are_those_of_a_plain_loop(loaded: LiveModel, step: int) -> None:
    items = [replace(item, meta={"gene": f"k{i % 9}"}) for i, item in enumerate(make_items(40, 5, 60))]
    items += [replace(item, skip=(2, 3)) for item in make_items(3, 130, 260, key="long")]
    ids = np.arange(5, 69)
    engine = Engine(loaded, window=50, stride=20)
    found = contextual_means(engine, items, ids, (0, 2), groups=4, step=step, texts=True)
    sums, counts, texts = slow_sums(engine, items, ids, (0, 2), groups=4, step=step)
    assert found.sums.dtype == np.float64
    assert np.array_equal(found.counts, counts)
    np.testing.assert_allclose(found.sums, sums, atol=2e-5)
    assert found.texts is not None
    np.testing.assert_allclose(found.texts, texts, atol=2e-6)


def test_keys_are_dealt_to_groups_in_turn(loaded: LiveModel) -> None:
    items = make_items(7, 5, 20)
    items = [replace(item, meta={"gene": key}) for item, key in zip(items, "abcadeb", strict=True)]
    found = contextual_means(Engine(loaded), items, np.arange(5, 69), (0,), groups=3)
    lengths = [len(item.tokens) for item in items]
    own = [(0, 3, 4), (1, 5, 6), (2,)]  # a d, b e, c
    assert found.counts.sum(axis=1).tolist() == [sum(lengths[i] for i in group) for group in own]


def test_many_small_terms_beside_a_large_one_are_not_lost(loaded: LiveModel) -> None:
    """float32 sums stop growing at 2^24 times their terms; these do not."""
    items = [replace(make_items(1, 60, 60)[0], id=f"i{i}") for i in range(300)]
    ids = np.unique(items[0].tokens)
    one = contextual_means(Engine(loaded), items[:1], ids, (1,))
    all_ = contextual_means(Engine(loaded), items, ids, (1,))
    np.testing.assert_allclose(all_.at(1), one.at(1), rtol=1e-12, atol=1e-14)


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
