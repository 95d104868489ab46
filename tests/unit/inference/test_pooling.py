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
    random = np.random.default_rng(0)
    hidden = random.normal(size=(3, 20, 5)).astype(np.float32)
    counted = random.random(20) > 0.3
    running = RunningPool(("mean", "cls", "max"))
    for start, stop in ((0, 1), (1, 9), (9, 20)):
        running.add(hidden[:, start:stop], counted[start:stop])
        running.add_cls(hidden[:, start])
    found = running.result()
    np.testing.assert_allclose(found[:, 0], hidden[:, counted].mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(found[:, 1], hidden[:, [0, 1, 9]].mean(axis=1), atol=1e-6)
    assert np.array_equal(found[:, 2], hidden[:, counted].max(axis=1))
