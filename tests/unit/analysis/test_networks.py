"""Two networks in one run: layers by share of depth, and words of others as those of a species."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from genomecli.analysis.networks import Network, at_layers, matched_layers
from genomecli.corpus.lexicon import build_lexicon
from genomecli.inference.contextual import ContextualMeans


def test_layers_stand_at_the_same_share_of_the_depth() -> None:
    assert matched_layers((0, 3, 6), 6, 12) == (0, 6, 12)
    assert matched_layers((0, 1, 2, 3, 4), 4, 2) == (0, 1, 1, 2, 2)
    assert matched_layers((0, 1, 2, 3), 3, 3) == (0, 1, 2, 3)


@pytest.mark.parametrize("depth", [1, 2, 5, 12])
@pytest.mark.parametrize("other", [1, 3, 12, 33])
def test_ends_meet_ends_and_order_is_kept(depth: int, other: int) -> None:
    found = matched_layers(tuple(range(depth + 1)), depth, other)
    assert (found[0], found[-1]) == (0, other)
    assert list(found) == sorted(found)


def test_means_get_the_numbers_of_the_other_network() -> None:
    draw = np.random.default_rng(0)
    sums, texts = draw.normal(size=(2, 3, 20, 4)), draw.normal(size=(3, 5, 4)).astype(np.float32)
    means = ContextualMeans(np.arange(20), (0, 2, 4), sums, np.ones((2, 20), dtype=np.int64), texts)
    found = at_layers(means, (0, 1, 2), (0, 4, 4))
    assert found.layers == (0, 1, 2)
    for layer, own in ((0, 0), (1, 4), (2, 4)):
        np.testing.assert_array_equal(found.at(layer), means.at(own))
    assert found.texts is not None
    np.testing.assert_array_equal(found.texts[1], texts[2])


def test_what_a_network_has_words_for() -> None:
    loaded: Any = SimpleNamespace(lexicon=build_lexicon(["bug"], molecules=("dna",)))
    network = Network("n", loaded, "dna", ("TAA", "TGA"))
    assert network.has("dna")
    assert not network.has("protein")
    words = loaded.lexicon.block("bug", "dna").tokens
    here = network.present("bug", "dna")
    assert [word for word, there in zip(words, here, strict=True) if not there] == ["TAA", "TGA"]
