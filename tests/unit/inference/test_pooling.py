"""Pooling: what counts, what does not, and equality of the two ways."""

from __future__ import annotations

import numpy as np
import torch

from genomecli.inference.pooling import RunningPool, pool_batch


def test_only_counted_tokens_count() -> None:
    hidden = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    counted = torch.tensor([[0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0]], dtype=torch.bool)
    pooled = pool_batch(hidden, counted, ("max", "mean", "cls"))
    for row in range(2):
        real = hidden[row][counted[row]]
        torch.testing.assert_close(pooled[row, 0], real.max(dim=0).values)
        torch.testing.assert_close(pooled[row, 1], real.mean(dim=0))
        assert torch.equal(pooled[row, 2], hidden[row, 0])
    spoiled = torch.where(counted[:, :, None], hidden, torch.tensor(torch.nan))
    spoiled[:, 0] = hidden[:, 0]
    assert torch.equal(pool_batch(spoiled, counted, ("max", "mean", "cls")), pooled)


def test_pieces_pool_like_the_whole() -> None:
    for length in range(10, 24):
        _check_pieces(length)


def _check_pieces(length: int) -> None:
    random = np.random.default_rng(length)
    hidden = random.normal(size=(3, length, 5)).astype(np.float32)
    counted = random.random(length) > 0.3
    counted[0] = True
    running = RunningPool(("mean", "cls", "max", "centre"))
    for start, stop in ((0, 1), (1, 9), (9, length)):
        running.add(hidden[:, start:stop], counted[start:stop])
        running.add_cls(hidden[:, start])
    found = running.result()
    np.testing.assert_allclose(found[:, 0], hidden[:, counted].mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(found[:, 1], hidden[:, [0, 1, 9]].mean(axis=1), atol=1e-6)
    assert np.array_equal(found[:, 2], hidden[:, counted].max(axis=1))
    rows = hidden[:, counted]
    middle = rows[:, (rows.shape[1] - 1) // 2 : rows.shape[1] // 2 + 1]
    np.testing.assert_allclose(found[:, 3], middle.mean(axis=1), atol=1e-6)
    whole = torch.from_numpy(hidden), torch.from_numpy(counted).expand(3, -1)
    np.testing.assert_allclose(pool_batch(*whole, ("centre",))[:, 0].numpy(), found[:, 3], atol=1e-6)
