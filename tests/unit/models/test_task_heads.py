"""Heads of fine-tuning: pooling over counted tokens, pairs, covariates, and outputs of symbols."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genomecli.corpus.tokenizers import Tokenizer
from genomecli.models.initialisation import initialise
from genomecli.models.pooling import PACE, Pool
from genomecli.models.settings import ModelSettings
from genomecli.models.task_heads import SymbolHead, TaskHead, symbol_means


def _random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", ["mean", "cls", "max", "attention", "centre", "places"])
def test_pooling_does_not_see_what_does_not_count(name: str) -> None:
    pool = Pool(name, 8, 4)
    for parameter in pool.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(1))
    hidden = _random(2, 6, 8)
    counted = torch.tensor([[False, True, True, False, True, False], [False] + [True] * 4 + [False]])
    pooled = pool(hidden, counted)
    other = torch.where(counted[:, :, None], hidden, torch.full((), torch.inf))
    other[:, 0] = hidden[:, 0]
    torch.testing.assert_close(pool(other, counted), pooled)
    rows = hidden[0, counted[0]]
    expected = {
        "mean": rows.mean(0),
        "max": rows.max(0).values,
        "cls": hidden[0, 0],
        "centre": rows[1],
        "attention": None
        if pool.attention is None
        else (rows @ pool.attention.query / 8**0.5).softmax(0) @ rows,
        "places": None
        if pool.places is None
        else (rows * (1 + PACE * pool.places.shift[[0, 1, 3]])).mean(0),  # positions 1, 2 and 4
    }[name]
    torch.testing.assert_close(pooled[0], expected)
    if name == "centre":
        torch.testing.assert_close(pooled[1], hidden[1, 2:4].mean(0))


@pytest.mark.parametrize("name", ["attention", "places"])
def test_learned_pooling_begins_as_the_mean(name: str) -> None:
    hidden, counted = _random(2, 5, 8), torch.ones(2, 5, dtype=torch.bool)
    torch.testing.assert_close(Pool(name, 8, 5)(hidden, counted), hidden.mean(1))


def test_places_beyond_those_that_are_known_are_refused() -> None:
    with pytest.raises(ValueError, match="6 tokens has more than the 5 places"):
        Pool("places", 8, 5)(_random(1, 8, 8), torch.ones(1, 8, dtype=torch.bool))


def test_a_pair_is_u_v_difference_and_product_and_covariates_are_joined() -> None:
    head = TaskHead(4, 3, covariates=2, pair=True)
    u, v, c = _random(2, 4), _random(2, 4).flip(0), _random(2, 2)
    features = torch.cat([u, v, (u - v).abs(), u * v, c], dim=1)
    layer = head.scorer.classifier
    torch.testing.assert_close(head(u, v, c), features @ layer.weight.T + layer.bias)


def test_first_weights_do_not_depend_on_the_networks_rule() -> None:
    head = TaskHead(256, 200, hidden=128, pooling="attention")
    initialise(head, ModelSettings(), seed=1, prefix="heads.t.")
    dense, last = head.scorer.dense, head.scorer.classifier
    assert dense is not None
    assert float(dense.weight.detach().std()) == pytest.approx(256**-0.5, rel=0.02)
    for zero in (dense.bias, last.weight, last.bias):
        assert float(zero.detach().abs().max()) == 0
    assert float(head.pool.attention.query.detach().abs().max()) == 0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("k", "stride"), [(1, 1), (3, 3), (3, 1), (6, 1), (6, 3), (4, 6)], ids=lambda value: str(value)
)
def test_a_symbol_is_the_mean_over_the_tokens_that_cover_it(k: int, stride: int) -> None:
    """Against a slow loop; base, codon, overlapping k-mers, and tokens with gaps between them."""
    outputs, tokens = 2, [7, 1, 4]
    numbers = _random(3, 7, k, outputs)
    found, covered = symbol_means(numbers, torch.tensor(tokens), stride)
    for row, count in enumerate(tokens):
        for symbol in range(found.shape[1]):
            over = [
                numbers[row, token, symbol - token * stride]
                for token in range(count)
                if 0 <= symbol - token * stride < k
            ]
            assert bool(covered[row, symbol]) == bool(over)
            if over:
                torch.testing.assert_close(found[row, symbol], torch.stack(over).mean(0))


@pytest.mark.parametrize("frame", [0, 1, 2])
def test_symbols_of_a_frame_are_those_that_the_tokenizer_reads(frame: int) -> None:
    tokenizer = Tokenizer("dna", 3, 3, start=5)
    symbols = np.arange(11, dtype=np.uint8) % 4
    tokens = tokenizer.encode(symbols, frame)
    # A token's three numbers are its own letters: then symbol_means must spell the sequence again.
    words = [["ACGT".index(letter) for letter in word] for word in tokenizer.decode(tokens)]
    numbers = torch.tensor(words, dtype=torch.float32)[None, :, :, None]
    found, covered = symbol_means(numbers, torch.tensor([len(tokens)]), 3)
    assert bool(covered.all())
    assert found[0, :, 0].tolist() == symbols[frame : frame + 3 * len(tokens)].tolist()


def test_a_symbol_head_gives_numbers_for_each_symbol_of_a_token() -> None:
    head = SymbolHead(8, 4, 3, hidden=5, dropout=0.5).eval()
    assert head(_random(2, 6, 8)).shape == (2, 6, 3, 4)
