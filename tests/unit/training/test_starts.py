"""Networks that tuning begins from."""

from __future__ import annotations

import pytest

from genomecli.training.starts import convolutional_start, fresh_lexicon, scratch_rate


@pytest.mark.parametrize(
    ("tokens", "k", "stride"), [("base", 1, 1), ("codon", 3, 3), ("kmer3", 3, 1), ("kmer6", 6, 1)]
)
def test_tokens_of_a_fresh_network(tokens: str, k: int, stride: int) -> None:
    tokenizer = fresh_lexicon("own", "dna", tokens).tokenizer("own", "genome")  # type: ignore[arg-type]
    assert (tokenizer.k, tokenizer.stride) == (k, stride)


def test_the_convolutional_baseline_reads_single_symbols_over_the_same_stretch() -> None:
    start = convolutional_start("ecoli", "protein", 300)
    assert start.settings.context == 302
    assert start.settings.mixer == "convolution"
    assert start.lexicon.tokenizer("ecoli", "protein").words == 20
    assert start.lexicon.languages == ("ecoli/dna", "ecoli/protein")
    assert not start.tensors


def test_rates_of_random_weights_fall_with_the_width() -> None:
    assert [scratch_rate(width) for width in (64, 256, 512, 1024)] == [1e-3, 1e-3, 5e-4, 2.5e-4]
